"""A Kafka message as one record of Lambda's event, and as what an event filter sees of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME

from local.event_sources.records import QueueKey, SourceRecord

if TYPE_CHECKING:
    from confluent_kafka import Message


class _KafkaRecord(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One record of the event. Lambda leaves out a null key or value, and so does this; msgspec writes bytes as base64."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    timestampType: str  # noqa: N815 - Lambda's name
    key: bytes | None = None
    value: bytes | None = None
    headers: list[dict[str, list[int]]]


def to_source_record(message: Message, queue: QueueKey) -> SourceRecord:
    """Make a record of the event."""
    kind, timestamp_ms = message.timestamp()
    offset = cast("int", message.offset())
    document = msgspec.json.encode(
        _KafkaRecord(
            topic=cast("str", message.topic()),
            partition=cast("int", message.partition()),
            offset=offset,
            timestamp=timestamp_ms,
            timestampType="LOG_APPEND_TIME" if kind == TIMESTAMP_LOG_APPEND_TIME else "CREATE_TIME",
            key=message.key(),
            value=message.value(),
            headers=_to_headers(message),
        )
    )
    return SourceRecord(queue, offset, str(offset), timestamp_ms / 1000, document)


def _to_headers(message: Message) -> list[dict[str, list[int]]]:
    # A consumed message has a list of pairs, never a dict. The event has values as Java's bytes, -128 to 127.
    headers = cast("list[tuple[str, bytes | None]]", message.headers() or [])
    return [{name: [byte - 256 if byte > 127 else byte for byte in value or b""]} for name, value in headers]


def to_filter_input(message: Message) -> dict[str, Any]:
    """Make what an event filter is applied to."""
    return {
        "topic": message.topic(),
        "partition": message.partition(),
        "offset": message.offset(),
        "timestamp": message.timestamp()[1],
        "key": _as_json(message.key()),
        "value": _as_json(message.value()),
    }


def _as_json(data: Any) -> Any:
    """Decode a key or value: JSON if it is JSON, else text."""
    if data is None:
        return None
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return bytes(data).decode(errors="replace")
