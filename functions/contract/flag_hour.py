"""The hour in which a payment was decided that was not approved: the key of a sparse index of ``transaction_history``.

The reconciler looks through the last hours for payments that the stages behind the history have missed. Approved payments have no such
attribute, and neither have repeats, which are not flagged; so the index holds few rows and costs little.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Iterator

FLAG_HOUR: Final = "flag_hour"
"""The attribute."""

REPAIR_SOURCE: Final = "reconcile"
"""Source of the events by which the reconciler sends rows to a stage again; those of a stream have its ARN."""

FLAG_HOUR_INDEX: Final = "by_flag_hour"

SHARDS: Final = 8
"""Parts of an hour. One partition of an index takes 1,000 rows a second; this many take an attack on every payment of the day's peak."""

_HOUR: Final = timedelta(hours=1)


def flag_hour(scored_at: datetime, event_key: str) -> str:
    """Give the index's key of a payment.

    Parameters
    ----------
    scored_at : datetime
        When it was decided, aware.
    event_key : str
        Sort key of its row.

    Examples
    --------
    >>> flag_hour(datetime(2026, 1, 5, 12, 59, tzinfo=UTC), "2026-01-05T11:00:00.000000Z#t-1")
    '2026-01-05T12#0'
    """
    return _key(scored_at.astimezone(UTC), crc32(event_key.encode()) % SHARDS)


def flag_hours(first: datetime, last: datetime) -> Iterator[str]:
    """Give every key of the hours from one time to another, the oldest first.

    Parameters
    ----------
    first, last : datetime
        Aware, ``first <= last``; the hours that both lie in are included.
    """
    hour = first.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while hour <= last:
        for shard in range(SHARDS):
            yield _key(hour, shard)
        hour += _HOUR


def _key(at: datetime, shard: int) -> str:
    return f"{at:%Y-%m-%dT%H}#{shard}"
