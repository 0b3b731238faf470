"""The entry point: landed files, cleaned, onto the topic; bad rows to quarantine. The same on Glue 5 and on a laptop.

Nothing of ``awsglue`` is needed: its job bookmarks are for batch jobs, and the checkpoint of a stream keeps its position.
Delivery to the topic is at least once: an interrupted batch is repeated as a whole. The score stage recognises a repeat by its
transaction id, so every try of a batch is read by the same mappings (:mod:`glue_scripts.pins`); the second try of a batch
overwrites what its first try quarantined.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

from pyspark.sql import SparkSession

from contract.card_tokens import KEY_DERIVATION_MESSAGE, CardTokens
from glue_scripts import files, pins, progress, transforms
from glue_scripts.arguments import Arguments, parse_arguments
from glue_scripts.prefix_mappings import PrefixMappings, parse_mappings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.streaming.query import StreamingQuery

STOP_POLL_SECONDS = 1
"""The longest time until the job notices a request to stop."""


def main() -> None:
    """Run until the query fails, which ends the process with an error, or until SIGTERM, which ends it with success."""
    arguments = parse_arguments(sys.argv[1:])
    key = read_key(arguments.tokenization_key)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda _signal, _frame: stopping.set())
    spark = SparkSession.builder.appName("stream-transactions").getOrCreate()
    mappings = read_mappings(spark, arguments)
    query = start(spark, arguments, key, mappings)
    print_line(ready_line(arguments, key, mappings))
    while not query.awaitTermination(STOP_POLL_SECONDS):
        if stopping.is_set():
            query.stop()
    spark.stop()


def read_mappings(spark: SparkSession, arguments: Arguments) -> PrefixMappings:
    """Read the mappings, once a start: a changed mapping applies from the next start on.

    Raises
    ------
    MappingError
        Where one of them cannot be used. The job then does not start: files read without their mapping would be misread.
    AnalysisException
        Where their folder does not exist.
    """
    landing = files.qualified(spark, arguments.landing_path)
    if arguments.mappings_path is None:
        return PrefixMappings(landing)
    documents = files.read_documents(spark, arguments.mappings_path)
    return parse_mappings(documents, files.qualified(spark, arguments.mappings_path), landing)


def start(spark: SparkSession, arguments: Arguments, key: bytes, mappings: PrefixMappings) -> StreamingQuery:
    """Start the one query of the job.

    It is one query with two sinks, not a query for each: files are listed, read and cleaned once, and the records and
    refused rows of a batch are committed together.

    Parameters
    ----------
    spark : SparkSession
        The session; the caller configures its master, Kafka connector and file systems.
    arguments : Arguments
        Where to read and write.
    key : bytes
        What card numbers are tokenised with.
    mappings : PrefixMappings
        What the columns are, below which prefixes.

    Returns
    -------
    StreamingQuery
        Running.

    Raises
    ------
    MappingsChangedError
        Where a batch that was begun with other mappings is still to be repeated.
    """
    pins.check_mappings(
        files.names_in(spark, below_checkpoint(arguments, pins.FOLDER)),
        files.names_in(spark, below_checkpoint(arguments, pins.COMMITS)),
        mappings.digest,
    )
    landed = files.landed_files(spark, arguments.landing_path, arguments.max_files_per_trigger)
    return (
        landed.writeStream.queryName("stream_transactions")
        .option("checkpointLocation", arguments.checkpoint_path)
        .trigger(processingTime=arguments.trigger_interval)
        .foreachBatch(lambda batch, batch_id: process_batch(batch, batch_id, arguments, key, mappings))
        .start()
    )


def process_batch(
    landed: DataFrame, batch_id: int, arguments: Arguments, key: bytes, mappings: PrefixMappings
) -> None:
    """Read, clean and write the files of one batch, and print its counts. The checkpoint advances after this returns.

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
    mappings : PrefixMappings
        What the columns are, below which prefixes.
    """
    began = time.monotonic()
    listed = landed.collect()
    if not listed:
        return
    spark, paths = landed.sparkSession, [row["path"] for row in listed]
    try:
        cleaned = transforms.clean_lines(files.read_lines(spark, paths), key, mappings)
        counts = write(spark, cleaned, pins.Pin(batch_id, mappings.digest), arguments)
    except files.READ_ERRORS:
        unreadable = files.unreadable_files(spark, paths)
        if not unreadable:
            raise  # no file is the cause; perhaps the broker
        gone = {file.file for file in unreadable if file.reason == files.GONE}
        cleaned = transforms.unreadable_rows(spark, unreadable, key)
        if left := [path for path in paths if path not in gone]:
            lines = files.read_lines(spark, left, forgive=True)
            cleaned = cleaned.union(transforms.clean_lines(lines, key, mappings))
        counts = write(spark, cleaned, pins.Pin(batch_id, mappings.digest), arguments)
    duration_ms = round((time.monotonic() - began) * 1000)
    at_ms = round(time.time() * 1000)
    print_line(progress.batch_line(batch_id, counts, duration_ms, at_ms, arguments.metrics_namespace))


def write(spark: SparkSession, cleaned: DataFrame, pin: pins.Pin, arguments: Arguments) -> progress.Counts:
    """Write cleaned rows to both sinks, the bad ones first; nothing is written if a file cannot be read."""
    cleaned.persist()
    try:
        counts = transforms.counts(cleaned)
        # After the rows are cleaned: a batch that no sink has seen may be read by other mappings at its next try.
        is_repeat = not pin_mappings(spark, pin, arguments)
        if counts.quarantined:
            path = quarantine_batch_path(spark, arguments, pin.batch_id)
            transforms.refused(cleaned).write.mode("overwrite").json(path)
        elif is_repeat:
            # The first try can have refused rows that this one publishes, such as those of a file that was unreadable.
            files.remove(spark, quarantine_batch_path(spark, arguments, pin.batch_id))
        if counts.published or counts.canaries:
            publish(cleaned, arguments)
    finally:
        cleaned.unpersist()
    return counts


def publish(cleaned: DataFrame, arguments: Arguments) -> None:
    """Write the good rows to the topic."""
    transforms.records(cleaned, arguments.topic).write.format("kafka").options(
        **{"kafka.bootstrap.servers": arguments.kafka_bootstrap_servers, **arguments.kafka_options}
    ).save()


def pin_mappings(spark: SparkSession, pin: pins.Pin, arguments: Arguments) -> bool:
    """Note the mappings of a batch, and forget those of the batches before it; False where an earlier try noted them."""
    folder = below_checkpoint(arguments, pins.FOLDER)
    if not files.create_empty(spark, f"{folder}/{pin.name}"):
        return False
    for name in pins.outdated(files.names_in(spark, folder), pin.batch_id):
        files.remove(spark, f"{folder}/{name}")
    return True


def below_checkpoint(arguments: Arguments, name: str) -> str:
    """Name a file or folder of the checkpoint."""
    return f"{arguments.checkpoint_path.rstrip('/')}/{name}"


def quarantine_batch_path(spark: SparkSession, arguments: Arguments, batch_id: int) -> str:
    """Name the folder of a batch's refused rows.

    Every new checkpoint numbers its batches from 0, so the id of the checkpoint comes first: a job with a new checkpoint must
    not overwrite what the job before it quarantined.
    """
    metadata = spark.read.text(below_checkpoint(arguments, "metadata")).first()
    if metadata is None:
        raise RuntimeError(f"{arguments.checkpoint_path}: the checkpoint has no metadata")
    checkpoint_id = json.loads(metadata["value"])["id"]
    return f"{arguments.quarantine_path.rstrip('/')}/checkpoint_id={checkpoint_id}/batch_id={batch_id}"


def ready_line(arguments: Arguments, key: bytes, mappings: PrefixMappings) -> str:
    """Write that the query runs, without card numbers; a mapping's prefix that holds one is refused before."""
    landing_path = CardTokens(key).replace(arguments.landing_path)
    return progress.ready_line(landing_path, arguments.topic, mappings.by_prefix, mappings.digest)


def read_key(source: str) -> bytes:
    """Read the tokenisation key.

    In AWS it is derived, once a start, from a key that never leaves KMS: there is no secret to store, and nothing that a
    person who plans or applies Terraform could read. The same KMS key gives the same tokenisation key.

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
        If KMS refuses.
    """
    kind, _, name = source.partition(":")
    if kind == "env":
        return os.environ[name].encode()
    import boto3

    kms = boto3.client("kms")
    answer = kms.generate_mac(KeyId=name, Message=KEY_DERIVATION_MESSAGE, MacAlgorithm="HMAC_SHA_256")
    return bytes(answer["Mac"])


def print_line(line: str) -> None:
    """Write a line to stdout, unbuffered; Glue sends it to its log group."""
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
