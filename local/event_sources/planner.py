"""Decides what a mapping does next: holds the queues of all its partitions or shards, and makes batches of them.

Pure, as its queues are. Queues of one *group* may share a batch, as the partitions of one Kafka poller do; a shard's queues
never share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.event_sources.ordered_queue import OrderedQueue
from local.event_sources.records import Batch, Discard, Piece, Policy, QueueKey, ResumePoint, SourceRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from local.event_sources.records import DeliveryResult


class Planner:
    """Plans deliveries under one policy; it has no queues at first."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._queues: dict[QueueKey, OrderedQueue] = {}
        self._groups: dict[str, list[OrderedQueue]] = {}
        self._turn: list[str] = []
        self._read_to: dict[str, str] = {}

    def add_queue(self, key: QueueKey, group: str) -> None:
        """Add a queue; one that exists is left as it is."""
        if key not in self._queues:
            queue = self._queues[key] = OrderedQueue(key, self._policy)
            if group not in self._groups:
                self._groups[group] = []
                self._turn.append(group)
            self._groups[group].append(queue)

    def offer(
        self, origin: str, records: Mapping[QueueKey, Iterable[SourceRecord]], read_to: str, now_s: float
    ) -> None:
        """Take records that were read from one origin.

        Parameters
        ----------
        origin : str
            Partition or shard.
        records : Mapping[QueueKey, Iterable[SourceRecord]]
            The records that passed the filter, in order within each queue.
        read_to : str
            Identifier of the last record that was read, whether it passed or not.
        now_s : float
            Seconds since the epoch.
        """
        for key, of_queue in records.items():
            self._queues[key].offer(of_queue, now_s)
        self._read_to[origin] = read_to

    def next(self, now_s: float) -> Batch | Discard | None:
        """Return what to do now: deliver a batch, dead-letter records, or nothing."""
        for queue in self._queues.values():
            work = queue.next_piece(now_s)
            if isinstance(work, Discard):
                return work
            if work is not None:
                return Batch((work,))
        for group in list(self._turn):
            found = self._next_fresh(self._groups[group], now_s)
            if found is not None:
                # To the end: a group with many records does not starve the others.
                self._turn.remove(group)
                self._turn.append(group)
                return found
        return None

    def next_due_s(self) -> float | None:
        """Return when there is something to do at the latest, seconds since the epoch; None if only new records can change that."""
        times = [due for queue in self._queues.values() if (due := queue.due_at_s()) is not None]
        times += [
            queue.oldest_offer_s + self._policy.batch_window_seconds
            for queue in self._queues.values()
            if queue.has_deliverable_fresh
        ]
        return min(times, default=None)

    def settle(self, batch: Batch, result: DeliveryResult, now_s: float) -> int:
        """Apply the result of a batch.

        Returns
        -------
        int
            Records that are done by it.
        """
        before = sum(len(piece.records) for piece in batch.pieces)
        left = 0
        for piece in batch.pieces:
            queue = self._queues[piece.queue]
            rest = queue.unfinished - len(piece.records)
            queue.settle(result, now_s, shared=len(batch.pieces) > 1)
            left += queue.unfinished - rest
        return before - left

    def finish_discard(self, discard: Discard) -> None:
        """Remove discarded records: the on-failure destination has received them."""
        self._queues[discard.piece.queue].finish_discard()

    def postpone_discard(self, discard: Discard) -> None:
        """Keep discarded records, so that :meth:`next` returns them again."""
        self._queues[discard.piece.queue].postpone_discard()

    def unfinished(self, origin: str | None = None) -> int:
        """Return how many records are not done, of one origin or of all."""
        return sum(queue.unfinished for queue in self._of(origin))

    def fresh(self, origin: str) -> tuple[int, int]:
        """Return how many records of an origin were never delivered, and their bytes."""
        queues = self._of(origin)
        return sum(queue.fresh_count for queue in queues), sum(queue.fresh_bytes for queue in queues)

    def resume_point(self, origin: str) -> ResumePoint:
        """Return where reading an origin resumes after a restart."""
        waiting = [first for queue in self._of(origin) if (first := queue.first_unfinished) is not None]
        return ResumePoint(
            first_unfinished=min(waiting, key=lambda record: record.position, default=None),
            read_to=self._read_to.get(origin),
        )

    def _of(self, origin: str | None) -> list[OrderedQueue]:
        return [queue for key, queue in self._queues.items() if origin is None or key.origin == origin]

    def _next_fresh(self, queues: list[OrderedQueue], now_s: float) -> Batch | Discard | None:
        ready = [queue for queue in queues if queue.has_deliverable_fresh]
        if not ready or not self._is_due(ready, now_s):
            return None
        ready.sort(key=lambda queue: queue.oldest_offer_s)
        pieces: list[Piece] = []
        count_left, bytes_left = self._policy.batch_size, self._policy.max_batch_bytes
        for queue in ready:
            work = queue.next_fresh(count_left, bytes_left, now_s)
            if isinstance(work, Discard):
                if not pieces:
                    return work
                queue.postpone_discard()  # returned again, before anything else of its queue
            elif work is not None:
                pieces.append(work)
                count_left -= len(work.records)
                bytes_left -= sum(len(record.document) + 1 for record in work.records)
        return Batch(tuple(pieces)) if pieces else None

    def _is_due(self, ready: list[OrderedQueue], now_s: float) -> bool:
        return (
            sum(queue.fresh_count for queue in ready) >= self._policy.batch_size
            or sum(queue.fresh_bytes for queue in ready) >= self._policy.max_batch_bytes
            or now_s >= min(queue.oldest_offer_s for queue in ready) + self._policy.batch_window_seconds
        )
