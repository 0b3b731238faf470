"""The entry point: landed files, cleaned: payments onto the topic, labels to their queue, bad rows to quarantine. The same on Glue 5 and on a laptop.

Nothing of ``awsglue`` is needed: its job bookmarks are for batch jobs, and the checkpoint of a stream keeps its position.
Delivery to the topic is at least once: an interrupted batch is repeated as a whole. The score stage recognises a repeat by its
transaction id, and the label stage a label by its content, so every try of a batch is read by the same mappings
(:mod:`glue_scripts.pins`); the second try of a batch overwrites what its first try quarantined.

Payments and labels are two queries. If that of the payments fails, the job ends, and is started again. That of the labels is started
again within the job: no label stops a payment.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

from pyspark.sql import SparkSession

from contract.card_tokens import KEY_DERIVATION_MESSAGE, CardTokens
from contract.mapping.kinds import LABELS, PAYMENTS
from glue_scripts import files, pins, progress, transforms
from glue_scripts.arguments import parse_arguments
from glue_scripts.feeds import Feed
from glue_scripts.kept_query import KeptQuery
from glue_scripts.label_sink import send_rows
from glue_scripts.prefix_mappings import PrefixMappings, parse_mappings
from glue_scripts.replaced import LOOK_SECONDS, Rereading

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.streaming.query import StreamingQuery

    from glue_scripts.arguments import Arguments, LabelArguments

STOP_POLL_SECONDS = 1
"""The longest time until the job notices a request to stop."""

ROWS_IN_DRIVER = 20_000
"""About how many labels are in the driver's memory at a time: some 300 bytes each."""


def main() -> None:
    """Run until the query of the payments fails, which ends the process with an error, or until SIGTERM, which ends it with success."""
    arguments = parse_arguments(sys.argv[1:])
    key = read_key(arguments.tokenization_key)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda _signal, _frame: stopping.set())
    spark = SparkSession.builder.appName("stream-transactions").getOrCreate()
    payments = payments_feed(arguments)
    mappings = read_mappings(spark, payments)
    query = start(spark, payments, key, mappings)
    print_line(
        progress.ready_line(shown(payments, key), arguments.topic, mappings.by_prefix, mappings.digest)
    )
    labels = None if arguments.labels is None else kept_labels(spark, arguments, arguments.labels, key)
    rereadings = rereadings_of(spark, arguments, key, payments, mappings)
    while not query.awaitTermination(STOP_POLL_SECONDS):
        if stopping.is_set():
            query.stop()
            continue
        now = time.monotonic()
        if labels is not None:
            labels.keep(now)
        for rereading in rereadings:
            rereading.keep(now)
    if labels is not None:
        labels.stop()
    spark.stop()


def payments_feed(arguments: Arguments) -> Feed:
    """Payments: from the landing path to the topic."""
    return Feed(
        query_name="stream_transactions",
        landing_path=arguments.landing_path,
        quarantine_path=arguments.quarantine_path,
        checkpoint_path=arguments.checkpoint_path,
        mappings_path=arguments.mappings_path,
        trigger_interval=arguments.trigger_interval,
        max_files_per_trigger=arguments.max_files_per_trigger,
        kind=PAYMENTS,
        cleaners=transforms.payment_cleaners,
        deliver=lambda cleaned: publish(cleaned, arguments),
        batch_line=partial(progress.batch_line, namespace=arguments.metrics_namespace),
    )


def labels_feed(arguments: Arguments, labels: LabelArguments) -> Feed:
    """Labels: from their own landing path to the labels queue."""
    return Feed(
        query_name="stream_labels",
        landing_path=labels.landing_path,
        quarantine_path=labels.quarantine_path,
        checkpoint_path=labels.checkpoint_path,
        mappings_path=labels.mappings_path,
        trigger_interval=labels.trigger_interval,
        max_files_per_trigger=arguments.max_files_per_trigger,
        kind=LABELS,
        cleaners=transforms.label_cleaners,
        deliver=lambda cleaned: send(cleaned, labels.queue_url),
        batch_line=partial(progress.labels_line, namespace=arguments.metrics_namespace),
    )


