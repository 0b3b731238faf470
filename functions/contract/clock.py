"""Which time of a payment is believed, and the clock that follows from it.

The sender's event time is a claim; the time at which the broker appended the record is ours. A payment's clock is its append time.
It is the event time only where a header of the record, set by the ingestion job, says that the feed is trusted: batch files and
backfills. Velocity and the expiry of list entries go by the clock. Habits and travel go by the event time where it is near the
append time, else by the clock. An absurd time makes no payment invalid: it is not believed, and the payment is scored.

All of this is a function of the record and its append time, so that a redelivery decides as the first try did.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

Instant = Annotated[datetime, Meta(tz=True)]
"""A moment in UTC."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND: Final = timedelta(milliseconds=1)

_ENCODER: Final = msgspec.json.Encoder()

MAX_AHEAD_MS: Final = 10 * 60_000
"""How far an event time may be ahead of the append time and still be believed: a terminal's clock that is a little wrong.

This and :data:`MAX_BEHIND_MS` are constants, not settings: the row's key depends on them, and must not change between two tries.
"""

MAX_BEHIND_MS: Final = 24 * 3_600_000
"""How far it may be behind: a terminal that was offline for a day."""

TRUSTED_FEED_HEADER: Final = "trusted-feed"
"""Name of the record header that declares a feed trusted. The ingestion job sets it; nothing inside a payment can."""

TRUSTED_FEED_VALUE: Final = b"1"
"""Its value."""


class TimeBasis(StrEnum):
    """Which time a payment's clock, habits and row key follow. Stored with each row."""

    TRUSTED = "t"
    """The event time, for all purposes: the feed is trusted."""
    BELIEVED = "b"
    """The clock is the append time; habits, travel and the row's key follow the event time, which is near it."""
    APPENDED = "a"
    """The append time, for all purposes: the event time is too far from it."""


class Times(msgspec.Struct, frozen=True):
    """The times of one payment."""

    basis: TimeBasis
    clock_ms: int
    """For velocity and expiry, ms since the epoch."""
    at_ms: int
    """For habits, travel and the row's key, whole ms since the epoch, rounded down: 23:59:59.9996 is not the next day."""
    at: datetime
    """The same, UTC, with the microseconds that an event time may have."""
    delay_ms: int
    """From the event time to the append time; negative for an event time ahead of it, 0 for a trusted feed."""


def times_of(event_at: datetime, appended_at_ms: int, *, is_trusted: bool) -> Times:
    """Decide which time of a payment is believed.

    Parameters
    ----------
    event_at : datetime
        The sender's event time, UTC.
    appended_at_ms : int
        When the broker appended the record, ms since the epoch.
    is_trusted : bool
        Whether the feed is declared trusted.
    """
    event_ms = (event_at - EPOCH) // MILLISECOND
    delay_ms = appended_at_ms - event_ms
    if event_ms < 0 or delay_ms < -MAX_AHEAD_MS:  # before 1970, or ahead of the clock
        basis = TimeBasis.APPENDED
    elif is_trusted:
        basis = TimeBasis.TRUSTED
    else:
        basis = TimeBasis.BELIEVED if delay_ms <= MAX_BEHIND_MS else TimeBasis.APPENDED
    return _times(basis, event_at, event_ms, appended_at_ms)


def times_on(basis: TimeBasis, event_at: datetime, appended_at_ms: int) -> Times:
    """The times of a payment whose basis is known, such as that of a stored row."""
    return _times(basis, event_at, (event_at - EPOCH) // MILLISECOND, appended_at_ms)


def _times(basis: TimeBasis, event_at: datetime, event_ms: int, appended_at_ms: int) -> Times:
    if basis is TimeBasis.TRUSTED:
        return Times(basis, event_ms, event_ms, event_at, 0)
    if basis is TimeBasis.BELIEVED:
        return Times(basis, appended_at_ms, event_ms, event_at, appended_at_ms - event_ms)
    appended_at = EPOCH + appended_at_ms * MILLISECOND
    return Times(basis, appended_at_ms, appended_at_ms, appended_at, appended_at_ms - event_ms)


def time_text(at: datetime) -> str:
    """A time in UTC, RFC 3339, always 27 characters, so that text order is time order."""
    # msgspec takes a tenth of the time of `isoformat`, and leaves out microseconds that are 0.
    text = _ENCODER.encode(at)[1:-2].decode()
    return f"{text}Z" if at.microsecond else f"{text}.000000Z"


TIME_CHARACTERS: Final = 27
"""Of :func:`time_text`, with which a row's key begins."""


def event_key(at: datetime, content_mark: str, transaction_id: str) -> str:
    """Sort key in ``transaction_history``: ``<believed time>.<content mark>#<transaction id>``.

    The mark (:attr:`contract.transaction.Transaction.content_mark`) distinguishes payments that a sender gives one id and one time:
    1 USD and 9,900 USD, or two payees, are two payments with a row each.

    >>> event_key(datetime(2026, 3, 1, 12, tzinfo=UTC), "hJ2c9Xl0aQs", "t-1")
    '2026-03-01T12:00:00.000000Z.hJ2c9Xl0aQs#t-1'
    """
    return f"{time_text(at)}.{content_mark}#{transaction_id}"


def parse_event_key(key: str) -> tuple[datetime, str]:
    """Believed time (UTC) and transaction id of a row's key, with or without a content mark; ValueError if it is something else."""
    at, separator, transaction_id = key.partition("#")
    if not separator:
        raise ValueError("no '#'")
    return datetime.fromisoformat(at[:TIME_CHARACTERS]).astimezone(UTC), transaction_id


def has_content_mark(key: str) -> bool:
    """Whether a row's key says what is paid."""
    return key[TIME_CHARACTERS : TIME_CHARACTERS + 1] == "."
