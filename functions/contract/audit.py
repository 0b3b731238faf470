"""What people did in the console: its rows in ``audit_events``, and the chains of hashes that show whether any was changed.

Each day has :data:`AUDIT_SHARDS` chains, and the days are a chain of their own, in the partition :data:`DAYS`. An event bears the hash of the
one before it. The first of a day's chain bears the hash of the day's opening, and an opening has the heads and counts of all chains of the day
before. A chain is closed before its head is taken, so that no event comes after it. The tail of the last day is held by nothing in the table:
:func:`heads_of` is what must be kept elsewhere.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final
from zlib import crc32

import msgspec
from msgspec import Meta

from contract.items import Item, from_item, to_item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

AUDIT_TABLE: Final = "audit_events"

AUDIT_SHARDS: Final = 8
"""Chains of a day. A chain takes one event at a time: about 100 a second."""

DAYS: Final = "days"
"""Partition of the openings of days."""

DAY_OPENED: Final = "day_opened"
"""Action of the first event of a day,"""
DAY_CLOSED: Final = "day_closed"
"""and of the last event of each of its chains."""

SYSTEM: Final = "system"
"""Who opens and closes days."""

GENESIS: Final = "0" * 64
"""What the first opening bears instead of a hash."""

_HASH_DOMAIN: Final = b"audit event 1\n"
"""Before the hashed bytes: no hash of something else is an event's."""

_DAY: Final = timedelta(days=1)

MAX_TEXT_CHARACTERS: Final = 200
"""Of each text of an event."""

Text = Annotated[str, Meta(max_length=MAX_TEXT_CHARACTERS)]


class ChainHead(msgspec.Struct, frozen=True):
    """How a chain ends."""

    day_shard: str
    count: int
    """Events in it, with the closing one."""
    head: str
    """Hash of the last one."""


class AuditEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of ``audit_events``; the fields are its attributes.

    All of them are hashed. A field that is added later needs a default: with it, the hashes of old rows stay as they are.
    """

    day_shard: str
    sequence: Annotated[int, Meta(ge=0)]
    previous: Annotated[str, Meta(min_length=64, max_length=64)]
    """Hash of the event before, SHA-256 as hexadecimal digits."""
    event_id: Text
    """Random: a writer whose answer was lost recognizes its event."""
    at: Annotated[datetime, Meta(tz=True)]
    """When it was written, by the writer's clock, UTC."""
    actor: Text
    """Who did it: the id that the identity provider gives a person."""
    action: Text
    outcome: Text = "allowed"
    """``allowed``, or why it was refused."""
    subject: Text = ""
    """What it was done to: an opaque id."""
    session: Text = ""
    """Beginning of the session's hash."""
    details: dict[str, Text] = {}
    """More about it; no personal data."""
    day: str = ""
    """Of an opening: its day, YYYY-MM-DD."""
    closed: tuple[ChainHead, ...] = ()
    """Of an opening: how the chains of the day before ended, in the order of their shards."""

    @property
    def is_closing(self) -> bool:
        """Whether nothing may come after it in its chain."""
        return self.action == DAY_CLOSED and self.day_shard != DAYS


class AuditProblem(msgspec.Struct, frozen=True):
    """Something that the chains show."""

    day_shard: str
    sequence: int | None
    """Where it is; None for the chain as a whole."""
    problem: str

    def __str__(self) -> str:
        """One line."""
        place = self.day_shard if self.sequence is None else f"{self.day_shard} {self.sequence}"
        return f"{place}: {self.problem}"


def event_hash(event: AuditEvent) -> str:
    """Hash of an event with all its fields, 64 hexadecimal digits."""
    return hashlib.sha256(_HASH_DOMAIN + msgspec.json.encode(event, order="deterministic")).hexdigest()


def shard_of(actor: str) -> int:
    """Chain of a person: their events of a day are in one order."""
    return crc32(actor.encode()) % AUDIT_SHARDS


def chain_of(day: str, shard: int) -> str:
    """Partition of a chain.

    >>> chain_of("2026-03-01", 3)
    '2026-03-01#3'
    """
    return f"{day}#{shard}"


def chains_of(day: str) -> tuple[str, ...]:
    """All chains of a day, in the order of their shards."""
    return tuple(chain_of(day, shard) for shard in range(AUDIT_SHARDS))


def linked(event: AuditEvent, day_shard: str, before: AuditEvent | None, begin: str) -> AuditEvent:
    """Put an event at the end of a chain.

    Parameters
    ----------
    event : AuditEvent
        What happened; its place in the chain is replaced.
    day_shard : str
        The chain's partition.
    before : AuditEvent | None
        The chain's last event; None for an empty chain.
    begin : str
        What the first event of the chain bears: the hash of the day's opening, or :data:`GENESIS`.
    """
    return msgspec.structs.replace(
        event,
        day_shard=day_shard,
        sequence=0 if before is None else before.sequence + 1,
        previous=begin if before is None else event_hash(before),
    )


