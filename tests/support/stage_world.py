"""The score stage's surroundings in memory, one step at a time: a topic, its consumer, and stores that fail on purpose.

A writer is one invocation of the stage in a thread of its own. It pauses before and after each call to a store until it is
stepped: so any number of them can be interleaved in any way, and any can be killed anywhere.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from contract.scored import Position, ScoredTransaction
from engine.profile import from_bytes, to_bytes
from score.errors import CacheUnavailableError, HistoryUnavailableError
from score.history_store import InsertResult, NewestRows, RowKey
from score.profile_store import CacheReading, PartitionProgress, ProfileWrite
from tests.support.kafka_events import TOPIC, make_event
from tests.support.score_stores import (
    MemoryCheckpointStore,
    MemoryHistoryStore,
    MemoryProfileStore,
    MemoryQuarantine,
    newest_rows,
)

if TYPE_CHECKING:
    from random import Random

    from score.checkpoint_items import KeptProfile
    from score.delivery import KafkaEvent, PartialBatchResponse, Rejected, Span
    from score.entity_store import EntityAdditions
    from score.user_chain import SettledChain

Pause = Callable[[], None]


class Killed(BaseException):
    """Ends a writer's thread where it pauses, as SIGKILL ends a process."""


class Writer:
    """One invocation of the stage, from its event to its answer.

    Parameters
    ----------
    spans : Mapping[int, tuple[int, int]]
        Partition to the first offset of the batch and the one after its last.
    run : Callable[[Pause], PartialBatchResponse]
        Handles the event, calling its argument wherever it may pause.
    """

    def __init__(
        self, spans: Mapping[int, tuple[int, int]], run: Callable[[Pause], PartialBatchResponse]
    ) -> None:
        self.spans = spans
        self.response: PartialBatchResponse | None = None
        """None if it has not answered, or ended with an error."""
        self.has_ended = False
        self._defect: BaseException | None = None
        self._is_killed = False
        # Each is released by the other thread; plain locks cost a third of semaphores.
        self._go, self._paused = threading.Lock(), threading.Lock()
        self._go.acquire()
        self._paused.acquire()
        self._thread = threading.Thread(target=self._run, args=(run,), daemon=True)
        self._thread.start()
        self._paused.acquire()

    def step(self, count: int = 1) -> None:
        """Continue to the next pause, ``count`` times, or to its end."""
        for _ in range(count):
            if self.has_ended:
                return
            self._go.release()
            self._paused.acquire()
        if self._defect is not None:
            raise self._defect

    def finish(self) -> None:
        """Continue to the end."""
        while not self.has_ended:
            self.step()

    def kill(self) -> None:
        """Kill it where it pauses."""
        self._is_killed = True
        self.finish()

    def _pause(self) -> None:
        self._paused.release()
        self._go.acquire()
        if self._is_killed:
            raise Killed

    def _run(self, run: Callable[[Pause], PartialBatchResponse]) -> None:
        try:
            self._pause()
            self.response = run(self._pause)
        except (Killed, HistoryUnavailableError):
            self.response = None  # the whole batch is delivered again
        except BaseException as error:  # noqa: BLE001 raised again by whoever steps
            self._defect = error
        finally:
            self.has_ended = True
            self._paused.release()


class CacheFault(Enum):
    """What happens to the next write to the cache."""

    LOST_ANSWER = "written, answered by a time-out"
    LATE = "answered by a time-out, and written some time later"
    TWICE = "written, and sent again by the client"
    PART = "cut off after some of the profiles"


@dataclass
class Faults:
    """What goes wrong at present, for all writers."""

    cache_down: bool = False
    checkpoints_down: bool = False
    next_cache_write: CacheFault | None = None
    history_unreadable: bool = False
    insert_failure_rate: float = 0.0
    """Share of rows that are not stored."""
    lost_answer_rate: float = 0.0
    """Share of rows that are stored, but reported as failed."""
    quarantine_down: bool = False


@dataclass
class Surroundings:
    """Everything that outlives an invocation."""

    profiles: MemoryProfileStore = field(default_factory=MemoryProfileStore)
    checkpoints: MemoryCheckpointStore = field(default_factory=MemoryCheckpointStore)
    history: MemoryHistoryStore = field(default_factory=MemoryHistoryStore)
    quarantine: MemoryQuarantine = field(default_factory=MemoryQuarantine)
    faults: Faults = field(default_factory=Faults)
    late_writes: list[Callable[[], object]] = field(default_factory=list)
    """Cache writes that have not arrived yet."""


