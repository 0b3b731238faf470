"""What a mapping does next: the lanes of all its partitions or shards, and the batches that are made of them.

Pure, as its lanes are. Lanes of one *group* may share a batch, as the partitions of one Kafka poller do; a shard's lanes
never share.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.event_sources.lane import Lane
from local.event_sources.records import Batch, Discard, LaneKey, Piece, Policy, Progress, SourceRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from local.event_sources.records import Outcome


class Planner:
    """Plan deliveries under one policy; there are no lanes at first."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._lanes: dict[LaneKey, Lane] = {}
        self._groups: dict[str, list[Lane]] = {}
        self._turn: list[str] = []
        self._read_to: dict[str, str] = {}

    def add_lane(self, key: LaneKey, group: str) -> None:
        """Take on a lane; one that is there stays as it is."""
        if key not in self._lanes:
            lane = self._lanes[key] = Lane(key, self._policy)
            if group not in self._groups:
                self._groups[group] = []
                self._turn.append(group)
            self._groups[group].append(lane)

    def offer(
        self, origin: str, records: Mapping[LaneKey, Iterable[SourceRecord]], read_to: str, now_s: float
    ) -> None:
        """Take what was read of one origin.

        Parameters
        ----------
        origin : str
            Partition or shard.
        records : Mapping[LaneKey, Iterable[SourceRecord]]
            What the filter let through, each lane's in order.
        read_to : str
            Identifier of the last record that was read, whether it got through or not.
        now_s : float
            Seconds since the epoch.
        """
        for key, of_lane in records.items():
            self._lanes[key].offer(of_lane, now_s)
        self._read_to[origin] = read_to

    def next(self, now_s: float) -> Batch | Discard | None:
        """Say what to do now: deliver a batch, tell of records that are given up, or nothing."""
        for lane in self._lanes.values():
            work = lane.next_piece(now_s)
            if isinstance(work, Discard):
                return work
            if work is not None:
                return Batch((work,))
        for group in list(self._turn):
            found = self._next_fresh(self._groups[group], now_s)
            if found is not None:
                self._turn.remove(
                    group
                )  # it goes to the end: a group with much to do does not starve the others
                self._turn.append(group)
                return found
        return None

    def next_due_s(self) -> float | None:
        """When there may be something to do if nothing else happens, seconds since the epoch; None where never."""
        times = [due for lane in self._lanes.values() if (due := lane.due_at_s()) is not None]
        times += [
            lane.oldest_offer_s + self._policy.batch_window_seconds
            for lane in self._lanes.values()
            if lane.fresh_count and not lane.busy and not lane.has_pieces
        ]
        return min(times, default=None)

    def settle(self, batch: Batch, outcome: Outcome, now_s: float) -> int:
        """Take in what a batch came to.

        Returns
        -------
        int
            Records that are done with by that.
        """
        before = sum(len(piece.records) for piece in batch.pieces)
        left = 0
        for piece in batch.pieces:
            lane = self._lanes[piece.lane]
            rest = lane.unfinished - len(piece.records)
            lane.settle(outcome, now_s, shared=len(batch.pieces) > 1)
            left += lane.unfinished - rest
        return before - left

    def finish_discard(self, discard: Discard) -> None:
        """Forget records that were given up: the on-failure destination has been told."""
        self._lanes[discard.piece.lane].finish_discard()

    def postpone_discard(self, discard: Discard) -> None:
        """Keep records that were given up, so that :meth:`next` says so again."""
        self._lanes[discard.piece.lane].postpone_discard()

    def unfinished(self, origin: str | None = None) -> int:
        """Records that are not done with, of one origin or of all."""
        return sum(lane.unfinished for lane in self._of(origin))

    def fresh(self, origin: str) -> tuple[int, int]:
        """Records of an origin that were never delivered: how many, and their bytes."""
        lanes = self._of(origin)
        return sum(lane.fresh_count for lane in lanes), sum(lane.fresh_bytes for lane in lanes)

    def progress(self, origin: str) -> Progress:
        """Say how far an origin has been dealt with."""
        waiting = [first for lane in self._of(origin) if (first := lane.first_unfinished) is not None]
        return Progress(
            first_unfinished=min(waiting, key=lambda record: record.position, default=None),
            read_to=self._read_to.get(origin),
        )

    def _of(self, origin: str | None) -> list[Lane]:
        return [lane for key, lane in self._lanes.items() if origin is None or key.origin == origin]

    def _next_fresh(self, lanes: list[Lane], now_s: float) -> Batch | Discard | None:
        ready = [lane for lane in lanes if lane.fresh_count and not lane.busy and not lane.has_pieces]
        if not ready or not self._is_due(ready, now_s):
            return None
        ready.sort(key=lambda lane: lane.oldest_offer_s)
        pieces: list[Piece] = []
        count_left, bytes_left = self._policy.batch_size, self._policy.max_batch_bytes
        for lane in ready:
            work = lane.next_fresh(count_left, bytes_left, now_s)
            if isinstance(work, Discard):
                if not pieces:
                    return work
                lane.postpone_discard()  # it comes again, before anything else of its lane
            elif work is not None:
                pieces.append(work)
                count_left -= len(work.records)
                bytes_left -= sum(len(record.document) + 1 for record in work.records)
        return Batch(tuple(pieces)) if pieces else None

    def _is_due(self, ready: list[Lane], now_s: float) -> bool:
        return (
            sum(lane.fresh_count for lane in ready) >= self._policy.batch_size
            or sum(lane.fresh_bytes for lane in ready) >= self._policy.max_batch_bytes
            or now_s >= min(lane.oldest_offer_s for lane in ready) + self._policy.batch_window_seconds
        )
