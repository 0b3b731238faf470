"""An event source mapping: a source that reads, a planner that decides, threads that invoke the function.

The one lock guards the planner. Readers offer records, invoking threads settle them, and one thread starts what the planner returns.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from local.event_sources.destination import invocation_record
from local.event_sources.dispatcher import Dispatcher
from local.event_sources.planner import Planner
from local.event_sources.records import Batch, Discard, Policy, QueueKey, SourceRecord
from local.event_sources.response import read_delivery_result
from local.runtime.invocation import InvocationResult
from local.runtime.pool import PoolStoppedError

if TYPE_CHECKING:
    from local.event_sources.source import Source

Invoke = Callable[[bytes], InvocationResult]

BUFFERED_BATCHES = 4
"""Batches that are read ahead of each partition or shard; more would only take memory."""


class Destination(Protocol):
    """Where records go that the mapping discards."""

    def send(self, record: dict[str, Any], origin: str, event: bytes) -> None:
        """Send one invocation record, of records of one partition or shard, and the event that held them."""


class EventSourceMapping(Dispatcher):
    """Deliver records from a source to a function, until :meth:`stop`.

    Parameters
    ----------
    source : Source
        Kafka or a DynamoDB stream.
    invoke : Callable[[bytes], InvocationResult]
        The function.
    function_arn : str
        The function's name in invocation records.
    destination : Destination | None
        The on-failure destination; None for a mapping without one, which drops what it discards.
    policy : Policy
        Batching, retries, ages.
    max_concurrency : int
        Most invocations at a time, >= 1.
    clock : Callable[[], float]
        Seconds since the epoch.
    """

    def __init__(
        self,
        source: Source,
        invoke: Invoke,
        function_arn: str,
        destination: Destination | None,
        policy: Policy,
        max_concurrency: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(max_concurrency)
        self._source = source
        self._invoke = invoke
        self._function_arn = function_arn
        self._destination = destination
        self._policy = policy
        self._clock = clock
        self._planner = Planner(policy)

    def start(self) -> None:
        """Begin to read and to deliver."""
        self._source.start(self)
        super().start()

    def stop(self) -> None:
        """Stop reading, finish what is in flight, save resume points. What waits for a retry is read again after a restart."""
        self._source.stop_reading()
        super().stop()
        self._source.close()

    def backlog(self) -> int:
        """Count the records that the function has not processed yet; SourceUnavailableError if the source does not answer."""
        with self._changed:
            unfinished = self._planner.unfinished()
        return self._source.backlog(unfinished)

    def is_idle(self) -> bool:
        """Return whether nothing is in flight, nothing waits, and the source had nothing more at the last read."""
        # The source first: the second question sees what the source delivers between the two.
        if not self._source.is_caught_up():
            return False
        with self._changed:
            return self._in_flight == 0 and self._planner.unfinished() == 0

    def add_queue(self, key: QueueKey, group: str) -> None:
        """Add a queue."""
        with self._changed:
            self._planner.add_queue(key, group)

    def offer(
        self, origin: str, records: Mapping[QueueKey, list[SourceRecord]], read_to: str, filtered: int
    ) -> None:
        """Take what was read from one origin."""
        with self._changed:
            self._planner.offer(origin, records, read_to, self._clock())
            self._counters.filtered += filtered
            if filtered:
                self._source.save(origin, self._planner.resume_point(origin))
            self._changed.notify_all()

    def wait_for_room(self, origin: str, timeout_seconds: float) -> bool:
        """Wait until fewer than :data:`BUFFERED_BATCHES` batches of an origin wait; False if more still do."""
        with self._changed:
            return self._changed.wait_for(lambda: self._stopping or self._has_room(origin), timeout_seconds)

    def unfinished(self, origin: str) -> int:
        """Return how many records of an origin are not done."""
        with self._changed:
            return self._planner.unfinished(origin)

    def _has_room(self, origin: str) -> bool:
        count, size_bytes = self._planner.fresh(origin)
        return (
            count < BUFFERED_BATCHES * self._policy.batch_size and size_bytes < self._policy.max_batch_bytes
        )

    def _dispatch(self) -> None:
        with self._changed:
            while not self._stopping:
                now_s = self._clock()
                work = None if self._is_busy() else self._planner.next(now_s)
                if work is None:
                    due_s = None if self._is_busy() else self._planner.next_due_s()
                    self._changed.wait(None if due_s is None else max(0.0, due_s - now_s))
                elif isinstance(work, Batch):
                    self._submit(self._deliver, work)
                else:
                    self._submit(self._discard, work)

    def _deliver(self, batch: Batch) -> None:
        try:
            invocation = self._invoke(self._source.event(batch))
        except PoolStoppedError:
            return  # its records stay unfinished: they are read again after the restart
        result = read_delivery_result(
            invocation,
            batch,
            report_batch_item_failures=self._policy.report_batch_item_failures,
            locate=self._source.locate,
        )
        if result.error is not None:
            self.report(f"{result.error.type}: {result.error.message}")
        with self._changed:
            done = self._planner.settle(batch, result, self._clock())
            self._count(result, done, is_retry=any(piece.invocations for piece in batch.pieces))
            self._save_resume_points({piece.queue.origin for piece in batch.pieces})

    def _discard(self, discard: Discard) -> None:
        if self._destination is None:
            self.report(f"dropped {len(discard.piece.records)} records: {discard.condition}")
            with self._changed:
                self._planner.finish_discard(discard)
                self._counters.dropped += len(discard.piece.records)
                self._save_resume_points({discard.piece.queue.origin})
        else:
            self._dead_letter(discard, self._destination)

    def _dead_letter(self, discard: Discard, destination: Destination) -> None:
        record = invocation_record(
            discard,
            self._function_arn,
            self._source.batch_info(discard),
            datetime.fromtimestamp(self._clock(), UTC),
        )
        try:
            destination.send(record, discard.piece.queue.origin, self._source.event(Batch((discard.piece,))))
        except (BotoCoreError, ClientError) as error:
            # Lambda drops the record here and counts DestinationDeliveryFailures. This system must not lose payments.
            self.report(f"on-failure destination: {error}")
            with self._changed:
                self._changed.wait_for(lambda: self._stopping, self._policy.retry_maximum_seconds)
                self._planner.postpone_discard(discard)
        else:
            with self._changed:
                self._planner.finish_discard(discard)
                self._counters.dead_lettered += len(discard.piece.records)
                self._save_resume_points({discard.piece.queue.origin})

    def _save_resume_points(self, origins: Iterable[str]) -> None:
        for origin in origins:
            self._source.save(origin, self._planner.resume_point(origin))
