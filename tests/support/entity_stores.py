"""The entities' store in memory, by the rules of the Redis store, and what its state must be."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

import msgspec

from common.errors import CacheUnavailableError
from contract.entity_ids import entity_ids
from contract.scored import from_history_item
from engine.entities.book import EntityBook
from engine.entities.kinds import is_population
from engine.entities.levels import BUCKETS_KEPT, COUNTS, HOURS_KEPT, WEEKS_KEPT, add_counts, number_at
from engine.entities.state import Entity, EntityFormatError, from_bytes, to_bytes
from engine.features.catalogue import SHARED_FEATURES
from engine.features.stored import unpack
from tests.support.sightings import sighting_of_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from contract.scored import FeatureValue, Position, ScoredTransaction
    from score.delivery import Span
    from score.entity_store import EntityAdditions
    from score.profile_store import CacheReading

Counted = tuple[int, int, int]
"""Partition and offsets (from, to) of what an addition counted."""

_HEADER, _BUCKET, _USER = Struct("<HHHII"), Struct("<5Id"), Struct("<12sI")


class MemoryEntityStore:
    """Entities and their marks; :class:`tests.support.entity_store_contract.EntityStoreContract` compares it with Redis.

    Attributes
    ----------
    entities : dict[bytes, bytes]
        State by entity id.
    counted_to : dict[tuple[str, int], int]
        Marks by topic and partition.
    counted : list[Counted]
        Every addition so far.
    complete_since_s : int
        As the store has it; 0 for nothing.
    is_down : bool
        Every call fails.
    """

    def __init__(self) -> None:
        self.entities: dict[bytes, bytes] = {}
        self.counted_to: dict[tuple[str, int], int] = {}
        self.counted: list[Counted] = []
        self.complete_since_s = 0
        self.is_down = False

    def read_entities(
        self, reading: CacheReading, spans: Sequence[Span], entity_ids: Sequence[bytes]
    ) -> None:
        reading.entities = {each: self.entities[each] for each in entity_ids if each in self.entities}
        reading.counted_to = [self.counted_to.get((span.topic, span.partition), -1) for span in spans]
        reading.complete_since_s = self.complete_since_s

    def add(self, additions: EntityAdditions) -> list[int]:
        if self.is_down:
            raise CacheUnavailableError("down")
        marks = [self.counted_to.get((mark.topic, mark.partition), -1) for mark in additions.marks]
        if marks != [mark.read for mark in additions.marks]:
            return marks
        active: dict[bytes, list[int]] = {}
        for entity_id, added in additions.added.items():
            entity = self._entity(entity_id)
            if is_population(entity_id):
                _add_to_population(entity, added, active.get(entity_id[1:2], []))
            else:
                active.setdefault(entity_id[:1], []).extend(_add(entity, added))
            self.entities[entity_id] = to_bytes(entity)
        for mark in additions.marks:
            self.counted_to[mark.topic, mark.partition] = mark.counted
            self.counted.append((mark.partition, max(mark.first, mark.read + 1), mark.counted))
        self.complete_since_s = max(self.complete_since_s, additions.gap_s)
        return []

    def empty_entities(self) -> None:
        """Lose all of them."""
        self.entities.clear()
        self.counted_to.clear()
        self.counted.clear()
        self.complete_since_s = 0

    def go_back_entities(self, earlier: MemoryEntityStore) -> None:
        """Hold what an earlier copy held, as a replica that lagged behind."""
        self.entities, self.counted_to, self.counted = earlier.entities, earlier.counted_to, earlier.counted
        self.complete_since_s = earlier.complete_since_s

    def _entity(self, entity_id: bytes) -> Entity:
        try:
            return from_bytes(self.entities.get(entity_id, b""))
        except EntityFormatError:
            return Entity()


def without_entities(
    items: Mapping[tuple[str, str], dict[str, dict[str, str]]],
) -> dict[tuple[str, str], tuple[ScoredTransaction, dict[str, FeatureValue]]]:
    """Rows by key: each without its features, and the features of its user alone.

    What a payment saw of its entities depends on which payments were in one batch with it.
    """
    rows = {key: from_history_item(item) for key, item in items.items()}
    return {
        key: (
            msgspec.structs.replace(row, features=b""),
            {
                name: value
                for name, value in unpack(row.features, row.feature_set).items()
                if name not in SHARED_FEATURES
            },
        )
        for key, row in rows.items()
    }


def is_within(position: Position, counted: Iterable[Counted]) -> bool:
    """Whether a position is in one of these."""
    return any(
        partition == position.partition and first <= position.offset <= last
        for partition, first, last in counted
    )


def expected_entities(rows: Iterable[ScoredTransaction]) -> dict[bytes, bytes]:
    """The state after these rows, one after the other, without a store: what every store must hold."""
    book = EntityBook()
    for row in rows:
        if not row.repeats:
            book.fold(entity_ids(row.transaction), sighting_of_row(row))
    return book.packed()


class _Added(msgspec.Struct, frozen=True):
    first_s: int
    approved_s: int
    approved: list[tuple[int, ...]]
    stopped: list[tuple[int, ...]]
    seen: list[tuple[bytes, int]]


def _read(added: bytes) -> _Added:
    approved, stopped, users, first_s, approved_s = _HEADER.unpack_from(added)
    seen_at = _HEADER.size + (approved + stopped) * _BUCKET.size
    counts = list(_BUCKET.iter_unpack(added[_HEADER.size : seen_at]))
    seen = list(_USER.iter_unpack(added[seen_at:]))
    assert len(seen) == users
    return _Added(first_s, approved_s, counts[:approved], counts[approved:], seen)


def _add(entity: Entity, added: bytes) -> list[int]:
    read = _read(added)
    entity.first_s = min(entity.first_s, read.first_s)
    entity.approved_s = min(entity.approved_s, read.approved_s)
    active = []
    for place, (number, payments, micro, young, first, cents) in enumerate([*read.approved, *read.stopped]):
        each, week = (payments, micro, young, first, cents), number // 2016
        entity.buckets, _ = add_counts(entity.buckets, BUCKETS_KEPT, number, each)
        entity.hours, _ = add_counts(entity.hours, HOURS_KEPT, number // 12, each)
        if place < len(read.approved):
            of_week = (payments, micro, young, 0, cents)
        else:
            entity.stopped, _ = add_counts(entity.stopped, HOURS_KEPT, number // 12, each)
            of_week = (0, 0, 0, payments, 0)
        entity.weeks, is_new = add_counts(entity.weeks, WEEKS_KEPT, week, of_week)
        if is_new:
            active.append(week)
    if entity.stopped:
        newest = number_at(entity.hours, -COUNTS.size)
        entity.stopped = b"".join(
            each for each in _each(entity.stopped) if number_at(each, 0) > newest - HOURS_KEPT
        )
    for user, last_s in read.seen:
        entity.see(user, last_s)
    return active


def _each(level: bytes) -> Iterable[bytes]:
    return (level[start : start + COUNTS.size] for start in range(0, len(level), COUNTS.size))


def _add_to_population(entity: Entity, added: bytes, active: list[int]) -> None:
    read = _read(added)
    entity.first_s = min(entity.first_s, read.first_s)
    entity.approved_s = min(entity.approved_s, read.approved_s)
    for number, payments, micro, young, _, cents in [*read.approved, *read.stopped]:
        each = (payments, micro, young, 0, cents)
        entity.weeks, _ = add_counts(entity.weeks, WEEKS_KEPT, number // 2016, each)
    for week in active:
        entity.weeks, _ = add_counts(entity.weeks, WEEKS_KEPT, week, (0, 0, 0, 1, 0))
