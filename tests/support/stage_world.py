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

from common.errors import CacheUnavailableError
from engine.profile import from_bytes, to_bytes
from score.errors import HistoryUnavailableError
from score.history_store import InsertResult, NewestRows, RowKey
from score.profile_store import CacheReading, PartitionProgress, ProfileWrite
from tests.support.score_stores import (
    MemoryCheckpointStore,
    MemoryHistoryStore,
    MemoryProfileStore,
    MemoryQuarantine,
    newest_rows,
)

if TYPE_CHECKING:
    from random import Random

    from cache.label_copies import LabelCopies
    from contract.scored import Position, ScoredTransaction
    from score.checkpoint_items import KeptProfile
    from score.delivery import PartialBatchResponse, Rejected, Span
    from score.entity_store import EntityAdditions
    from score.user_chain import SettledChain
    from tests.support.entity_stores import Counted

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
    losses: int = 0
    """How often the cache lost data."""


class SteppedProfiles:
    """The cache as one writer sees it."""

    def __init__(self, world: Surroundings, pause: Pause, random: Random) -> None:
        self._world = world
        self._pause = pause
        self._random = random
        self.counted: tuple[Counted, ...] | None = None
        """What the entities had counted when they were read; None where they were not."""
        self.labels: LabelCopies | None = None
        """What labels said when they were read; None where they were not."""
        self.has_failed = False
        """Whether what entities must count was sent, and its answer was an error."""

    def read(
        self, user_ids: Sequence[str], spans: Sequence[Span], entity_ids: Sequence[bytes] = ()
    ) -> CacheReading:
        self._pause()
        if self._world.faults.cache_down:
            raise CacheUnavailableError("down")
        reading = self._world.profiles.read(user_ids, spans, entity_ids)
        if entity_ids:
            self.counted = tuple(self._world.profiles.counted)
            self.labels = reading.labels
        self._pause()
        return reading

    def add(self, additions: EntityAdditions) -> list[int]:
        try:
            return self._add(additions)
        except CacheUnavailableError:
            self.has_failed = True
            raise

    def _add(self, additions: EntityAdditions) -> list[int]:
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
