"""A Kafka batch as Lambda delivers it, split into valid payments and rejected records; none is lost."""

from __future__ import annotations

from binascii import a2b_base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NotRequired, TypedDict

import msgspec

from contract.canary import CANARY_HEADER, CANARY_HEADER_VALUE, check_user
from contract.clock import EPOCH, MILLISECOND, TRUSTED_FEED_HEADER, TRUSTED_FEED_VALUE, times_of
from contract.errors import InvalidTransactionError
from contract.scored import Position
from contract.transaction import decode_transaction
from engine.profile.facts import PaymentFacts

if TYPE_CHECKING:
    from collections.abc import Iterable

_TRUSTED: Final = list(TRUSTED_FEED_VALUE)
_OF_TRUSTED_FEED: Final = [{TRUSTED_FEED_HEADER: _TRUSTED}]
"""The headers of the ingestion job's records."""
_CANARY: Final = list(CANARY_HEADER_VALUE)
_LAST_MS: Final = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MILLISECOND


class KafkaRecord(TypedDict):
    """One record of the event; keys and values are base64."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    """When the broker appended it, or, if the topic is configured so, the time that the producer set. ms since the epoch."""
    timestampType: str
    key: NotRequired[str | None]
    value: NotRequired[str | None]
    headers: NotRequired[list[dict[str, list[int] | None]] | None]


class KafkaEvent(TypedDict):
    """The event of a Kafka event source mapping: records by ``topic-partition``."""

    eventSource: str
    eventSourceArn: NotRequired[str]
    records: dict[str, list[KafkaRecord]]


class KafkaItemIdentifier(TypedDict):
    """One record of a Kafka batch, as a partial batch response names it."""

    partition: str
    """``topic-partition``."""
    offset: int


class BatchItemFailure(TypedDict):
    """One record to be delivered again; Lambda delivers the later ones of its partition again, too."""

    itemIdentifier: KafkaItemIdentifier


class PartialBatchResponse(TypedDict):
    """The answer to Lambda's event source mapping."""

    batchItemFailures: list[BatchItemFailure]


class Delivery(msgspec.Struct, frozen=True):
    """A valid payment and its place in Kafka."""

    facts: PaymentFacts
    position: Position
    appended_at_ms: int
    is_key_mismatch: bool
    """The record's key is not the payment's user. The payment is scored by its user all the same."""

    @property
    def appended_at(self) -> datetime:
        """When Kafka appended the record, UTC, to the millisecond."""
        return EPOCH + self.appended_at_ms * MILLISECOND

    @property
    def user_id(self) -> str:
        """The payment's user."""
        return self.facts.transaction.user_id


class Rejected(msgspec.Struct, frozen=True):
    """A record that is not a valid payment: the whole record, with the reason."""

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

    def done_to(self, failed: Iterable[Position]) -> int:
        """The offset before the first failed one; the last one where none failed."""
        offsets = [p.offset for p in failed if (p.topic, p.partition) == (self.topic, self.partition)]
        return min(offsets) - 1 if offsets else self.last


class Batch(msgspec.Struct):
    """One event, split into valid payments and rejected records."""

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
        Each record is in ``deliveries`` or in ``rejected``, in the order of the event.
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
    """Name the records to be delivered again, in the order of their positions; an empty list is full success."""
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
        transaction = decode_transaction(value)
        is_canary, is_trusted = _declared(record)
        check_user(transaction, is_declared=is_canary)
    except InvalidTransactionError as error:
        batch.rejected.append(Rejected(position, appended_at_ms, error.field, error.problem, key, value))
        return
    is_key_mismatch = key is not None and key != transaction.user_id.encode()
    times = times_of(transaction.timestamp, appended_at_ms, is_trusted=is_trusted)
    facts = PaymentFacts.of(transaction, times)
    batch.deliveries.append(Delivery(facts, position, appended_at_ms, is_key_mismatch))


def _declared(record: KafkaRecord) -> tuple[bool, bool]:
    """Whether headers of the record declare it a canary's, and its feed trusted.

    Lambda gives a header's value as a list of bytes, signed ones or not, and null for none. Whoever may produce can send any.
    """
    headers = record.get("headers")
    if not headers:  # as those of most producers
        return False, False
    if headers == _OF_TRUSTED_FEED:
        return False, True
    sent = [each for header in headers for each in header.items()]
    return (CANARY_HEADER, _CANARY) in sent, (TRUSTED_FEED_HEADER, _TRUSTED) in sent


def _appended_at_ms(timestamp: int, now: datetime) -> int:
    """When the record was appended, ms since the epoch; ``now`` where its timestamp is no date.

    Only a topic that keeps its producers' times has such a record; ours has the broker's. It does not make the payment invalid.
    """
    return timestamp if 0 <= timestamp <= _LAST_MS else (now - EPOCH) // MILLISECOND


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else a2b_base64(text)
