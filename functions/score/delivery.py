"""A Kafka batch as Lambda hands it over, turned into valid payments and rejected records, none lost."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NotRequired, TypedDict

import msgspec

from contract.errors import InvalidTransactionError
from contract.scored import Position
from contract.transaction import decode_transaction
from engine.profile.profile import EPOCH, MILLISECOND, PaymentFacts

if TYPE_CHECKING:
    from collections.abc import Iterable

_LAST_MS: Final = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MILLISECOND


class KafkaRecord(TypedDict):
    """One record of the event; keys and values are base64."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    """When the broker took it; where the topic is set to it, what the producer said. ms since the epoch."""
    timestampType: str
    key: NotRequired[str | None]
    value: NotRequired[str | None]
    headers: NotRequired[list[dict[str, list[int]]]]


class KafkaEvent(TypedDict):
    """What an event source mapping for Kafka sends: records by ``topic-partition``."""

    eventSource: str
    records: dict[str, list[KafkaRecord]]


class KafkaItemIdentifier(TypedDict):
    """One record of a Kafka batch, as partial batch responses name it."""

    partition: str
    """``topic-partition``."""
    offset: int


class BatchItemFailure(TypedDict):
    """One record to be delivered again; those behind it on its partition come with it."""

    itemIdentifier: KafkaItemIdentifier


class PartialBatchResponse(TypedDict):
    """What Lambda's event source mapping reads."""

    batchItemFailures: list[BatchItemFailure]


class Delivery(msgspec.Struct, frozen=True):
    """A valid payment and where it stood."""

    facts: PaymentFacts
    position: Position
    appended_at_ms: int
    is_key_mismatch: bool
    """The record's key was not the payment's user; it is scored by its user all the same."""

    @property
    def appended_at(self) -> datetime:
        """When Kafka took the record, UTC, to the millisecond."""
        return EPOCH + timedelta(milliseconds=self.appended_at_ms)

    @property
    def user_id(self) -> str:
        """Whose payment it is."""
        return self.facts.transaction.user_id


class Rejected(msgspec.Struct, frozen=True):
    """A record that is not a valid payment, whole, with the reason."""

    position: Position
    appended_at_ms: int
    field: str
    problem: str
    key: bytes | None
    value: bytes | None


class Span(msgspec.Struct):
    """The offsets of one partition in a batch."""

    topic: str
    partition: int
    first: int
    last: int


class Batch(msgspec.Struct):
    """One delivery of the event source mapping, sorted out."""

    deliveries: list[Delivery]
    rejected: list[Rejected]
    spans: list[Span]


def read_batch(event: KafkaEvent, now: datetime) -> Batch:
    """Decode and validate every record of an event.

    Parameters
    ----------
    event : KafkaEvent
        As Lambda delivers it; records of one partition in ascending offsets.
    now : datetime
        The clock, aware.

    Returns
    -------
    Batch
        Each record is either among ``deliveries`` or among ``rejected``, in the order of the event.
    """
    batch = Batch([], [], [])
    for records in event["records"].values():
        if not records:
            continue
        batch.spans.append(
            Span(records[0]["topic"], records[0]["partition"], records[0]["offset"], records[-1]["offset"])
        )
        for record in records:
            _read_record(record, now, batch)
    return batch


def failure_response(failed: Iterable[Position]) -> PartialBatchResponse:
    """Name the records to be delivered again, in the order of their positions; none is full success."""
    return {
        "batchItemFailures": [
            {
                "itemIdentifier": {
                    "partition": f"{position.topic}-{position.partition}",
                    "offset": position.offset,
                }
            }
            for position in sorted(failed)
        ]
    }


def _read_record(record: KafkaRecord, now: datetime, batch: Batch) -> None:
    position = Position(record["topic"], record["partition"], record["offset"])
    key, value = _bytes(record.get("key")), _bytes(record.get("value"))
    appended_at_ms = _appended_at_ms(record["timestamp"], now)
    try:
        if value is None:
            raise InvalidTransactionError("$", "null value")
        transaction = decode_transaction(value, now)
    except InvalidTransactionError as error:
        batch.rejected.append(Rejected(position, appended_at_ms, error.field, error.problem, key, value))
        return
    is_key_mismatch = key is not None and key != transaction.user_id.encode()
    batch.deliveries.append(Delivery(PaymentFacts.of(transaction), position, appended_at_ms, is_key_mismatch))


def _appended_at_ms(timestamp: int, now: datetime) -> int:
    """When the record came, ms since the epoch; the clock's time where the record does not say a time.

    A producer may set any 64 bits as its record's time, microseconds for one; the payment is no worse for it.
    """
    return timestamp if 0 <= timestamp <= _LAST_MS else (now - EPOCH) // MILLISECOND


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text)