class SteppedProfiles:
    """The cache as one writer sees it."""

    def __init__(self, world: Surroundings, pause: Pause, random: Random) -> None:
        self._world = world
        self._pause = pause
        self._random = random

    def read(
        self, user_ids: Sequence[str], spans: Sequence[Span], entity_ids: Sequence[bytes] = ()
    ) -> CacheReading:
        self._pause()
        if self._world.faults.cache_down:
            raise CacheUnavailableError("down")
        reading = self._world.profiles.read(user_ids, spans, entity_ids)
        self._pause()
        return reading

    def add(self, additions: EntityAdditions) -> list[int]:
        self._pause()
        faults, entities = self._world.faults, self._world.profiles
        if faults.cache_down:
            raise CacheUnavailableError("down")
        fault, faults.next_cache_write = faults.next_cache_write, None
        if fault is CacheFault.LATE:
            self._world.late_writes.append(lambda: entities.add(additions))
            raise CacheUnavailableError("time-out")
        if fault is CacheFault.PART:
            raise CacheUnavailableError("reset")  # a script runs whole or not at all
        marks = entities.add(additions)
        if fault is CacheFault.LOST_ANSWER:
            raise CacheUnavailableError("time-out")
        if fault is CacheFault.TWICE:
            marks = entities.add(additions)
        self._pause()
        return marks

    def write(self, writes: Sequence[ProfileWrite], progress: Sequence[PartitionProgress]) -> list[str]:
        self._pause()
        faults, profiles = self._world.faults, self._world.profiles
        if faults.cache_down:
            raise CacheUnavailableError("down")
        fault, faults.next_cache_write = faults.next_cache_write, None
        if fault is CacheFault.LATE:
            # The bytes as they are now are sent.
            sent = [_frozen(write) for write in writes]

            def arrive() -> None:
                with suppress(CacheUnavailableError):  # refused; nobody reads the answer
                    profiles.write(sent, progress)

            self._world.late_writes.append(arrive)
            raise CacheUnavailableError("time-out")
        if fault is CacheFault.PART:
            profiles.write(writes[: self._random.randint(0, len(writes))], [])
            raise CacheUnavailableError("reset")
        lost = profiles.write(writes, progress)
        if fault is CacheFault.LOST_ANSWER:
            raise CacheUnavailableError("time-out")
        if fault is CacheFault.TWICE:
            lost = profiles.write(writes, progress)
        self._pause()
        return lost


class SteppedCheckpoints:
    """The checkpoints as one writer sees them: each profile is written by a request of its own, the marks after all of them."""

    def __init__(self, world: Surroundings, pause: Pause, random: Random) -> None:
        self._world = world
        self._pause = pause
        self._random = random

    def read(
        self, user_ids: Sequence[str], spans: Sequence[Span], has_time: Callable[[], bool]
    ) -> CacheReading:
        self._pause()
        self._fail_if_down()
        reading = self._world.checkpoints.read(user_ids, spans, has_time)
        self._pause()
        return reading

    def write(
        self,
        writes: Sequence[ProfileWrite],
        progress: Sequence[PartitionProgress],
        has_time: Callable[[], bool],
    ) -> list[str]:
        lost = []
        for write in self._random.sample(writes, len(writes)):
            self._pause()
            self._fail_if_down()
            if not self._world.checkpoints.write_one(write):
                lost.append(write.user_id)
        self._pause()
        self._fail_if_down()
        if not lost:
            self._world.checkpoints.advance(progress)
        self._pause()
        return lost

    def keep(self, profiles: Sequence[KeptProfile], has_time: Callable[[], bool]) -> set[str]:
        self._pause()
        if self._world.faults.checkpoints_down:
            return set()
        kept = self._world.checkpoints.keep(profiles, has_time)
        self._pause()
        return kept

    def _fail_if_down(self) -> None:
        if self._world.faults.checkpoints_down:
            raise CacheUnavailableError("throttled")


def _frozen(write: ProfileWrite) -> ProfileWrite:
    profile = from_bytes(to_bytes(write.profile))
    return ProfileWrite(write.user_id, profile, write.expected_revision)


