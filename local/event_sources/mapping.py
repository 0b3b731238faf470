"""An event source mapping at work: a source that reads, a planner that decides, threads that invoke.

One lock guards the planner. Readers offer, invokers settle, and one thread hands out what the planner says is due.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from local.event_sources.config import MappingCounters
from local.event_sources.destination import invocation_record
from local.event_sources.planner import Planner
from local.event_sources.records import Batch, Discard, LaneKey, Policy, Progress, SourceRecord
from local.event_sources.response import read_outcome
from local.runtime.invocation import InvocationResult
from local.runtime.pool import PoolStoppedError

logger = logging.getLogger(__name__)

Invoke = Callable[[bytes], InvocationResult]

BUFFERED_BATCHES = 4
"""Batches that are read ahead of each partition or shard; more would only be memory."""


class SourceUnavailableError(Exception):
    """A source that cannot be asked at the moment; says what it answered."""


class Sink(Protocol):
    """What a source gives its records to."""

    def add_lane(self, key: LaneKey, group: str) -> None:
        """Announce a lane before the first record of it."""

    def offer(
        self, origin: str, records: Mapping[LaneKey, list[SourceRecord]], read_to: str, filtered: int
    ) -> None:
        """Give what was read of one partition or shard, and how many more the filter dropped."""

    def wait_for_room(self, origin: str, timeout_seconds: float) -> bool:
        """Wait until more of an origin is wanted; False where it is not, after all that time."""

    def unfinished(self, origin: str) -> int:
        """Records of an origin that are not done with."""

    def report(self, problem: str) -> None:
        """Tell of a failure of the source, which goes on trying."""


class Source(Protocol):
    """What a mapping reads from."""

    def start(self, sink: Sink) -> None:
        """Read in threads of its own from now on."""

    def stop_reading(self) -> None:
        """Offer nothing more; return when that is so."""

    def close(self) -> None:
        """Keep the last progress and let go of everything."""

    def event(self, batch: Batch) -> bytes:
        """Write the event of a batch, JSON."""

    def locate(self, identifier: object, batch: Batch) -> tuple[LaneKey, int] | None:
        """Find the record that an ``itemIdentifier`` names: its lane and position."""

    def batch_info(self, discard: Discard) -> dict[str, dict[str, Any]]:
        """Say where given-up records stand, in Lambda's invocation record."""

    def keep(self, origin: str, progress: Progress) -> None:
        """Remember how far an origin has been dealt with, so that a restart goes on there."""

    def backlog(self, unfinished: int) -> int:
        """Count the records that the function has not taken; ``unfinished`` of them have been read.

        Raises
        ------
        SourceUnavailableError
            Where the source cannot be asked.
        """

    def is_caught_up(self) -> bool:
        """Whether the source had nothing more when it was last asked."""


class Destination(Protocol):
    """Who is told of records that are given up."""

    def send(self, record: dict[str, Any]) -> None:
        """Send one invocation record."""


