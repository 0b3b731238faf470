"""Rows that follow from labels: labelled payments by entity and by day, and labels whose work is not finished."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from zlib import crc32

import msgspec

from contract.clock import TIME_CHARACTERS, Instant, time_text
from contract.errors import InvalidRowError
from contract.label_message import content_hash, encode_label_message

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from contract.label import IdentifiedLabel

ENTITY_RISK_TABLE: Final = "entity_risk"
PENDING_LABELS_TABLE: Final = "pending_labels"

FRAUD: Final = "f"
"""How the key of a payment begins that was called fraud,"""
HONEST: Final = "h"
"""and of one that was called legitimate."""

DUE_INDEX: Final = "by_due"
DUE_SHARDS: Final = 4
"""In how many partitions of the index the unfinished labels are. One takes 1,000 write units a second."""

FIRST_RETRY: Final = timedelta(hours=1)
"""After which a label that matches no payment is tried again for the first time."""
FIRST_COPY_RETRY: Final = timedelta(minutes=5)
"""The same of one whose copies the cache did not take, and of one from the console that may have not reached the queue."""
LONGEST_RETRY: Final = timedelta(days=1)
"""The longest time between two tries."""

PENDING_ATTRIBUTE: Final = "pending"
"""Attribute of a message on the labels queue: of a label that has waited and is sent again."""

_DAY: Final = "day#"


class EntityMarks(NamedTuple):
    """What the labelled payments of an entity say about it, as far as it is used."""

    frauds: tuple[datetime, ...]
    """Times of the newest payments that count as fraud, UTC, ascending."""
    honest: datetime | None
    """Time of the newest one that counts as legitimate."""
    known_at: datetime | None
    """When the newest label of these became known."""


def payment_key(kind: str, at: datetime, key_hash: int) -> str:
    """Sort key of a labelled payment.

    Parameters
    ----------
    kind : str
        :data:`FRAUD` or :data:`HONEST`.
    at : datetime
        The payment's time, UTC.
    key_hash : int
        64 bits in place of its row's key in the history.

    Examples
    --------
    >>> from datetime import UTC
    >>> payment_key("f", datetime(2026, 3, 1, 12, tzinfo=UTC), 255)
    'f#2026-03-01T12:00:00.000000Z#00000000000000ff'
    """
    return f"{kind}#{time_text(at)}#{key_hash:016x}"


def day_id(day: date) -> str:
    """Partition of the frauds of one day, in UTC; no entity's id has such a form."""
    return f"{_DAY}{day.isoformat()}"


def is_day(partition: str) -> bool:
    """Whether a partition is one of :func:`day_id`, and not an entity's."""
    return partition.startswith(_DAY)


def marks_of(rows: Iterable[Mapping[str, Any]]) -> EntityMarks:
    """Read rows of one entity in DynamoDB's wire form; InvalidRowError names the attribute that cannot be read."""
    frauds: list[datetime] = []
    honest: list[datetime] = []
    known: list[datetime] = []
    for row in rows:
        kind, _, at = _text(row, "payment_key").partition("#")
        times = frauds if kind == FRAUD else honest
        times.append(_time("payment_key", at[:TIME_CHARACTERS]))
        known.append(_time("known_at", _text(row, "known_at")))
    return EntityMarks(tuple(sorted(frauds)), max(honest, default=None), max(known, default=None))


class Unfinished(StrEnum):
    """Why a label waits."""

    NO_PAYMENT = "no_payment"
    """No payment matches."""
    NO_FLAGGED_ROW = "no_flagged_row"
    """The payment is to be flagged, and has no flagged row."""
    NO_CACHE = "no_cache"
    """The cache did not take the copies."""
    NOT_SENT = "not_sent"
    """It was given in the console, and may have not reached the queue."""

    @property
    def problem(self) -> str:
        """What is wrong where it has waited for too long."""
        return _PROBLEMS[self]

    @property
    def first_retry(self) -> timedelta:
        """How long it waits at first."""
        return FIRST_COPY_RETRY if self in _RETRIED_SOON else FIRST_RETRY


_RETRIED_SOON: Final = frozenset({Unfinished.NO_CACHE, Unfinished.NOT_SENT})

_PROBLEMS: Final = {
    Unfinished.NO_PAYMENT: "no payment matches it and the other fields that name the payment",
    Unfinished.NO_FLAGGED_ROW: "the label is stored, but its payment has no row in flagged_transactions to set the status of",
    Unfinished.NO_CACHE: "the label is stored, but the cache takes no copies",
    Unfinished.NOT_SENT: "the label was given in the console, and the label stage has not got it",
}


class PendingLabel(msgspec.Struct, frozen=True, kw_only=True):
    """One row of ``pending_labels``; the fields are its attributes."""

    pending_id: str
    """Hash of the message (:func:`contract.label_message.content_hash`)."""
    message: str
    """The message as JSON, with ``label_id`` and ``known_at``."""
    reason: Unfinished
    """Of the latest try."""
    first_at: Instant
    """When it was tried first."""
    due_at: Instant
    """When it is to be sent again."""
    due_shard: int
    """Its partition in the index: :func:`due_shard`."""


def unfinished(message: IdentifiedLabel, reason: Unfinished, now: datetime) -> PendingLabel:
    """Make the row of a label whose work is not finished.

    Parameters
    ----------
    message : IdentifiedLabel
        As it is sent; its row is the same at each try.
    reason : Unfinished
        Why it waits.
    now : datetime
        The clock, UTC.
    """
    pending_id = content_hash(message)
    return PendingLabel(
        pending_id=pending_id,
        message=encode_label_message(message).decode(),
        reason=reason,
        first_at=now,
        due_at=now + reason.first_retry,
        due_shard=due_shard(pending_id),
    )


def due_shard(pending_id: str) -> int:
    """Partition of an unfinished label in the index, 0 to :data:`DUE_SHARDS` - 1."""
    return crc32(pending_id.encode()) % DUE_SHARDS


def next_due(first_at: datetime, now: datetime) -> datetime:
    """When a label that is sent again now is due the next time: the time it has waited is doubled, up to a day's wait."""
    return now + min(max(now - first_at, FIRST_COPY_RETRY), LONGEST_RETRY)


def _text(row: Mapping[str, Any], attribute: str) -> str:
    try:
        text: str = row[attribute]["S"]
    except (KeyError, TypeError) as error:
        raise InvalidRowError(ENTITY_RISK_TABLE, attribute, "missing, or not of type S") from error
    return text


def _time(attribute: str, text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidRowError(ENTITY_RISK_TABLE, attribute, "cannot be read") from error