def head_of(last: AuditEvent) -> ChainHead:
    """How a chain ends whose last event this is."""
    return ChainHead(last.day_shard, last.sequence + 1, event_hash(last))


def to_audit_item(event: AuditEvent) -> Item:
    """Write an event in DynamoDB's wire form; InvalidRowError names the attribute that could not be read back."""
    return to_item(event)


def from_audit_item(item: Mapping[str, Any]) -> AuditEvent:
    """Read an event back; InvalidRowError names the attribute that cannot be read."""
    return from_item(AUDIT_TABLE, item, AuditEvent)


def problems(
    openings: Sequence[AuditEvent],
    events: Callable[[str], Iterable[AuditEvent]],
    counts: Mapping[str, int],
    kept: Iterable[ChainHead] = (),
) -> Iterator[AuditProblem]:
    """Find every event, tail or day that was changed, dropped, inserted or moved.

    Parameters
    ----------
    openings : Sequence[AuditEvent]
        The partition :data:`DAYS`, ascending.
    events : Callable
        The events of a chain, ascending.
    counts : Mapping[str, int]
        Events by partition, of the whole table.
    kept : Iterable[ChainHead]
        Heads that were kept elsewhere, of any time: each must be in its chain.

    Yields
    ------
    AuditProblem
        In the order of the days; none where everything is as it was written.
    """
    wanted: dict[str, list[ChainHead]] = {}
    for head in kept:
        wanted.setdefault(head.day_shard, []).append(head)
    yield from _chain_problems(DAYS, openings, GENESIS, wanted.get(DAYS, []))
    known = {DAYS}
    followings: list[AuditEvent | None] = [*openings[1:], None]
    for opening, following in zip(openings, followings, strict=False):  # both are empty where all was dropped
        yield from _opening_problems(opening, following)
        closed = {head.day_shard: head for head in following.closed} if following is not None else {}
        for chain in chains_of(opening.day):
            known.add(chain)
            must = [*wanted.get(chain, []), *([closed[chain]] if chain in closed else [])]
            yield from _chain_problems(chain, events(chain), event_hash(opening), must, end=closed.get(chain))
    for partition in sorted({*counts, *wanted} - known):
        yield AuditProblem(partition, None, "its day was never opened, or its opening was dropped")


def heads_of(openings: Sequence[AuditEvent], last: Callable[[str], AuditEvent | None]) -> list[ChainHead]:
    """Heads to keep elsewhere: of the days, and of the chains of the last day."""
    if not openings:
        return []
    ends = [last(chain) for chain in chains_of(openings[-1].day)]
    return [head_of(openings[-1]), *(head_of(end) for end in ends if end is not None)]


def _chain_problems(
    day_shard: str,
    events: Iterable[AuditEvent],
    begin: str,
    must: Sequence[ChainHead],
    end: ChainHead | None = None,
) -> Iterator[AuditProblem]:
    expected, sequence, is_closed = begin, 0, False
    wanted = {(head.count, head.head) for head in must}
    for event in events:
        if event.sequence != sequence:
            yield AuditProblem(day_shard, sequence, "dropped")
            expected = event.previous  # one problem for one gap; what follows is checked by its own links
        elif event.previous != expected:
            what = "it or the one before it was changed, inserted or moved"
            yield AuditProblem(day_shard, event.sequence, what)
        if is_closed:
            yield AuditProblem(day_shard, event.sequence, "inserted after the chain was closed")
        sequence, expected, is_closed = event.sequence + 1, event_hash(event), is_closed or event.is_closing
        wanted.discard((sequence, expected))
    if end is not None and sequence != end.count:
        yield AuditProblem(day_shard, None, f"{sequence} events, and {end.count} when it was closed")
    for count, _ in sorted(wanted):
        if sequence < count:
            yield AuditProblem(day_shard, count - 1, "dropped from the end")
        else:
            yield AuditProblem(day_shard, count - 1, "not the event whose hash was kept")


def _opening_problems(opening: AuditEvent, following: AuditEvent | None) -> Iterator[AuditProblem]:
    if opening.action != DAY_OPENED or not _is_day(opening.day):
        yield AuditProblem(DAYS, opening.sequence, "no opening of a day")
    elif date.fromisoformat(opening.day) - opening.at.date() > _DAY:
        # By one day it may be early: a writer whose clock is behind opens the day after one that another has closed.
        yield AuditProblem(DAYS, opening.sequence, f"opens {opening.day} on {opening.at.date()}")
    if following is None:
        return
    if following.day <= opening.day:
        yield AuditProblem(DAYS, following.sequence, f"opens {following.day} after {opening.day}")
    if tuple(head.day_shard for head in following.closed) != chains_of(opening.day):
        yield AuditProblem(DAYS, following.sequence, f"lacks heads of {opening.day}")


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
