"""What a user's messages have covered, and what waits for the next one: the row of ``alert_windows``.

The alert stage counts payments in it that get no alert of their own. Each count is reported once: by the user's next alert, or by a
digest. The index ``by_due`` finds the rows whose digest is to be sent; it is sparse, so most users are not in it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final
from zlib import crc32

import msgspec
from msgspec import Meta

from contract.alert import Severity, SuppressedPayments
from contract.clock import Instant
from contract.items import Item, from_item, to_item

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

WINDOWS_TABLE: Final = "alert_windows"

DUE_INDEX: Final = "by_due"

DUE_SHARDS: Final = 16
"""In how many partitions the index of due digests is written."""

MAX_WINDOWS: Final = 16
"""Windows of a user; the least recently used one is dropped first. They take 3 KiB of the row at most."""

MAX_RECENT: Final = 24
"""Alerts of a user that are remembered for the limit of an hour; the one sent first is dropped first."""

DIGEST_INTERVAL: Final = timedelta(hours=1)
"""The least time between two digests of a user."""

WINDOWS_RETENTION: Final = timedelta(days=30)
"""How long a user's row is stored after its last change. By the clock, and far longer than a window, so that payments replayed at
any pace still find their windows."""

Totals = dict[str, Decimal]
"""Currency to a sum in its major units."""


class Window(msgspec.Struct, frozen=True, omit_defaults=True):
    """Payments of one user that share alerts."""

    start: datetime
    """Event time of the payment that opened it."""
    severity: Severity
    """The highest that was alerted."""
    alert_id: str
    """The last alert of this window."""
    reported: Totals = {}
    """What the messages so far have reported of this window."""
    suppressed: Totals = {}
    """What no message has reported yet of this window."""


class RecentAlert(msgspec.Struct, frozen=True, omit_defaults=True):
    """An alert that was sent, for the limit of an hour."""

    appended_at_ms: int
    """When Kafka took its payment, ms since the epoch."""
    severity: Severity
    reported: Totals = {}
    """What it reported: its payment and those suppressed before."""


class ClaimedDigest(msgspec.Struct, frozen=True):
    """A digest that is to be sent; perhaps it has been."""

    payments: SuppressedPayments
    claimed_at: Instant


class UserWindows(msgspec.Struct, frozen=True, kw_only=True):
    """What one user's messages have covered."""

    user_id: str
    version: int = 0
    """How often the row was written; 0 where there is none."""
    windows: tuple[Window, ...] = ()
    """At most :data:`MAX_WINDOWS`, the most recently used last."""
    recent: tuple[RecentAlert, ...] = ()
    """At most :data:`MAX_RECENT`, in the order in which they were claimed."""
    suppressed: SuppressedPayments = SuppressedPayments()
    """Flagged since the user's last message, and in none yet."""
    digest: ClaimedDigest | None = None
    """The digest that is being sent."""
    digested_at: datetime | None = None
    """When the last digest was claimed, UTC."""
    due_at: datetime | None = None
    """When a digest is to be sent, UTC; None where nothing waits."""


class _Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    user_id: str
    version: int
    windows: Annotated[tuple[Window, ...], Meta(max_length=MAX_WINDOWS)]
    recent: Annotated[tuple[RecentAlert, ...], Meta(max_length=MAX_RECENT)] = ()
    suppressed: SuppressedPayments = SuppressedPayments()
    digest: ClaimedDigest | None = None
    digested_at: Instant | None = None
    due_at: Instant | None = None
    due_shard: int | None = None
    expires_at: int


def due_shard(user_id: str) -> int:
    """Partition of a user in the index of due digests, 0 to :data:`DUE_SHARDS` - 1."""
    return crc32(user_id.encode()) % DUE_SHARDS


def to_windows_item(windows: UserWindows, now: datetime) -> Item:
    """Write a row in DynamoDB's wire form; ``now`` is the clock, aware, from which it is kept."""
    return to_item(
        _Row(
            **msgspec.structs.asdict(windows),
            due_shard=None if windows.due_at is None else due_shard(windows.user_id),
            expires_at=int((now + WINDOWS_RETENTION).timestamp()),
        )
    )


def from_windows_item(item: Mapping[str, Any]) -> UserWindows:
    """Read a row back; ``InvalidRowError`` names the attribute that is missing or cannot be read."""
    row = from_item(WINDOWS_TABLE, item, _Row)
    return UserWindows(**{name: getattr(row, name) for name in UserWindows.__struct_fields__})


def added(*sums: Mapping[str, Decimal]) -> Totals:
    """Add sums, currency by currency.

    >>> added({"USD": Decimal(1)}, {"USD": Decimal(2), "JPY": Decimal(5)})
    {'USD': Decimal('3'), 'JPY': Decimal('5')}
    """
    totals: Totals = {}
    for each in sums:
        for currency, amount in each.items():
            totals[currency] = totals.get(currency, Decimal(0)) + amount
    return totals


def all_reported(windows: Iterable[Window]) -> tuple[Window, ...]:
    """The windows after a message that reports everything suppressed."""
    return tuple(
        msgspec.structs.replace(window, reported=added(window.reported, window.suppressed), suppressed={})
        if window.suppressed
        else window
        for window in windows
    )


def next_due(windows: UserWindows, now: datetime, width: timedelta) -> datetime:
    """When a digest of what is suppressed from now on is to be sent: when its window closes, and at most one an hour.

    Parameters
    ----------
    windows : UserWindows
        Of the user.
    now : datetime
        The clock, UTC. Not a time of the payment: while a backlog is worked off, its payments go into one digest.
    width : timedelta
        Width of a window.
    """
    closes_at = now + width
    if windows.digested_at is None:
        return closes_at
    return max(closes_at, windows.digested_at + DIGEST_INTERVAL)


def claim_digest(windows: UserWindows, now: datetime) -> UserWindows | None:
    """Turn what is suppressed into a digest, so that every copy of it says the same.

    Parameters
    ----------
    windows : UserWindows
        As stored.
    now : datetime
        The clock, UTC.

    Returns
    -------
    UserWindows | None
        With a digest to send, claimed now or before; None where none is due.
    """
    if windows.digest is not None:
        return windows
    if windows.due_at is None or windows.due_at > now or windows.suppressed.count == 0:
        return None
    return msgspec.structs.replace(
        windows,
        version=windows.version + 1,
        windows=all_reported(windows.windows),
        suppressed=SuppressedPayments(),
        digest=ClaimedDigest(windows.suppressed, now),
        digested_at=now,
    )


def digest_sent(windows: UserWindows, digest_id: str | None) -> UserWindows | None:
    """Take a sent digest out of the row.

    Parameters
    ----------
    windows : UserWindows
        As stored now; more payments may have been suppressed meanwhile.
    digest_id : str | None
        The digest that was sent.

    Returns
    -------
    UserWindows | None
        None where another worker has done it.
    """
    if windows.digest is None or windows.digest.payments.id != digest_id:
        return None
    due_at = None if windows.suppressed.count == 0 else windows.digest.claimed_at + DIGEST_INTERVAL
    return msgspec.structs.replace(windows, version=windows.version + 1, digest=None, due_at=due_at)
