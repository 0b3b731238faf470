"""The entry point: landed files, cleaned, onto the topic; bad rows to quarantine. The same on Glue 5 and on a laptop.

Nothing of ``awsglue`` is needed: its job bookmarks are for batch jobs, and a stream's place is kept by its checkpoint.
Delivery to the topic is at least once: a batch that was cut short is done again, whole. The score stage knows a repeat by
its transaction id; the quarantine of a batch is overwritten by its second try.
"""

import json
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

from pyspark.sql import SparkSession

from glue_scripts import progress, transforms
from glue_scripts.arguments import Arguments, parse_arguments

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.streaming.query import StreamingQuery

STOP_POLL_SECONDS = 1
"""How long a request to stop can go unnoticed."""


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


def start(spark: SparkSession, arguments: Arguments, key: bytes) -> "StreamingQuery":
    """Start the one query of the job.

    One query with two sinks, not a query for each: the files are listed, read and cleaned once, and records and refused
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
    lines = transforms.read_lines(spark, arguments.landing_path, arguments.max_files_per_trigger)
    cleaned = transforms.clean_lines(lines, key)
    return (
        cleaned.writeStream.queryName("stream_transactions")
        .option("checkpointLocation", arguments.checkpoint_path)
        .trigger(processingTime=arguments.trigger_interval)
        .foreachBatch(lambda batch, batch_id: write_batch(batch, batch_id, arguments))
        .start()
    )


def write_batch(batch: "DataFrame", batch_id: int, arguments: Arguments) -> None:
    """Write one batch to both sinks, and say so. The checkpoint moves on after this returns, not before.

    Parameters
    ----------
    batch : DataFrame
        Cleaned rows.
    batch_id : int
        The query's number for it.
    arguments : Arguments
        Where to write.
    """
    began = time.monotonic()
    batch.persist()
    try:
        counts = transforms.counts(batch)
        if counts.quarantined:
            path = quarantine_batch_path(batch.sparkSession, arguments, batch_id)
            transforms.refused(batch).write.mode("overwrite").json(path)
        if counts.published:
            transforms.records(batch, arguments.topic).write.format("kafka").options(
                **{"kafka.bootstrap.servers": arguments.kafka_bootstrap_servers, **arguments.kafka_options}
            ).save()
    finally:
        batch.unpersist()
    duration_ms = round((time.monotonic() - began) * 1000)
    say(progress.batch_line(batch_id, counts, duration_ms, at_ms=round(time.time() * 1000)))


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

    Parameters
    ----------
    source : str
        ``secret:<name or ARN>``, from Secrets Manager, or ``env:<VARIABLE>``.

    Returns
    -------
    bytes
        The key, as UTF-8 where it is stored as text.

    Raises
    ------
    KeyError
        For a variable that is not set.
    """
    kind, _, name = source.partition(":")
    if kind == "env":
        return os.environ[name].encode()
    import boto3

    secret = boto3.client("secretsmanager").get_secret_value(SecretId=name)
    return secret["SecretString"].encode() if "SecretString" in secret else bytes(secret["SecretBinary"])


def say(line: str) -> None:
    """Write a line where Glue's log group takes it from, at once."""
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
