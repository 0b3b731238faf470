"""What was counted in the last minutes, hour, day and in all of the time, from the counts of processes and of hours."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from engine.rollout.counts import RolloutCounts, total
from engine.rollout.guard import WINDOWS_MINUTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

HOUR: Final = timedelta(hours=1)
CLOSED_AFTER: Final = timedelta(minutes=5)
"""After its end an hour's counts are added up. A process that writes what it counted later says so, and the hour is added up anew."""

_BY_PARTS: Final = timedelta(minutes=60)
"""Windows up to this length are made of processes' counts, longer ones of hours."""


class Part(NamedTuple):
    """What one process counted up to a time."""

    at: datetime
    """UTC."""
    counts: RolloutCounts


def hour_of(at: datetime) -> datetime:
    """When the hour of a time began."""
    return at.replace(minute=0, second=0, microsecond=0)


def closed_hours(
    parts: Sequence[Part], hours: Mapping[datetime, RolloutCounts], now: datetime
) -> dict[datetime, RolloutCounts]:
    """Add up the hours that are over and are not added up yet.

    Parameters
    ----------
    parts : Sequence[Part]
        Of all processes; complete for each hour that is not in ``hours``.
    hours : Mapping[datetime, RolloutCounts]
        Those that are added up, by when they began.
    now : datetime
        UTC.

    Returns
    -------
    dict[datetime, RolloutCounts]
        Only hours in which something was counted.
    """
    by_hour: dict[datetime, list[RolloutCounts]] = {}
    for part in parts:
        by_hour.setdefault(hour_of(part.at), []).append(part.counts)
    return {
        hour: total(counts)
        for hour, counts in by_hour.items()
        if hour not in hours and hour + HOUR + CLOSED_AFTER <= now
    }


def windows_at(
    parts: Sequence[Part], hours: Mapping[datetime, RolloutCounts], now: datetime
) -> dict[int, RolloutCounts]:
    """Add up what was counted lately.

    Parameters
    ----------
    parts : Sequence[Part]
        Of all processes; complete for the last 60 minutes and for each hour that is not in ``hours``.
    hours : Mapping[datetime, RolloutCounts]
        Those that are added up, by when they began.
    now : datetime
        UTC.

    Returns
    -------
    dict[int, RolloutCounts]
        Minutes to what was counted in so many of the last ones, for :func:`engine.rollout.guard.evaluate`. Of a window of more than an hour the oldest
        hour is taken whole.
    """
    begins = [part.at for part in parts] + list(hours)
    age_minutes = (now - min(begins)) // timedelta(minutes=1) + 1 if begins else 0
    windows = {}
    for minutes in (*(each for each in WINDOWS_MINUTES if each < age_minutes), age_minutes):
        since = now - timedelta(minutes=minutes)
        if minutes == age_minutes or timedelta(minutes=minutes) > _BY_PARTS:
            of_hours = [counts for hour, counts in hours.items() if hour + HOUR > since]
            of_parts = [part.counts for part in parts if hour_of(part.at) not in hours and part.at > since]
            windows[minutes] = total([*of_hours, *of_parts])
        else:
            windows[minutes] = total(part.counts for part in parts if part.at > since)
    return windows
