"""Holds the score stage to what it promises about entities: which payments a payment sees, and what is counted when a batch is answered.

A payment sees what its entities had counted when its batch was read, and every earlier payment of its batch; nothing else, and each
once. What was answered by a batch that used the cache is counted. What is not counted although it lies before a batch on its own
partition is missing, and the batch's rows say that windows may not be complete.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from contract.entity_ids import entity_ids
from contract.scored import Position
from engine.entities.book import EntityBook
from engine.features import entities
from engine.features.stored import unpack
from tests.support.entity_stores import Counted, MemoryEntityStore, expected_entities, is_within
from tests.support.payments import NOW
from tests.support.sightings import sighting_of_row

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Mapping
    from datetime import datetime

    from contract.entity_ids import EntityIds
    from contract.scored import FeatureValue, ScoredTransaction
    from engine.entities.state import Sighting
    from score.delivery import KafkaEvent, PartialBatchResponse
    from tests.support.label_copies import LabelWitness

COMPARED = tuple(
    each.name
    for each in entities.FEATURES
    if each.name not in {"entities_partial", "entities_warming_up"}
    and "usual" not in each.name
    and not each.name.endswith("known_days")
)
"""Features of what was counted. What is usual, and for how long something is known, is computed once for several payments."""

_COMPLETE_AGAIN_S = int((NOW + timedelta(days=29)).timestamp())
"""Until then no window of 30 days can be complete after a gap: the stage's clock is about ``NOW``."""


class Try(NamedTuple):
    """One try of a batch, from its event to its answer or its end."""

    positions: tuple[Position, ...]
    """In the order of the event."""
    counted: tuple[Counted, ...]
    """When the entities were read."""


class EntityWitness:
    """Remembers what each try could see, and compares it with the rows that it stored.

    Parameters
    ----------
    labels : LabelWitness
        Says what each try knew of what people say.
    """

    def __init__(self, labels: LabelWitness) -> None:
        self._labels = labels
        self._tries: dict[datetime, Try] = {}
        self._seen: dict[Position, tuple[EntityIds, Sighting]] = {}
        self._rows: dict[Position, ScoredTransaction] = {}

    def scores(self, scored_at: datetime, event: KafkaEvent, counted: tuple[Counted, ...] | None) -> None:
        """A try has read the cache, or not, and scores now; its rows say so by their ``scored_at``."""
        if counted is not None:
            self._tries[scored_at] = Try(positions_of(event), counted)

    def problems(self, new: Iterable[ScoredTransaction], raced: Container[Position]) -> list[str]:
        """Take new rows, and give what is wrong with them."""
        tries = set()
        for row in new:
            self._rows[row.position] = row
            tries.add(row.scored_at)
            if not row.repeats:
                self._seen[row.position] = entity_ids(row.transaction), sighting_of_row(row)
        return [
            problem
            for scored_at in tries
            if (each := self._tries.get(scored_at)) is not None
            for problem in self._problems(each, scored_at, raced)
        ]

    def _problems(self, tried: Try, scored_at: datetime, raced: Container[Position]) -> list[str]:
        book, found = EntityBook(), []
        for position, seen in self._seen.items():
            if is_within(position, tried.counted):
                book.fold(*seen)
        is_gap = self._is_behind_a_gap(tried)
        rows = [self._rows[position] for position in tried.positions if position in self._rows]
        rulesets = {row.ruleset_version for row in rows if row.scored_at == scored_at}
        for position in tried.positions:
            if position in raced:
                break  # it was scored with other features than those that are stored
            row, seen_here = self._rows.get(position), self._seen.get(position)
            if row is None or seen_here is None:
                if row is None and not is_up_to_mark(position, tried.counted):
                    break  # it may be of a payment that was seen and not stored, as after a failed insert
                continue
            ids, sighting = seen_here
            is_of_same = row.ruleset_version in rulesets and self._knew_the_same(row, scored_at)
            if not is_of_same and not is_up_to_mark(position, tried.counted):
                # Another try stored it by other rates or verdicts, perhaps meanwhile: then this one saw it as it had scored it itself.
                break
            if row.scored_at == scored_at:
                stored = unpack(row.features, row.feature_set)
                wanted = entities.compute(book.read(ids, sighting.clock_s), sighting)
                found += _differences(position, stored, wanted)
                if is_gap and not stored["entities_partial"] and sighting.clock_s < _COMPLETE_AGAIN_S:
                    found.append(f"{position} lies behind a gap, and its windows are said to be complete")
            if not is_up_to_mark(position, tried.counted):
                book.fold(ids, sighting)
        return found

    def _knew_the_same(self, row: ScoredTransaction, scored_at: datetime) -> bool:
        """Whether a try knew of a row's user what the try that stored the row knew."""
        return self._labels.verdicts_of(row) == self._labels.verdicts_at(scored_at, row.transaction.user_id)

    def _is_behind_a_gap(self, tried: Try) -> bool:
        first: dict[int, int] = {}
        for position in tried.positions:
            first.setdefault(position.partition, position.offset)
        return any(
            position.offset < first.get(position.partition, 0) and not is_within(position, tried.counted)
            for position in self._seen
        )


def is_up_to_mark(position: Position, counted: Iterable[Counted]) -> bool:
    """Whether a position is counted, or will not be counted any more."""
    return position.offset <= max(
        (to for partition, _, to in counted if partition == position.partition), default=-1
    )


def uncounted(
    event: KafkaEvent, response: PartialBatchResponse, counted: Collection[Counted]
) -> list[Position]:
    """What a batch that could use the cache to its end answered as done, and lies behind what its entities have counted.

    What lies before a mark and is not counted was lost with the cache, or a writer came so late that others had found the gap.
    """
    failed = {
        (failure["itemIdentifier"]["partition"], failure["itemIdentifier"]["offset"])
        for failure in response["batchItemFailures"]
    }
    found, blocked = [], set()
    for position in positions_of(event):
        name = f"{position.topic}-{position.partition}"
        if (name, position.offset) in failed:
            blocked.add(name)
        if name not in blocked and not is_up_to_mark(position, counted):
            found.append(position)
    return found


def state_problems(cache: MemoryEntityStore, rows: Collection[ScoredTransaction]) -> list[str]:
    """Compare the state with that of a sequential run over the payments that are counted since the cache lost data; others are missing."""
    found, counted = [], [row for row in rows if is_within(row.position, cache.counted)]
    if cache.entities != expected_entities(counted):
        found.append("the entities' state is not that of what is counted")
    if len(counted) != len({row.position for row in counted}):
        found.append("two rows of one record are counted")
    for (partition, _, to), (next_partition, first, _) in pairwise(sorted(cache.counted)):
        if partition == next_partition and to >= first:
            found.append(f"offset {first} of partition {partition} is counted twice")
    if not cache.complete_since_s:
        missing = [row.position for row in rows if not is_within(row.position, cache.counted)]
        found += [f"{position} is not counted, and nothing says so" for position in missing]
    return found


def positions_of(event: KafkaEvent) -> tuple[Position, ...]:
    """Positions of an event's records, in their order."""
    return tuple(
        Position(record["topic"], record["partition"], record["offset"])
        for records in event["records"].values()
        for record in records
    )


def _differences(
    position: Position, stored: Mapping[str, FeatureValue], wanted: Mapping[str, FeatureValue]
) -> list[str]:
    return [
        f"{position} has {name} {stored[name]!r}, must have {wanted[name]!r}"
        for name in COMPARED
        if stored[name] != wanted[name]
    ]
