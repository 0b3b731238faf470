"""Heads of the audit chains, as they are kept where the writers of events have no right: one object an hour in a bucket with Object Lock.

An object bears the hash of the one before it, so that an object that is missing is found by the one after it. It holds no personal data: places,
counts and hashes.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta

from contract.audit import DAYS, GENESIS, AuditProblem, ChainHead, chains_of, event_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from contract.audit import AuditEvent

HEADS_PREFIX: Final = "heads/"
"""Of the keys of all objects."""

_KEY_FORM: Final = f"{HEADS_PREFIX}%Y-%m-%dT%HZ.json"

LATE_AFTER: Final = timedelta(hours=2)
"""Heads are kept each hour. So long after the last object, one is missing."""

CLOCKS_DIFFER: Final = timedelta(minutes=15)
"""The most by which the function's clock and S3's may differ, with the time that the function takes."""


class KeptHeads(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What one object holds."""

    number: Annotated[int, Meta(ge=0)]
    """0 for the first object, without gaps."""
    previous: Annotated[str, Meta(min_length=64, max_length=64)]
    """SHA-256 of the object before; :data:`contract.audit.GENESIS` for the first."""
    kept_at: Annotated[datetime, Meta(tz=True)]
    """UTC."""
    heads: tuple[ChainHead, ...]
    """Of the days, and of the chains of the last day; older chains are closed, and their heads are in the openings of days."""
    gone: tuple[ChainHead, ...] = ()
    """Heads of the object before that were not in their chains any more."""


class StoredHeads(msgspec.Struct, frozen=True, kw_only=True):
    """One version of an object in the bucket."""

    key: str
    body: bytes
    stored_at: datetime
    """By S3's clock, UTC."""


def heads_key(at: datetime) -> str:
    """Key of the object of an hour; keys are in the order of time.

    >>> heads_key(datetime(2026, 3, 1, 8, 59, tzinfo=UTC))
    'heads/2026-03-01T08Z.json'
    """
    return at.astimezone(UTC).strftime(_KEY_FORM)


def to_heads_object(kept: KeptHeads) -> bytes:
    """Write an object; the same heads give the same bytes."""
    return msgspec.json.encode(kept, order="deterministic")


def from_heads_object(body: bytes) -> KeptHeads | None:
    """Read an object; None for one that holds something else."""
    try:
        kept = msgspec.json.decode(body, type=KeptHeads)
        kept.kept_at.astimezone(UTC)  # a time at the end of time has none
    except (msgspec.MsgspecError, OverflowError):
        return None
    return kept


def object_hash(body: bytes) -> str:
    """What the next object bears, 64 hexadecimal digits."""
    return hashlib.sha256(body).hexdigest()


def after(
    body: bytes | None, heads: Sequence[ChainHead], gone: Sequence[ChainHead], at: datetime
) -> KeptHeads:
    """Make the object that follows another.

    Parameters
    ----------
    body : bytes | None
        The object before, which can be read; None for the first.
    heads : Sequence[ChainHead]
        As they are now; see :func:`contract.audit.heads_of`.
    gone : Sequence[ChainHead]
        Heads of the object before that are not in their chains any more.
    at : datetime
        Now, aware.

    Raises
    ------
    msgspec.MsgspecError
        Where the object before cannot be read.
    """
    number = 0 if body is None else msgspec.json.decode(body, type=KeptHeads).number + 1
    previous = GENESIS if body is None else object_hash(body)
    return KeptHeads(
        number=number, previous=previous, kept_at=at.astimezone(UTC), heads=tuple(heads), gone=tuple(gone)
    )


def gone_heads(
    heads: Iterable[ChainHead], event: Callable[[str, int], AuditEvent | None]
) -> Iterator[ChainHead]:
    """Find the heads that are not in their chains any more; one event is read for each.

    An event's hash depends on all events before it in its chain. So a history that was written anew does not have the head, whatever else is in it.
    """
    for head in heads:
        found = event(head.day_shard, head.count - 1)
        if found is None or event_hash(found) != head.head:
            yield head


