"""What is known of one batch's entities while it is processed: their state as it was read, and what the batch adds to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.entity_ids import EntityIds, entity_ids
from contract.scored import Decision
from engine.entities.book import NO_ENTITIES, EntityBook
from engine.entities.kinds import POPULATION_IDS
from engine.entities.sightings import additions, sighting_of
from engine.features.stored import features_of
from score.entity_store import EntityAdditions, EntityMark
from score.user_chain import row_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from contract.scored import Position, ScoredTransaction
    from engine.entities.book import EntityReading
    from engine.entities.state import Sighting
    from score.delivery import Batch, Delivery, Span
    from score.history_store import RowKey
    from score.profile_store import CacheReading
    from score.user_chain import SettledChain


class EntityWork:
    """A batch's entities.

    A payment sees what the cache held when the batch was read, and every earlier payment of the batch that is new. What is written in
    the end are additions, since other batches add to the same entities meanwhile.

    Parameters
    ----------
    batch : Batch
        Its records.
    now_s : int
        When it was received, s since the epoch.

    Attributes
    ----------
    keys : list[bytes]
        Ids of all entities that the batch touches, and of the populations.
    gap_s : int
        When the batch found that payments before it are missing in the state, s since the epoch; 0 where it did not.
    """

    def __init__(self, batch: Batch, now_s: int) -> None:
        self._batch = batch
        self._now_s = now_s
        self._ids: dict[Position, EntityIds] = {
            delivery.position: entity_ids(delivery.facts.transaction) for delivery in batch.deliveries
        }
        touched = {
            entity_id: None for ids in self._ids.values() for entity_id in ids if entity_id is not None
        }
        self.keys = [*POPULATION_IDS, *touched]
        self.gap_s = 0
        self._book: EntityBook | None = None
        self._counted_to: dict[tuple[str, int], int] = {}
        """By partition; empty where no state was read."""
        self._lost_to: dict[tuple[str, int], int] = {}
        """By partition: the offset up to which the state had counted, before the cache lost that."""
        self._sightings: dict[Position, Sighting] = {}
        """Of what this try scored. A payment that two partitions bring has one, at the record that its row names."""

    def use(self, reading: CacheReading) -> None:
        """Use what the cache held of :attr:`keys`."""
        self.use_marks(reading.counted_to, self._now_s)
        self._book = EntityBook(reading.entities, max(reading.complete_since_s, self.gap_s))

    def use_marks(self, counted_to: Sequence[int], read_s: int) -> None:
        """Use the partitions' marks, in the order of the batch's spans, as they were read at this time, s since the epoch.

        A mark that lies before the batch is a gap. So is one that lies before what was read earlier: the cache has lost payments that this
        batch did not look up, because they were counted.
        """
        for span, offset in zip(self._batch.spans, counted_to, strict=True):
            partition = span.topic, span.partition
            before = self._counted_to.get(partition, offset)
            if offset < before:
                self._lost_to[partition] = max(before, self._lost_to.get(partition, before))
            self._counted_to[partition] = offset
            if span.first > offset + 1 or partition in self._lost_to:
                self.gap_s = read_s

    def is_counted(self, position: Position) -> bool | None:
        """Whether the entities' state had this payment when it was read; None where no state was read."""
        if not self._counted_to:
            return None
        return position.offset <= self._counted_to[position.topic, position.partition]

    def ids(self, delivery: Delivery) -> EntityIds:
        """Ids of a payment's entities."""
        return self._ids[delivery.position]

    def known(self, delivery: Delivery) -> EntityReading:
        """What is known of a payment's entities before it."""
        if self._book is None:
            return NO_ENTITIES
        return self._book.read(self._ids[delivery.position], delivery.facts.clock_ms // 1000)

    def see(self, delivery: Delivery, sighting: Sighting) -> None:
        """Let later payments of the batch see this one."""
        self._sightings[delivery.position] = sighting
        if self._book is not None and not self.is_counted(delivery.position):
            self._book.fold(self._ids[delivery.position], sighting)

    def see_stored(self, delivery: Delivery, existing: Mapping[RowKey, ScoredTransaction]) -> None:
        """Let later payments of the batch see one that an earlier try stored and folded, and ended before entities counted it."""
        row = _own_row(delivery, existing)
        if row is not None and delivery.position not in self._sightings:
            self.see(delivery, _sighting_of_row(delivery, row))

    def additions(
        self,
        settled: Iterable[SettledChain],
        existing: Mapping[RowKey, ScoredTransaction],
        failed: set[Position],
    ) -> EntityAdditions | None:
        """Give what the batch adds, up to each partition's first failed offset.

        Parameters
        ----------
        settled : Iterable[SettledChain]
            Of all users.
        existing : Mapping[RowKey, ScoredTransaction]
            Rows that other tries stored.
        failed : set[Position]
            What will be delivered again.

        Returns
        -------
        EntityAdditions | None
            None where every payment is counted.
        """
        marks = [self._mark(span, failed) for span in self._batch.spans] if self._counted_to else []
        if all(mark.read == mark.counted for mark in marks):
            return None
        sightings = {
            folded.delivery.position: sighting
            for chain in settled
            for folded in chain.folded
            if not folded.outcome.repeats
            and (sighting := self._sightings.get(folded.delivery.position)) is not None
        }
        for delivery in self._batch.deliveries if existing else ():
            # As it is stored, whatever this try saw. An earlier one may have folded it, and ended before its entities counted it.
            row = _own_row(delivery, existing)
            if row is not None:
                sightings[delivery.position] = _sighting_of_row(delivery, row)
        by_partition = {(mark.topic, mark.partition): mark for mark in marks}
        due = []
        for position, sighting in sightings.items():
            mark = by_partition[position.topic, position.partition]
            if mark.read < position.offset <= mark.counted and position.offset >= mark.first:
                due.append((self._ids[position], sighting))
        return EntityAdditions(marks, additions(due), self.gap_s)

    def _mark(self, span: Span, failed: set[Position]) -> EntityMark:
        read = self._counted_to[span.topic, span.partition]
        counted = max(read, span.done_to(failed))
        # Behind what the state had, and lost.
        first = max(span.first, min(self._lost_to.get((span.topic, span.partition), -1), counted) + 1)
        return EntityMark(span.topic, span.partition, first, read, counted)


def _own_row(delivery: Delivery, existing: Mapping[RowKey, ScoredTransaction]) -> ScoredTransaction | None:
    """The row that was stored from this record, of a payment that counts."""
    row = existing.get(row_key(delivery))
    return None if row is None or row.position != delivery.position or row.repeats else row


def _sighting_of_row(delivery: Delivery, row: ScoredTransaction) -> Sighting:
    is_approved = row.decision is Decision.APPROVE
    return sighting_of(
        row.transaction.user_id, delivery.facts.clock_ms, features_of(row), is_approved=is_approved
    )
