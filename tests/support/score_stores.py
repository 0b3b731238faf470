"""The score stage's stores in memory; each can be made to fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from common.errors import CacheUnavailableError
from contract.clock import EPOCH, MILLISECOND, parse_event_key
from contract.scored import from_history_item, to_history_item
from engine.profile import to_bytes
from score.errors import HistoryUnavailableError
from score.history_store import MAX_PAGES, REBUILD_ROWS, InsertResult, NewestRows, PastRow, RowKey
from score.profile_store import CachedProfile, CacheReading, PartitionProgress, progress_before
from tests.support.entity_stores import MemoryEntityStore
from tests.support.label_copies import MemoryLabelCopies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from contract.scored import Position, ScoredTransaction
    from score.checkpoint_items import KeptProfile
    from score.delivery import Rejected, Span
    from score.profile_store import ProfileWrite


class MemoryProfileStore(MemoryEntityStore):
    """Stores profiles, progress and entities by the rules of the Redis stores; can fail or lose on purpose.

    :class:`tests.support.cache_contract.CacheContract` compares the two.

    Attributes
    ----------
    values : dict[str, tuple[bytes, bytes]]
        Revision and profile, by user.
    marks : dict[tuple[str, int], tuple[int, int]]
        ``folded_to`` and ``fresh_from``, by topic and partition.
    labels : MemoryLabelCopies
        What the label stage copied.
    is_down : bool
        Every read and write fails.
    before_write : Callable[[], None] | None
        Called once, before the next write.
    reads, writes : int
        Calls so far.
    """

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, tuple[bytes, bytes]] = {}
        self.marks: dict[tuple[str, int], tuple[int, int]] = {}
        self.labels = MemoryLabelCopies()
        self.before_write: Callable[[], None] | None = None
        self.reads = self.writes = 0
        self._revision = 0

    def read(
        self, user_ids: Sequence[str], spans: Sequence[Span], entity_ids: Sequence[bytes] = ()
    ) -> CacheReading:
        self.reads += 1
        if self.is_down:
            raise CacheUnavailableError("down")
        profiles = {user_id: self._cached(user_id) for user_id in user_ids}
        reading = CacheReading(profiles, [self._progress(span) for span in spans])
        if entity_ids:
            self.read_entities(reading, spans, entity_ids)
            reading.labels = self.labels.read(user_ids, entity_ids)
        return reading

    def _cached(self, user_id: str) -> CachedProfile:
        if user_id not in self.values:
            return CachedProfile(None, b"")
        revision, body = self.values[user_id]
        return CachedProfile(body, revision)

    def _progress(self, span: Span) -> PartitionProgress:
        stored = self.marks.get((span.topic, span.partition))
        if stored is None:
            return PartitionProgress(span.topic, span.partition, span.first - 1, span.first)
        folded_to, fresh_from = stored
        if span.first > folded_to + 1:
            return PartitionProgress(span.topic, span.partition, span.first - 1, span.first, folded_to)
        return PartitionProgress(span.topic, span.partition, folded_to, fresh_from, folded_to)

    def write(self, writes: Sequence[ProfileWrite], progress: Sequence[PartitionProgress]) -> list[str]:
        self.writes += 1
        if self.before_write is not None:
            interruption, self.before_write = self.before_write, None
            interruption()
        if self.is_down:
            raise CacheUnavailableError("down")
        is_behind = False
        marks: dict[tuple[str, int], tuple[int, int]] = {}
        for mark in progress:
            partition = (mark.topic, mark.partition)
            folded_to, fresh_from = self.marks.get(partition, (-1, mark.fresh_from))
            if folded_to < mark.read_folded_to:
                raise CacheUnavailableError("WentBack")
            is_behind = is_behind or (partition in self.marks and folded_to > mark.folded_to)
            marks[partition] = (max(folded_to, mark.folded_to), max(fresh_from, mark.fresh_from))
        lost = []
        for write in writes:
            revision, _ = self.values.get(write.user_id, (b"", b""))
            if revision != write.expected_revision:
                lost.append(write.user_id)
            elif revision or not is_behind:
                self._revision += 1
                self.values[write.user_id] = (self._revision.to_bytes(8, "little"), to_bytes(write.profile))
        if not lost:
            self.marks |= marks
        return lost

    def go_back_to(self, earlier: MemoryProfileStore) -> None:
        """Hold what an earlier copy held, as a replica that lagged behind."""
        self.values, self.marks, self.labels = earlier.values, earlier.marks, earlier.labels
        self.go_back_entities(earlier)

    def body(self, user_id: str) -> bytes:
        return self.values[user_id][1]


class MemoryCheckpointStore:
    """Profiles and marks as DynamoDB holds them: nothing is evicted, and a write is not one step."""

    def __init__(self) -> None:
        self.values: dict[str, tuple[bytes, bytes, int, bool]] = {}
        """Revision, body, version, whether it was kept."""
        self.marks: dict[tuple[str, int], tuple[int, int]] = {}
        self.is_down = False
        self._revision = 0

    def read(
        self, user_ids: Sequence[str], spans: Sequence[Span], has_time: Callable[[], bool]
    ) -> CacheReading:
        if self.is_down:
            raise CacheUnavailableError("throttled")
        profiles = {}
        for user_id in user_ids:
            revision, body, _, is_kept = self.values.get(user_id, (b"", None, 0, False))
            profiles[user_id] = CachedProfile(body, revision, is_kept)
        progress = [progress_before(span, self.marks.get((span.topic, span.partition))) for span in spans]
        return CacheReading(profiles, progress)

    def write(
        self,
        writes: Sequence[ProfileWrite],
        progress: Sequence[PartitionProgress],
        has_time: Callable[[], bool],
    ) -> list[str]:
        if self.is_down:
            raise CacheUnavailableError("throttled")
        lost = [write.user_id for write in writes if not self.write_one(write)]
        if not lost:
            self.advance(progress)
        return lost

    def write_one(self, write: ProfileWrite) -> bool:
        """Write one profile; return whether it was still as it was read."""
        if self.values.get(write.user_id, (b"",))[0] != write.expected_revision:
            return False
        self._put(write.user_id, to_bytes(write.profile), write.profile.tx_count, is_kept=False)
        return True

    def advance(self, progress: Sequence[PartitionProgress]) -> None:
        """Move the marks forward."""
        for mark in progress:
            partition = (mark.topic, mark.partition)
            folded_to, fresh_from = self.marks.get(partition, (-1, mark.fresh_from))
            if folded_to < mark.read_folded_to:
                raise CacheUnavailableError("WentBack")
            self.marks[partition] = (max(folded_to, mark.folded_to), max(fresh_from, mark.fresh_from))

    def keep(self, profiles: Sequence[KeptProfile], has_time: Callable[[], bool]) -> set[str]:
        if self.is_down:
            return set()
        for kept in profiles:
            if kept.user_id not in self.values or self.values[kept.user_id][2] <= kept.version:
                self._put(kept.user_id, kept.body, kept.version, is_kept=True)
        return {kept.user_id for kept in profiles}

    def _put(self, user_id: str, body: bytes, version: int, *, is_kept: bool) -> None:
        self._revision += 1
        self.values[user_id] = (self._revision.to_bytes(8, "little"), body, version, is_kept)


def as_answered(item: Mapping[str, Any]) -> msgspec.Raw:
    """A row as it is in the answer to a `Query`."""
    return msgspec.Raw(msgspec.json.encode(item))


def past_row(item: Mapping[str, Any]) -> PastRow:
    """A row of which a `Query` read key and position."""
    return PastRow.of(as_answered(item))


def newest_rows(
    items: Mapping[RowKey, dict[str, dict[str, str]]], after_ms: Mapping[str, int | None]
) -> Iterator[NewestRows]:
    """Each user's newest rows, as the history's queries answer."""
    for user_id, after in after_ms.items():
        own = [
            as_answered(item)
            for key, item in sorted(items.items())
            if key[0] == user_id and _is_after(key[1], after)
        ]
        most = REBUILD_ROWS * (1 if after is None else MAX_PAGES)
        yield NewestRows.of(user_id, own[-most:])


def _is_after(event_key: str, after_ms: int | None) -> bool:
    return after_ms is None or (parse_event_key(event_key)[0] - EPOCH) // MILLISECOND > after_ms


class MemoryHistoryStore:
    """Rows in wire form by key; inserts can be made to fail."""

    def __init__(self) -> None:
        self.rows: dict[RowKey, dict[str, dict[str, str]]] = {}
        self.fail: Callable[[ScoredTransaction], bool] = lambda _: False
        self.is_down = False
        self.lookups = self.queries = 0

    def insert(self, rows: Sequence[ScoredTransaction], has_time: Callable[[], bool]) -> list[InsertResult]:
        keys = {(row.transaction.user_id, row.event_key) for row in rows}
        assert len(keys) == len(rows), "DynamoDB refuses a request with two statements on one key"
        return [self._insert(row) for row in rows]

    def _insert(self, row: ScoredTransaction) -> InsertResult:
        if self.fail(row):
            return InsertResult.FAILED
        key = (row.transaction.user_id, row.event_key)
        if key in self.rows:
            return InsertResult.EXISTS
        self.rows[key] = to_history_item(row, 0)
        return InsertResult.STORED

    def find(self, keys: Sequence[RowKey], has_time: Callable[[], bool]) -> dict[RowKey, ScoredTransaction]:
        self.lookups += 1
        return {key: from_history_item(self.rows[key]) for key in keys if key in self.rows}

    def newest(
        self, after_ms: Mapping[str, int | None], has_time: Callable[[], bool]
    ) -> Iterator[NewestRows]:
        self.queries += len(after_ms)
        if self.is_down:
            raise HistoryUnavailableError("down")
        yield from newest_rows(self.rows, after_ms)

    def scored(self) -> list[ScoredTransaction]:
        return [from_history_item(row) for _, row in sorted(self.rows.items())]


class MemoryQuarantine:
    """Keeps quarantined records; can refuse positions."""

    def __init__(self) -> None:
        self.kept: list[Rejected] = []
        self.refused: set[Position] = set()

    def put(self, rejected: Sequence[Rejected]) -> set[Position]:
        self.kept += [record for record in rejected if record.position not in self.refused]
        return {record.position for record in rejected if record.position in self.refused}