def kept_labels(spark: SparkSession, arguments: Arguments, labels: LabelArguments, key: bytes) -> KeptQuery:
    """Make the query of the labels, which is started again when it fails."""
    feed = labels_feed(arguments, labels)

    def begin() -> StreamingQuery:
        mappings = read_mappings(spark, feed)
        query = start(spark, feed, key, mappings)
        print_line(progress.labels_ready_line(shown(feed, key), mappings.by_prefix, mappings.digest))
        return query

    def report(error: Exception, retry_seconds: float) -> None:
        at_ms = round(time.time() * 1000)
        print_line(progress.labels_failed_line(error, retry_seconds, at_ms, arguments.metrics_namespace))

    return KeptQuery(begin, report)


def rereadings_of(
    spark: SparkSession, arguments: Arguments, key: bytes, payments: Feed, mappings: PrefixMappings
) -> list[Rereading]:
    """Make what reads replaced files, of payments and of labels. A failure ends the job with payments, and is reported with labels."""

    def end(error: Exception) -> None:
        raise error

    def report(error: Exception) -> None:
        at_ms = round(time.time() * 1000)
        print_line(progress.labels_failed_line(error, LOOK_SECONDS, at_ms, arguments.metrics_namespace))

    found = [Rereading(spark, payments, lambda feed: start(spark, feed, key, mappings), end)]
    if arguments.labels is not None:
        labels = labels_feed(arguments, arguments.labels)
        found.append(
            Rereading(
                spark, labels, lambda feed: start(spark, feed, key, read_mappings(spark, labels)), report
            )
        )
    return found


def read_mappings(spark: SparkSession, feed: Feed) -> PrefixMappings:
    """Read the mappings, once a start: a changed mapping applies from the next start on.

    Raises
    ------
    MappingError
        Where one of them cannot be used. The query then does not start: files read without their mapping would be misread.
    AnalysisException
        Where their folder does not exist.
    """
    landing = files.qualified(spark, feed.landing_path)
    if feed.mappings_path is None:
        return PrefixMappings(landing)
    documents = files.read_documents(spark, feed.mappings_path)
    return parse_mappings(documents, files.qualified(spark, feed.mappings_path), landing, feed.kind)


def start(spark: SparkSession, feed: Feed, key: bytes, mappings: PrefixMappings) -> StreamingQuery:
    """Start the query of one kind of files.

    It is one query with two sinks, not a query for each: files are listed, read and cleaned once, and the records and
    refused rows of a batch are committed together.

    Parameters
    ----------
    spark : SparkSession
        The session; the caller configures its master, Kafka connector and file systems.
    feed : Feed
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
        files.names_in(spark, feed.below_checkpoint(pins.FOLDER)),
        files.names_in(spark, feed.below_checkpoint(pins.COMMITS)),
        mappings.digest,
    )
    landed = files.landed_files(spark, feed.landing_path, feed.max_files_per_trigger)
    writer = (
        landed.writeStream.queryName(feed.query_name)
        .option("checkpointLocation", feed.checkpoint_path)
        .foreachBatch(lambda batch, batch_id: process_batch(batch, batch_id, feed, key, mappings))
    )
    if feed.replaced:
        return writer.trigger(availableNow=True).start()
    return writer.trigger(processingTime=feed.trigger_interval).start()


def process_batch(landed: DataFrame, batch_id: int, feed: Feed, key: bytes, mappings: PrefixMappings) -> None:
    """Read, clean and write the files of one batch, and print its counts. The checkpoint advances after this returns.

    Parameters
    ----------
    landed : DataFrame
        Files, as :func:`glue_scripts.files.landed_files` streams them.
    batch_id : int
        The query's number for it.
    feed : Feed
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
        cleaned = transforms.clean_lines(files.read_lines(spark, paths), key, mappings, feed.cleaners)
        counts = write(spark, cleaned, pins.Pin(batch_id, mappings.digest), feed)
    except files.READ_ERRORS:
        unreadable = files.unreadable_files(spark, paths)
        if not unreadable:
            raise  # no file is the cause; perhaps the broker
        gone = {file.file for file in unreadable if file.reason == files.GONE}
        cleaned = transforms.unreadable_rows(spark, unreadable, key)
        if left := [path for path in paths if path not in gone]:
            lines = files.read_lines(spark, left, forgive=True)
            cleaned = cleaned.union(transforms.clean_lines(lines, key, mappings, feed.cleaners))
        counts = write(spark, cleaned, pins.Pin(batch_id, mappings.digest), feed)
    duration_ms = round((time.monotonic() - began) * 1000)
    at_ms = round(time.time() * 1000)
    print_line(feed.batch_line(batch_id, counts, duration_ms, at_ms, feed.replaced))