class SteppedHistory:
    """The history as one writer sees it: rows in any order, as parallel requests store them."""

    def __init__(self, world: Surroundings, pause: Pause, random: Random) -> None:
        self._world = world
        self._pause = pause
        self._random = random

    def insert(self, rows: Sequence[ScoredTransaction], has_time: Callable[[], bool]) -> list[InsertResult]:
        assert len({(row.transaction.user_id, row.event_key) for row in rows}) == len(rows)
        outcome = [InsertResult.FAILED] * len(rows)
        for index in self._random.sample(range(len(rows)), len(rows)):
            self._pause()
            outcome[index] = self._insert(rows[index])
        self._pause()
        return outcome

    def _insert(self, row: ScoredTransaction) -> InsertResult:
        faults = self._world.faults
        if self._random.random() < faults.insert_failure_rate:
            return InsertResult.FAILED
        [result] = self._world.history.insert([row], lambda: True)
        return InsertResult.FAILED if self._random.random() < faults.lost_answer_rate else result

    def find(self, keys: Sequence[RowKey], has_time: Callable[[], bool]) -> dict[RowKey, ScoredTransaction]:
        self._read()
        found = self._world.history.find(keys, has_time)
        self._pause()
        return found

    def newest(
        self, after_ms: Mapping[str, int | None], has_time: Callable[[], bool]
    ) -> Iterator[NewestRows]:
        self._read()
        found = list(newest_rows(self._world.history.rows, after_ms))
        self._pause()
        yield from found

    def _read(self) -> None:
        self._pause()
        if self._world.faults.history_unreadable:
            raise HistoryUnavailableError("throttled")


class SteppedQuarantine:
    """The quarantine as one writer sees it."""

    def __init__(self, world: Surroundings, pause: Pause) -> None:
        self._world = world
        self._pause = pause

    def put(self, rejected: Sequence[Rejected]) -> set[Position]:
        self._pause()
        if self._world.faults.quarantine_down:
            return {record.position for record in rejected}
        failed = self._world.quarantine.put(rejected)
        self._pause()
        return failed


@dataclass(frozen=True)
class LoggedRecord:
    """A record as the broker keeps it; at each delivery it is the same."""

    value: bytes | None
    appended_at_ms: int
    is_trusted: bool = False


class Topic:
    """Partitions with their records, and the offset that the consumer has committed on each."""

    def __init__(self, partitions: int) -> None:
        self.logs: list[list[LoggedRecord]] = [[] for _ in range(partitions)]
        self.committed = [0] * partitions
        self.highest_committed = [0] * partitions
        self._not_before = [0] * partitions

    def append(self, partition: int, record: LoggedRecord) -> Position:
        """Append one record."""
        self.logs[partition].append(record)
        return Position(TOPIC, partition, len(self.logs[partition]) - 1)

    def backlog(self, partition: int) -> int:
        """Records from the committed offset on."""
        return len(self.logs[partition]) - self.committed[partition]

    def add_partition(self) -> None:
        """Add an empty one. Keys move, and Kafka has no order between a user's partitions, so earlier records are not redelivered."""
        self._not_before = [*self.highest_committed, 0]
        self.logs.append([])
        self.committed.append(0)
        self.highest_committed.append(0)

    def rewind(self, partition: int, count: int) -> None:
        """Undo the latest commits, as for a consumer whose commit was lost."""
        self.committed[partition] = max(
            self.committed[partition] - count, min(self._not_before[partition], self.committed[partition])
        )

    def event(self, sizes: Mapping[int, int]) -> tuple[dict[int, tuple[int, int]], KafkaEvent]:
        """The next batch: at most so many records of each partition."""
        spans = {}
        records: list[tuple[Position, LoggedRecord]] = []
        for partition, size in sizes.items():
            first = self.committed[partition]
            stop = min(first + size, len(self.logs[partition]))
            if stop > first:
                spans[partition] = (first, stop)
                records += [
                    (Position(TOPIC, partition, offset), self.logs[partition][offset])
                    for offset in range(first, stop)
                ]
        return spans, make_event(
            [(position, record.value) for position, record in records],
            appended_at_ms=[record.appended_at_ms for _, record in records],
            is_trusted=[record.is_trusted for _, record in records],
        )

    def answered(self, writer: Writer) -> None:
        """Commit what a writer's answer says is done: up to the lowest record to be delivered again."""
        if writer.response is None:
            return
        for partition, (_, stop) in writer.spans.items():
            again = [
                failure["itemIdentifier"]["offset"]
                for failure in writer.response["batchItemFailures"]
                if failure["itemIdentifier"]["partition"] == f"{TOPIC}-{partition}"
            ]
            self.committed[partition] = min([stop, *again])
            self.highest_committed[partition] = max(
                self.highest_committed[partition], self.committed[partition]
            )


class NoTelemetry:
    """Accepts every report and keeps none."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


class RacedTelemetry(NoTelemetry):
    """Keeps which rows were reported as decided behind one that was stored otherwise."""

    def __init__(self, raced: set[Position]) -> None:
        self._raced = raced

    def chain_settled(self, settled: SettledChain) -> None:
        self._raced.update(settled.raced)