def kept_times(kept: Iterable[KeptHeads]) -> dict[str, list[tuple[int, datetime]]]:
    """When each chain had how many events: count and time, ascending, by chain. A chain of a day that has no head had none yet."""
    found: dict[str, list[tuple[int, datetime]]] = {}
    for each in kept:
        counts = {head.day_shard: head.count for head in each.heads}
        days = {chain.partition("#")[0] for chain in counts} - {DAYS}
        empty = dict.fromkeys((chain for day in days for chain in chains_of(day)), 0)
        for chain, count in (empty | counts).items():
            found.setdefault(chain, []).append((count, each.kept_at))
    return {chain: sorted(times) for chain, times in found.items()}


def misdated(event: AuditEvent, times: Sequence[tuple[int, datetime]]) -> AuditProblem | None:
    """Find an event that says another time than that between the heads before and after which it was written.

    Parameters
    ----------
    event : AuditEvent
        Of a chain.
    times : Sequence[tuple[int, datetime]]
        Of the chain, as :func:`kept_times` gives them.
    """
    after_it = bisect_right(times, event.sequence, key=itemgetter(0))
    is_early = after_it > 0 and times[after_it - 1][1] - event.at > CLOCKS_DIFFER
    is_late = after_it < len(times) and event.at - times[after_it][1] > CLOCKS_DIFFER
    if not is_early and not is_late:
        return None
    begin = _time(times[after_it - 1][1]) if after_it else "the beginning"
    end = _time(times[after_it][1]) if after_it < len(times) else "now"
    return AuditProblem(
        event.day_shard, event.sequence, f"says {_time(event.at)}, and was written between {begin} and {end}"
    )


def object_problems(
    stored: Sequence[StoredHeads], deleted: Sequence[str], now: datetime
) -> Iterator[AuditProblem]:
    """Find every object that was dropped, deleted, inserted or put in the place of another.

    Parameters
    ----------
    stored : Sequence[StoredHeads]
        Every version of every object, in the order of keys, the versions of a key in the order in which they were stored.
    deleted : Sequence[str]
        Keys with a delete marker: S3 hides such an object, and keeps its versions while they are locked.
    now : datetime
        Aware.

    Yields
    ------
    AuditProblem
        Its ``day_shard`` is the object's key.
    """
    for key in sorted(set(deleted)):
        yield AuditProblem(key, None, "somebody deleted it; a version that was locked is still there")
    number, previous, last = 0, GENESIS, None
    seen: set[str] = set()
    for each in stored:
        if each.key in seen:
            yield AuditProblem(each.key, None, "stored more than once; the first version counts")
            continue
        seen.add(each.key)
        kept = from_heads_object(each.body)
        if kept is None:
            yield AuditProblem(each.key, None, "holds no heads")
            continue
        if heads_key(kept.kept_at) != each.key or abs(each.stored_at - kept.kept_at) > CLOCKS_DIFFER:
            yield AuditProblem(
                each.key, None, f"says {_time(kept.kept_at)}, and was stored {_time(each.stored_at)}"
            )
        if kept.number != number or kept.previous != previous:
            what = (
                "objects before it were dropped"
                if kept.number > number
                else "not the object after the one before it"
            )
            yield AuditProblem(each.key, None, what)
        if kept.gone:
            yield AuditProblem(
                each.key, None, f"{len(kept.gone)} heads of the object before were not in their chains then"
            )
        number, previous, last = kept.number + 1, object_hash(each.body), kept
    if last is not None and now - last.kept_at > LATE_AFTER:
        yield AuditProblem(
            heads_key(last.kept_at), None, "the last object: no heads were kept since, or they were dropped"
        )


def gaps(stored: Sequence[StoredHeads]) -> Iterator[str]:
    """Say in which hours no heads were kept: the function did not run, or objects were dropped before its next run."""
    kept = [found for each in stored if (found := from_heads_object(each.body)) is not None]
    for earlier, later in pairwise(kept):
        if later.kept_at - earlier.kept_at > LATE_AFTER:
            yield f"no heads were kept between {_time(earlier.kept_at)} and {_time(later.kept_at)}"


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