def write(spark: SparkSession, cleaned: DataFrame, pin: pins.Pin, feed: Feed) -> progress.Counts:
    """Write cleaned rows to both sinks, the bad ones first; nothing is written if a file cannot be read."""
    cleaned.persist()
    try:
        counts = transforms.counts(cleaned)
        # After the rows are cleaned: a batch that no sink has seen may be read by other mappings at its next try.
        is_repeat = not pin_mappings(spark, pin, feed)
        if counts.quarantined:
            path = quarantine_batch_path(spark, feed, pin.batch_id)
            transforms.refused(cleaned).write.mode("overwrite").json(path)
        elif is_repeat:
            # The first try can have refused rows that this one publishes, such as those of a file that was unreadable.
            files.remove(spark, quarantine_batch_path(spark, feed, pin.batch_id))
        if counts.published or counts.canaries:
            feed.deliver(cleaned)
    finally:
        cleaned.unpersist()
    return counts


def publish(cleaned: DataFrame, arguments: Arguments) -> None:
    """Write the good rows to the topic."""
    transforms.records(cleaned, arguments.topic).write.format("kafka").options(
        **{"kafka.bootstrap.servers": arguments.kafka_bootstrap_servers, **arguments.kafka_options}
    ).save()


def send(cleaned: DataFrame, queue_url: str) -> None:
    """Send the good rows to the labels queue.

    The driver sends: a worker that waits for the queue would keep payments waiting for its slot.
    """
    messages = cleaned.where("record is not null").select("record")
    if (parts := messages.count() // ROWS_IN_DRIVER + 1) > 1:
        messages = messages.repartition(parts)
    send_rows(queue_url, messages.toLocalIterator())


def pin_mappings(spark: SparkSession, pin: pins.Pin, feed: Feed) -> bool:
    """Note the mappings of a batch, and forget those of the batches before it; False where an earlier try noted them."""
    folder = feed.below_checkpoint(pins.FOLDER)
    if not files.create_empty(spark, f"{folder}/{pin.name}"):
        return False
    for name in pins.outdated(files.names_in(spark, folder), pin.batch_id):
        files.remove(spark, f"{folder}/{name}")
    return True


def quarantine_batch_path(spark: SparkSession, feed: Feed, batch_id: int) -> str:
    """Name the folder of a batch's refused rows.

    Every new checkpoint numbers its batches from 0, so the id of the checkpoint comes first: a job with a new checkpoint must
    not overwrite what the job before it quarantined.
    """
    metadata = spark.read.text(feed.below_checkpoint("metadata")).first()
    if metadata is None:
        raise RuntimeError(f"{feed.checkpoint_path}: the checkpoint has no metadata")
    checkpoint_id = json.loads(metadata["value"])["id"]
    return f"{feed.quarantine_path.rstrip('/')}/checkpoint_id={checkpoint_id}/batch_id={batch_id}"


def shown(feed: Feed, key: bytes) -> str:
    """Write a landing path without card numbers; a mapping's prefix that holds one is refused before."""
    return CardTokens(key).replace(feed.landing_path)


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
