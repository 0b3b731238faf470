"""The score stage's stores in memory; a test can make each of them fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.scored import from_history_item, to_history_item
from score.errors import CacheUnavailableError, HistoryUnavailableError
from score.history_store import Insert, RowKey
from score.profile_store import CachedProfile, Progress, Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from contract.scored import Position, ScoredTransaction
    from score.delivery import Rejected, Span
    from score.profile_store import ProfileWrite


class MemoryProfileStore:
    """Keeps profiles and progress by the rules of the Redis store; fails, or lets another writer in, when a test asks for it."""

    def __init__(self) -> None:
        self.values: dict[str, tuple[bytes, bytes]] = {}
        self.marks: dict[tuple[str, int], tuple[int, int]] = {}
        self.is_down = False
        self.before_write: Callable[[], None] | None = None
        self.reads = self.writes = 0
        self._revision = 0

    def read(self, user_ids: Sequence[str], spans: Sequence[Span]) -> Reading:
        self.reads += 1
        if self.is_down:
            raise CacheUnavailableError("down")
        profiles = {}
        for user_id in user_ids:
            revision, body = self.values.get(user_id, (b"", b""))
            profiles[user_id] = CachedProfile(body or None, revision)
        progress = []
        for span in spans:
            folded_to, fresh_from = self.marks.get((span.topic, span.partition), (-2, 0))
            read_folded_to = max(folded_to, -1)
            if span.first > folded_to + 1:
                folded_to, fresh_from = span.first - 1, span.first
            progress.append(Progress(span.topic, span.partition, folded_to, fresh_from, read_folded_to))
        return Reading(profiles, progress)

    def write(self, writes: Sequence[ProfileWrite], progress: Sequence[Progress]) -> list[str]:
        self.writes += 1
        if self.before_write is not None:
            interruption, self.before_write = self.before_write, None
            interruption()
        if self.is_down:
            raise CacheUnavailableError("down")
        lost = []
        stored = [self.marks.get((mark.topic, mark.partition), (-1, 0))[0] for mark in progress]
        if any(folded_to < mark.read_folded_to for folded_to, mark in zip(stored, progress, strict=True)):
            raise CacheUnavailableError("WentBack")
        is_behind = any(folded_to > mark.folded_to for folded_to, mark in zip(stored, progress, strict=True))
        for write in writes:
            if self.values.get(write.user_id, (b"", b""))[0] != write.expected_revision:
                lost.append(write.user_id)
                continue
            if is_behind and not write.expected_revision:
                continue
            self._revision += 1
            self.values[write.user_id] = (
                self._revision.to_bytes(8, "little"),
                write.profile.to_bytes(),
            )
        if not lost:
            for mark in progress:
                folded_to, fresh_from = self.marks.get((mark.topic, mark.partition), (-1, 0))
                self.marks[mark.topic, mark.partition] = (
                    max(folded_to, mark.folded_to),
                    max(fresh_from, mark.fresh_from),
                )
        return lost

    def body(self, user_id: str) -> bytes:
        return self.values[user_id][1]


class MemoryHistoryStore:
    """Rows in wire form by key; inserts fail when a test asks for it."""

    def __init__(self) -> None:
        self.rows: dict[RowKey, dict[str, dict[str, str]]] = {}
        self.fail: Callable[[ScoredTransaction], bool] = lambda _: False
        self.is_down = False
        self.lookups = self.queries = 0

    def insert(self, rows: Sequence[ScoredTransaction], has_time: Callable[[], bool]) -> list[Insert]:
        keys = {(row.transaction.user_id, row.transaction.event_key) for row in rows}
        assert len(keys) == len(rows), "DynamoDB refuses a request with two statements on one key"
        return [self._insert(row) for row in rows]

    def _insert(self, row: ScoredTransaction) -> Insert:
        if self.fail(row):
            return Insert.FAILED
        key = (row.transaction.user_id, row.transaction.event_key)
        if key in self.rows:
            return Insert.STANDS
        self.rows[key] = to_history_item(row, 0)
        return Insert.STORED

    def positions(self, keys: Sequence[RowKey], has_time: Callable[[], bool]) -> dict[RowKey, Position]:
        self.lookups += 1
        return {key: from_history_item(self.rows[key]).position for key in keys if key in self.rows}

    def newest(
        self, user_ids: Sequence[str], has_time: Callable[[], bool]
    ) -> Iterator[tuple[str, list[ScoredTransaction]]]:
        self.queries += len(user_ids)
        if self.is_down:
            raise HistoryUnavailableError("down")
        rows = {key: from_history_item(row) for key, row in sorted(self.rows.items())}
        for user in user_ids:
            yield user, [row for key, row in rows.items() if key[0] == user]

    def scored(self) -> list[ScoredTransaction]:
        return [from_history_item(row) for _, row in sorted(self.rows.items())]


class MemoryQuarantine:
    """Keeps quarantined records; fails for the positions in ``refused``."""

    def __init__(self) -> None:
        self.kept: list[Rejected] = []
        self.refused: set[Position] = set()

    def put(self, rejected: Sequence[Rejected]) -> set[Position]:
        self.kept += [record for record in rejected if record.position not in self.refused]
        return {record.position for record in rejected if record.position in self.refused}
