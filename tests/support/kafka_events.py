"""Kafka events as an event source mapping sends them to the score stage."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import msgspec

from contract.scored import Position
from contract.transaction import encode_transaction
from score.delivery import KafkaEvent
from tests.support.payments import NOW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contract.transaction import Transaction

TOPIC = "transaction_stream"


def make_event(records: Sequence[tuple[Position, bytes | None]], key: bytes | None = None) -> KafkaEvent:
    """The event of an event source mapping for these records, each with the same key."""
    event: KafkaEvent = {"eventSource": "aws:kafka", "records": {}}
    for position, value in records:
        event["records"].setdefault(f"{position.topic}-{position.partition}", []).append(
            {
                "topic": position.topic,
                "partition": position.partition,
                "offset": position.offset,
                "timestamp": round(NOW.timestamp() * 1000) - 500,
                "timestampType": "CREATE_TIME",
                "key": None if key is None else b64encode(key).decode(),
                "value": None if value is None else b64encode(value).decode(),
                "headers": [],
            }
        )
    return event


def event_of(*transactions: Transaction, partition: int = 0, first_offset: int = 0) -> KafkaEvent:
    """An event with these payments at successive offsets of one partition."""
    return make_event(
        [
            (Position(TOPIC, partition, first_offset + place), encode_transaction(transaction))
            for place, transaction in enumerate(transactions)
        ]
    )


def with_offset(event: KafkaEvent, offset: int) -> KafkaEvent:
    """The same records, beginning at another offset."""
    copy: KafkaEvent = msgspec.json.decode(msgspec.json.encode(event), type=KafkaEvent)
    for records in copy["records"].values():
        for place, record in enumerate(records):
            record["offset"] = offset + place
    return copy
