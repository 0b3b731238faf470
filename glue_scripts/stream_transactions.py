"""The entry point: landed files, cleaned, onto the topic; bad rows to quarantine. The same on Glue 5 and on a laptop.

Nothing of ``awsglue`` is needed: its job bookmarks are for batch jobs, and a stream's place is kept by its checkpoint.
Delivery to the topic is at least once: a batch that was cut short is done again, whole. The score stage knows a repeat by
its transaction id; the quarantine of a batch is overwritten by its second try.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pyspark.sql import SparkSession

from glue_scripts import files, progress, transforms
from glue_scripts.arguments import Arguments, parse_arguments

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.streaming.query import StreamingQuery

EPOCH_AT = datetime(1970, 1, 1, tzinfo=UTC)

STOP_POLL_SECONDS = 1
"""How long a request to stop can go unnoticed."""

KEY_DERIVATION_MESSAGE = b"card number tokens"
"""What KMS makes the tokenisation key from. With another message every card would get another token."""


def main() -> None:
    """Run until the query fails, which ends the process with an error, or until SIGTERM, which ends it cleanly."""
    arguments = parse_arguments(sys.argv[1:])
    key = read_key(arguments.tokenization_key)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda _signal, _frame: stopping.set())
    spark = SparkSession.builder.appName("stream-transactions").getOrCreate()
    query = start(spark, arguments, key)
    say(progress.ready_line(arguments.landing_path, arguments.topic))
    while not query.awaitTermination(STOP_POLL_SECONDS):
        if stopping.is_set():
            query.stop()
    spark.stop()


def start(spark: SparkSession, arguments: Arguments, key: bytes) -> StreamingQuery:
    """Start the one query of the job.

    One query with two sinks, not a query for each: files are listed, read and cleaned once, and the records and refused
    rows of a batch are committed together.

    Parameters
    ----------
    spark : SparkSession
        The session; its master, Kafka connector and file systems are the caller's affair.
    arguments : Arguments
        Where to read and write.
    key : bytes
        What card numbers are tokenised with.

    Returns
    -------
    StreamingQuery
        Running.
    """
    landed = files.landed_files(spark, arguments.landing_path, arguments.max_files_per_trigger)
    return (
        landed.writeStream.queryName("stream_transactions")
        .option("checkpointLocation", arguments.checkpoint_path)
        .trigger(processingTime=arguments.trigger_interval)
        .foreachBatch(lambda batch, batch_id: process_batch(batch, batch_id, arguments, key))
        .start()
    )


def process_batch(landed: DataFrame, batch_id: int, arguments: Arguments, key: bytes) -> None:
    """Read, clean and write the files of one batch, and say so. The checkpoint moves on after this returns, not before.

    Parameters
    ----------
    landed : DataFrame
        Files, as :func:`glue_scripts.files.landed_files` streams them.
    batch_id : int
        The query's number for it.
    arguments : Arguments
        Where to write.
    key : bytes
        What card numbers are tokenised with.
    """
    began = time.monotonic()
    listed = landed.collect()
    if not listed:
        return
    spark, paths = landed.sparkSession, [row["path"] for row in listed]
    now = EPOCH_AT + timedelta(microseconds=listed[0]["read_at_us"])
    try:
        counts = write(
            spark, transforms.clean_lines(files.read_lines(spark, paths), key, now), batch_id, arguments
        )
    except files.READ_ERRORS:
        unreadable = files.unreadable_files(spark, paths)
        if not unreadable:
            raise  # not a file's fault: the broker, say
        gone = {file.file for file in unreadable if file.reason == files.GONE}
        cleaned = transforms.unreadable_rows(spark, unreadable)
        if left := [path for path in paths if path not in gone]:
            lines = files.read_lines(spark, left, forgive=True)
            cleaned = cleaned.union(transforms.clean_lines(lines, key, now))
        counts = write(spark, cleaned, batch_id, arguments)
    duration_ms = round((time.monotonic() - began) * 1000)
    at_ms = round(time.time() * 1000)
    say(progress.batch_line(batch_id, counts, duration_ms, at_ms, arguments.metrics_namespace))


def write(spark: SparkSession, cleaned: DataFrame, batch_id: int, arguments: Arguments) -> progress.Counts:
    """Write cleaned rows to both sinks, the bad ones first; nothing is written where a row cannot be read."""
    cleaned.persist()
    try:
        counts = transforms.counts(cleaned)
        if counts.quarantined:
            path = quarantine_batch_path(spark, arguments, batch_id)
            transforms.refused(cleaned).write.mode("overwrite").json(path)
        if counts.published:
            transforms.records(cleaned, arguments.topic).write.format("kafka").options(
                **{"kafka.bootstrap.servers": arguments.kafka_bootstrap_servers, **arguments.kafka_options}
            ).save()
    finally:
        cleaned.unpersist()
    return counts


def quarantine_batch_path(spark: SparkSession, arguments: Arguments, batch_id: int) -> str:
    """Name the folder of a batch's refused rows.

    Batches are numbered from 0 by every new checkpoint, so the checkpoint's own id comes first: a job that was started
    afresh must not overwrite what the one before it put in quarantine.
    """
    metadata = spark.read.text(f"{arguments.checkpoint_path.rstrip('/')}/metadata").first()
    if metadata is None:
        raise RuntimeError(f"{arguments.checkpoint_path}: the checkpoint has no metadata")
    checkpoint_id = json.loads(metadata["value"])["id"]
    return f"{arguments.quarantine_path.rstrip('/')}/checkpoint_id={checkpoint_id}/batch_id={batch_id}"


def read_key(source: str) -> bytes:
    """Read the tokenisation key.

    In AWS it is derived, once a start, from a key that KMS never gives away: there is no secret to store, and nothing that
    whoever plans or applies Terraform could read. The same KMS key gives the same tokenisation key.

    Parameters
    ----------
    source : str
        ``kms:<ARN of an HMAC_256 key>``, or ``env:<VARIABLE>``.

    Returns
    -------
    bytes
        32 from KMS; a variable's text in UTF-8.

    Raises
    ------
    KeyError
        For a variable that is not set.
    ClientError
        Where KMS refuses.
    """
    kind, _, name = source.partition(":")
    if kind == "env":
        return os.environ[name].encode()
    import boto3

    kms = boto3.client("kms")
    answer = kms.generate_mac(KeyId=name, Message=KEY_DERIVATION_MESSAGE, MacAlgorithm="HMAC_SHA_256")
    return bytes(answer["Mac"])


def say(line: str) -> None:
    """Write a line where Glue's log group takes it from, at once."""
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
