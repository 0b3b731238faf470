"""Kafka events as an event source mapping sends them to the score stage."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import msgspec

from contract.clock import EPOCH, MILLISECOND, TRUSTED_FEED_HEADER, TRUSTED_FEED_VALUE
from contract.scored import Position
from contract.transaction import encode_transaction
from score.delivery import KafkaEvent
from tests.support.payments import NOW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contract.transaction import Transaction

TOPIC = "transaction_stream"


APPENDED_AT_MS = round(NOW.timestamp() * 1000) - 500
TRUSTED_HEADERS: list[dict[str, list[int] | None]] = [{TRUSTED_FEED_HEADER: list(TRUSTED_FEED_VALUE)}]
"""As Lambda gives the header that declares a feed trusted."""


def make_event(
    records: Sequence[tuple[Position, bytes | None]],
    key: bytes | None = None,
    *,
    appended_at_ms: Sequence[int] | None = None,
    is_trusted: Sequence[bool] | None = None,
) -> KafkaEvent:
    """The event of an event source mapping for these records, each with the same key.

    ``appended_at_ms`` and ``is_trusted`` are as long as ``records``, in their order.
    """
    event: KafkaEvent = {"eventSource": "aws:kafka", "records": {}}
    for place, (position, value) in enumerate(records):
        event["records"].setdefault(f"{position.topic}-{position.partition}", []).append(
            {
                "topic": position.topic,
                "partition": position.partition,
                "offset": position.offset,
                "timestamp": APPENDED_AT_MS if appended_at_ms is None else appended_at_ms[place],
                "timestampType": "LOG_APPEND_TIME",
                "key": None if key is None else b64encode(key).decode(),
                "value": None if value is None else b64encode(value).decode(),
                "headers": TRUSTED_HEADERS if is_trusted is not None and is_trusted[place] else [],
            }
        )
    return event


def event_of(*transactions: Transaction, partition: int = 0, first_offset: int = 0) -> KafkaEvent:
    """An event with these payments at successive offsets of one partition; each arrived half a second after its event time."""
    return make_event(
        [
            (Position(TOPIC, partition, first_offset + place), encode_transaction(transaction))
            for place, transaction in enumerate(transactions)
        ],
        appended_at_ms=[
            max((transaction.timestamp - EPOCH) // MILLISECOND + 500, 0) for transaction in transactions
        ],
    )


def with_offset(event: KafkaEvent, offset: int) -> KafkaEvent:
    """The same records, beginning at another offset."""
    copy: KafkaEvent = msgspec.json.decode(msgspec.json.encode(event), type=KafkaEvent)
    for records in copy["records"].values():
        for place, record in enumerate(records):
            record["offset"] = offset + place
    return copy
