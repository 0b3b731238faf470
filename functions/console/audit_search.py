"""Reads audit events page by page: those of some days that fit what an auditor asks for, each of them once. Pure, but for the reads.

The chains of a day are read side by side. A page ends at a place in each of them, so what is written meanwhile moves no page.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from heapq import merge
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from contract.audit import AUDIT_SHARDS, SYSTEM, chain_of, shard_of
from contract.audit_values import is_about

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.audit import AuditEvent

PAGE: Final = 100
"""Events of a page."""

BLOCK: Final = 100
"""Events of a chain that one request reads."""

MAX_REQUESTS: Final = 120
"""Requests of one page, but for those that finish a day's chains; at some milliseconds each. What fits and is farther away is on the next page."""

_PLACE: Final = re.compile(
    rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})((?:\.(?:[0-9]{{1,12}}|new)){{{AUDIT_SHARDS}}})"
)
_NEWEST: Final = "new"


class Wanted(NamedTuple):
    """What an auditor asks for; what is empty fits all."""

    last: date
    """The newest day, UTC,"""
    first: date
    """and the oldest."""
    person: str = ""
    action: str = ""
    kind: str = ""
    """What ``value`` is, as :func:`contract.audit_values.is_about` has it."""
    value: str = ""

    def fits(self, event: AuditEvent) -> bool:
        """Whether an event of these days is asked for."""
        return (
            self.person in ("", event.actor)
            and self.action in ("", event.action)
            and (not self.value or is_about(event, self.kind, self.value))
        )

    @property
    def shards(self) -> tuple[int, ...]:
        """Chains of each day that can have such events: a person's are in one. The system closes all chains."""
        return tuple(range(AUDIT_SHARDS)) if self.person in ("", SYSTEM) else (shard_of(self.person),)


class Place(NamedTuple):
    """Where a page begins."""

    day: date
    before: tuple[int | None, ...]
    """By shard: events with smaller sequence numbers come; None for the whole chain."""

    @property
    def text(self) -> str:
        """For the form that asks for the page."""
        return ".".join(
            (self.day.isoformat(), *(_NEWEST if each is None else str(each) for each in self.before))
        )


class EventPage(NamedTuple):
    """Some events, the newest first."""

    events: tuple[AuditEvent, ...]
    following: Place | None
    """Where older ones begin; None where there are no more."""


class Chains(Protocol):
    """The read of a chain; see :class:`common.audit_events.AuditEvents`."""

    def newest(self, day_shard: str, limit: int, before: int | None = None) -> list[AuditEvent]:
        """The last events of a chain, newest first, below a sequence number."""
        ...


def begin_of(day: date) -> Place:
    """The place at which a day's events begin, the newest of them."""
    return Place(day, (None,) * AUDIT_SHARDS)


def place_of(text: str, wanted: Wanted) -> Place:
    """Read the place of a form; text of another form, or a place on another day than one of those, is the beginning.

    >>> wanted = Wanted(date(2026, 3, 2), date(2026, 3, 1))
    >>> place_of(begin_of(date(2026, 3, 1)).text, wanted).day, place_of("2026-03-01", wanted).day
    (datetime.date(2026, 3, 1), datetime.date(2026, 3, 2))
    """
    match = _PLACE.fullmatch(text)
    try:
        day = date.fromisoformat(match[1]) if match is not None else None
    except ValueError:
        day = None
    if match is None or day is None or not wanted.first <= day <= wanted.last:
        return begin_of(wanted.last)
    return Place(day, tuple(None if each == _NEWEST else int(each) for each in match[2].split(".")[1:]))


class EventSearch:
    """Reads one page.

    Parameters
    ----------
    chains : Chains
        The table.
    wanted : Wanted
        What is asked for.
    """

    def __init__(self, chains: Chains, wanted: Wanted) -> None:
        self._chains = chains
        self._wanted = wanted
        self._requests = 0

    def page(self, place: Place) -> EventPage:
        """Give the events from a place on, at most :data:`PAGE`. Raises ClientError, BotoCoreError, InvalidRowError.

        A page may have fewer, or none, and others after it: then what was read did not fit.
        """
        found: list[AuditEvent] = []
        while True:
            end = self._of_day(place, found)
            if end is not None:
                return EventPage(tuple(found), end)
            if place.day <= self._wanted.first:
                return EventPage(tuple(found), None)
            place = begin_of(place.day - timedelta(days=1))
            if self._requests >= MAX_REQUESTS:
                return EventPage(tuple(found), place)

    def _of_day(self, place: Place, found: list[AuditEvent]) -> Place | None:
        """Add what fits of a day; where it goes on, None after all of the day."""
        before = [*place.before]
        chains = [self._chain(place, shard) for shard in self._wanted.shards]
        # By the clocks of their writers, which may differ. Each chain keeps its order, so that none of its events is passed over.
        for shard, event in merge(*chains, key=lambda pair: pair[1].at, reverse=True):
            fits = self._wanted.fits(event)
            if (fits and len(found) == PAGE) or self._requests > MAX_REQUESTS:
                return Place(place.day, tuple(before))
            before[shard] = event.sequence
            if fits:
                found.append(event)
        return None

    def _chain(self, place: Place, shard: int) -> Iterator[tuple[int, AuditEvent]]:
        before = place.before[shard]
        while before is None or before > 0:
            self._requests += 1
            events = self._chains.newest(chain_of(place.day.isoformat(), shard), BLOCK, before)
            if not events:
                return
            yield from ((shard, event) for event in events)
            before = events[-1].sequence
