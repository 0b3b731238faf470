"""What every store holds after a run, read from the stores themselves, not from counters."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any, Final

import msgspec
from confluent_kafka import Consumer, TopicPartition

from contract.alert import Alert, AlertDigest, decode_message
from contract.alert_windows import WINDOWS_TABLE, UserWindows, from_windows_item
from contract.flagged import FLAGGED_TABLE, FlaggedTransaction, from_flagged_item
from contract.scored import HISTORY_TABLE, ScoredTransaction, from_history_item
from local.resources import ALERT_INBOX, INGESTION_QUARANTINE_PREFIX, dead_letter_name
from local.stack.parts import read_ingestion
from ops.manifests import read_functions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stack import Stack

READ_SECONDS: Final = 30.0
"""How long the topic may take to return its next record."""

_TRANSACTION_ID = msgspec.json.Decoder(dict[str, Any])


class DeliveredAlert(msgspec.Struct, frozen=True):
    """One message that a subscriber of the alert topic received."""

    alert: Alert
    delivered_at_ms: int
    """When it was put into the subscriber's queue, ms since the epoch."""


class FinalState(msgspec.Struct, frozen=True, kw_only=True):
    """The contents of every store after a run."""

    landed_bad: tuple[dict[str, Any], ...]
    """Rows that the Glue job quarantined, as it wrote them."""
    refunds: int = 0
    """Rows that the Glue job counted as refunds; they are in no store."""
    topic_ids: tuple[str | None, ...]
    """Transaction id of each record of the topic; None where no id can be read."""
    history: tuple[ScoredTransaction, ...]
    quarantined: tuple[dict[str, Any], ...]
    """Bodies in the quarantine queue, one for each position."""
    flagged: tuple[FlaggedTransaction, ...]
    delivered: tuple[DeliveredAlert, ...]
    digests: tuple[AlertDigest, ...] = ()
    """Digests that a subscriber received, copies included."""
    waiting: tuple[UserWindows, ...] = ()
    """The users' alert windows, with what waits for their next message."""
    dead_letters: int


def read_final_state(stack: Stack) -> FinalState:
    """Read every store of an idle stack.

    Parameters
    ----------
    stack : Stack
        Running, with no work left. Messages are received from its queues, and so are no longer visible there.

    Returns
    -------
    FinalState
        In no particular order within each store.
    """
    queues = stack.resources.queues
    sqs = stack.client("sqs")
    quarantined = {}
    for message in _drain(sqs, queues["quarantine"]):
        body = msgspec.json.decode(message["Body"])
        quarantined[body["topic"], body["partition"], body["offset"]] = body
    dead_letters = sum(1 for name in read_functions() for _ in _drain(sqs, queues[dead_letter_name(name)]))
    dynamodb, tables = stack.client("dynamodb"), stack.resources.tables
    # The windows before the messages: a digest that is sent between the two is then in both, and under one id.
    waiting = tuple(from_windows_item(item) for item in _scan(dynamodb, tables[WINDOWS_TABLE]))
    messages = [_received(message) for message in _drain(sqs, queues[ALERT_INBOX])]
    return FinalState(
        landed_bad=tuple(_landed_bad(stack)),
        refunds=read_ingestion(stack.log_dir).refunds,
        topic_ids=tuple(_topic_ids(stack)),
        history=tuple(from_history_item(item) for item in _scan(dynamodb, tables[HISTORY_TABLE])),
        quarantined=tuple(quarantined.values()),
        flagged=tuple(from_flagged_item(item) for item in _scan(dynamodb, tables[FLAGGED_TABLE])),
        delivered=tuple(DeliveredAlert(one, at_ms) for one, at_ms in messages if isinstance(one, Alert)),
        digests=tuple(one for one, _ in messages if isinstance(one, AlertDigest)),
        waiting=waiting,
        dead_letters=dead_letters,
    )


def _scan(dynamodb: Any, table: str) -> Iterator[dict[str, Any]]:
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]


def _drain(sqs: Any, queue_url: str) -> Iterator[dict[str, Any]]:
    while messages := sqs.receive_message(
        QueueUrl=queue_url,
        MaxNumberOfMessages=10,
        VisibilityTimeout=600,
        MessageSystemAttributeNames=["SentTimestamp"],
    ).get("Messages"):
        yield from messages


def _received(message: dict[str, Any]) -> tuple[Alert | AlertDigest, int]:
    notification = msgspec.json.decode(message["Body"])
    return decode_message(notification["Message"]), int(message["Attributes"]["SentTimestamp"])


def _landed_bad(stack: Stack) -> Iterator[dict[str, Any]]:
    s3, bucket = stack.client("s3"), stack.resources.buckets["quarantine"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=INGESTION_QUARANTINE_PREFIX)
    for page in pages:
        for entry in page.get("Contents", []):
            body = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
            yield from (msgspec.json.decode(line) for line in body.split(b"\n") if line.strip())


def _topic_ids(stack: Stack) -> Iterator[str | None]:
    consumer = Consumer(
        {
            "bootstrap.servers": stack.bootstrap_servers,
            "group.id": "demo-final-state",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
    try:
        for topic in stack.resources.kafka_topics:
            partitions = consumer.list_topics(topic, READ_SECONDS).topics[topic].partitions
            ends = {}
            for partition in partitions:
                low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), READ_SECONDS)
                if high > low:
                    ends[partition] = high
            consumer.assign([TopicPartition(topic, partition, 0) for partition in ends])
            while ends:
                message = consumer.poll(READ_SECONDS)
                if message is None:
                    return  # the report names what is missing
                yield _transaction_id(message.value())
                if (message.offset() or 0) + 1 >= ends.get(partition := message.partition() or 0, 0):
                    ends.pop(partition, None)
    finally:
        consumer.close()


def _transaction_id(value: bytes | None) -> str | None:
    try:
        found = _TRANSACTION_ID.decode(value or b"").get("transaction_id")
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return found if isinstance(found, str) else None


def quarantined_id(body: dict[str, Any]) -> str | None:
    """Transaction id in a quarantine message; None where its record has none that can be read."""
    value = body.get("value_base64")
    return None if value is None else _transaction_id(b64decode(value))