class EventSourceMapping:
    """Carry records from a source to a function, until :meth:`stop`.

    Parameters
    ----------
    source : Source
        Kafka or a DynamoDB stream.
    invoke : Callable[[bytes], InvocationResult]
        The function.
    function_arn : str
        Its name in invocation records.
    destination : Destination
        The on-failure destination.
    policy : Policy
        Batching, retries, ages.
    max_concurrency : int
        Largest number of invocations at a time, >= 1.
    clock : Callable[[], float]
        Seconds since the epoch.
    """

    def __init__(
        self,
        source: Source,
        invoke: Invoke,
        function_arn: str,
        destination: Destination,
        policy: Policy,
        max_concurrency: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.failure: BaseException | None = None
        """A fault of the mapping itself. Its records would wait for ever: the process has to end."""
        self._source = source
        self._invoke = invoke
        self._function_arn = function_arn
        self._destination = destination
        self._policy = policy
        self._clock = clock
        self._max_concurrency = max_concurrency
        self._changed = threading.Condition()
        self._planner = Planner(policy)
        self._counters = MappingCounters()
        self._in_flight = 0
        self._stopping = False
        self._last_error: str | None = None
        self._executor = ThreadPoolExecutor(max_concurrency, thread_name_prefix="invoke")
        self._thread = threading.Thread(target=self._dispatch, name="dispatch", daemon=True)

    def start(self) -> None:
        """Begin to read and to deliver."""
        self._source.start(self)
        self._thread.start()

    def stop(self) -> None:
        """Read no more, finish what is in flight, keep the progress. What waits for a retry is read again next time."""
        self._source.stop_reading()
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join()
        self._executor.shutdown(wait=True)
        self._source.close()

    @property
    def counters(self) -> MappingCounters:
        """What was done so far; a copy."""
        with self._changed:
            return msgspec.structs.replace(self._counters)

    @property
    def last_error(self) -> str | None:
        """The latest failure in a sentence, of the function or of the source."""
        return self._last_error

    def backlog(self) -> int:
        """Count the records that the function has not taken yet; SourceUnavailableError where that cannot be known."""
        with self._changed:
            unfinished = self._planner.unfinished()
        return self._source.backlog(unfinished)

    def is_idle(self) -> bool:
        """Whether nothing is in flight, nothing waits, and the source had nothing more when it was last asked."""
        # The source first: what it hands over between the two questions is seen by the second.
        if not self._source.is_caught_up():
            return False
        with self._changed:
            return self._in_flight == 0 and self._planner.unfinished() == 0

    def add_lane(self, key: LaneKey, group: str) -> None:
        """Take on a lane."""
        with self._changed:
            self._planner.add_lane(key, group)

    def offer(
        self, origin: str, records: Mapping[LaneKey, list[SourceRecord]], read_to: str, filtered: int
    ) -> None:
        """Take what was read of one origin."""
        with self._changed:
            self._planner.offer(origin, records, read_to, self._clock())
            self._counters.filtered += filtered
            if filtered:
                self._source.keep(origin, self._planner.progress(origin))
            self._changed.notify_all()

    def wait_for_room(self, origin: str, timeout_seconds: float) -> bool:
        """Wait until fewer than some batches of an origin are waiting; False where they still are."""
        with self._changed:
            return self._changed.wait_for(lambda: self._stopping or self._has_room(origin), timeout_seconds)

    def unfinished(self, origin: str) -> int:
        """Records of an origin that are not done with."""
        with self._changed:
            return self._planner.unfinished(origin)

    def report(self, problem: str) -> None:
        """Note a failure; it is shown in the status and logged when it is a new one."""
        if problem != self._last_error:
            logger.warning("%s", problem)
        self._last_error = problem

    def _has_room(self, origin: str) -> bool:
        count, size_bytes = self._planner.fresh(origin)
        return (
            count < BUFFERED_BATCHES * self._policy.batch_size and size_bytes < self._policy.max_batch_bytes
        )

    def _dispatch(self) -> None:
        with self._changed:
            while not self._stopping:
                now_s = self._clock()
                work = self._planner.next(now_s) if self._in_flight < self._max_concurrency else None
                if work is None:
                    due_s = self._planner.next_due_s() if self._in_flight < self._max_concurrency else None
                    self._changed.wait(None if due_s is None else max(0.0, due_s - now_s))
                    continue
                self._in_flight += 1
                if isinstance(work, Batch):
                    self._executor.submit(self._deliver, work).add_done_callback(self._finish)
                else:
                    self._executor.submit(self._tell, work).add_done_callback(self._finish)

    def _deliver(self, batch: Batch) -> None:
        try:
            result = self._invoke(self._source.event(batch))
        except PoolStoppedError:
            return  # its records stay unfinished: they are read again after the restart
        outcome = read_outcome(
            result,
            batch,
            report_batch_item_failures=self._policy.report_batch_item_failures,
            locate=self._source.locate,
        )
        if outcome.error is not None:
            self.report(f"{outcome.error.type}: {outcome.error.message}")
        with self._changed:
            done = self._planner.settle(batch, outcome, self._clock())
            self._counters.batches += 1
            self._counters.records += done
            self._counters.retries += any(piece.invocations for piece in batch.pieces)
            self._counters.failures += outcome.error is not None
            self._counters.partial_failures += bool(outcome.failed)
            self._keep({piece.lane.origin for piece in batch.pieces})

    def _tell(self, discard: Discard) -> None:
        record = invocation_record(
            discard,
            self._function_arn,
            self._source.batch_info(discard),
            datetime.fromtimestamp(self._clock(), UTC),
        )
        try:
            self._destination.send(record)
        except (BotoCoreError, ClientError) as error:
            # Lambda drops the record here and counts DestinationDeliveryFailures; losing payments is not for this system.
            self.report(f"on-failure destination: {error}")
            with self._changed:
                self._changed.wait_for(lambda: self._stopping, self._policy.retry_maximum_seconds)
                self._planner.postpone_discard(discard)
        else:
            with self._changed:
                self._planner.finish_discard(discard)
                self._counters.dead_lettered += len(discard.piece.records)
                self._keep({discard.piece.lane.origin})

    def _keep(self, origins: Iterable[str]) -> None:
        for origin in origins:
            self._source.keep(origin, self._planner.progress(origin))

    def _finish(self, task: Future[None]) -> None:
        with self._changed:
            self._in_flight -= 1
            self.failure = self.failure or task.exception()
            self._changed.notify_all()
