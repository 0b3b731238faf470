"""A schedule: what EventBridge and Lambda's asynchronous queue do with a function of trigger type ``schedule``.

A rule with a rate sends an event at each interval, whether or not the function still works on an earlier one. The event waits in the
function's queue until an execution is free. An event that fails is tried again after a minute, then after two, as Lambda does.
"""

from __future__ import annotations

import heapq
import json
import time
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from local.event_sources.dispatcher import Dispatcher
from local.event_sources.records import DeliveryResult
from local.runtime.invocation import FunctionError, InvocationResult
from local.runtime.pool import PoolStoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ops.manifests import ScheduleTrigger

RETRY_SECONDS: Final = (60.0, 120.0)
"""Delay before the first and before the second retry, as Lambda's developer guide says of asynchronous invocation."""


class EventDestination(Protocol):
    """Where an event goes that failed for good."""

    def send_event(self, event: bytes, request_id: str, error: FunctionError) -> None:
        """Send one event and why it failed."""


@dataclass(frozen=True, slots=True)
class _Request:
    event: bytes
    sent_at_s: float
    request_id: str
    retries: int = 0


class Schedule(Dispatcher):
    """Invokes a function at an interval, from :meth:`start` to :meth:`stop`; the first time at once. An event counts as a record.

    EventBridge waits one interval before the first event. Here the first one comes at once, so that a stack that runs for a few
    minutes has it too.

    Parameters
    ----------
    trigger : ScheduleTrigger
        Interval, retries, age.
    invoke : Callable[[bytes], InvocationResult]
        Calls the function and waits for its answer.
    rule_arn : str
        In the events.
    destination : EventDestination
        Gets the events that failed for good, if the trigger keeps them.
    max_concurrency : int
        Most invocations at a time, >= 1; further events wait.
    interval_seconds : float | None
        Instead of the trigger's interval, > 0.
    retry_seconds : Sequence[float]
        Delays before the retries; the last one repeats.
    clock : Callable[[], float]
        Seconds since the epoch.
    """

    def __init__(
        self,
        trigger: ScheduleTrigger,
        invoke: Callable[[bytes], InvocationResult],
        rule_arn: str,
        destination: EventDestination,
        max_concurrency: int,
        *,
        interval_seconds: float | None = None,
        retry_seconds: Sequence[float] = RETRY_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(max_concurrency)
        self._trigger = trigger
        self._invoke = invoke
        self._rule_arn = rule_arn
        self._destination = destination
        self._interval_seconds = interval_seconds or trigger.every_minutes * 60.0
        self._retry_seconds = retry_seconds
        self._clock = clock
        self._waiting: list[tuple[float, int, _Request]] = []
        self._numbered = 0

    def stop(self) -> None:
        """Send no further event, and finish what is in flight. What waits is dropped; the next start sends an event at once."""
        super().stop()

    def backlog(self) -> int:
        """Count the events that were sent and are not done."""
        with self._changed:
            return len(self._waiting) + self._in_flight

    def is_idle(self) -> bool:
        """Return whether nothing is in flight and nothing waits."""
        return self.backlog() == 0

    def _dispatch(self) -> None:
        next_s = self._clock()
        with self._changed:
            while not self._stopping:
                now_s = self._clock()
                if now_s >= next_s:
                    self._wait_in_queue(now_s, _Request(self._event(next_s), next_s, str(uuid.uuid4())))
                    # A machine that slept has missed events; EventBridge sends none of them later.
                    missed = int((now_s - next_s) // self._interval_seconds)
                    next_s += (missed + 1) * self._interval_seconds
                while self._waiting and self._waiting[0][0] <= now_s and not self._is_busy():
                    _, _, request = heapq.heappop(self._waiting)
                    self._submit(self._deliver, request)
                due_s = next_s
                if self._waiting and not self._is_busy():
                    due_s = min(due_s, self._waiting[0][0])
                self._changed.wait(max(0.0, due_s - now_s))

    def _wait_in_queue(self, due_s: float, request: _Request) -> None:
        self._numbered += 1
        heapq.heappush(self._waiting, (due_s, self._numbered, request))

    def _event(self, at_s: float) -> bytes:
        """Write the event as EventBridge sends it for a rule with a rate."""
        account, region = self._rule_arn.split(":")[4], self._rule_arn.split(":")[3]
        at = datetime.fromtimestamp(at_s, UTC)
        return json.dumps(
            {
                "version": "0",
                "id": str(uuid.uuid4()),
                "detail-type": "Scheduled Event",
                "source": "aws.events",
                "account": account,
                "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "region": region,
                "resources": [self._rule_arn],
                "detail": {},
            }
        ).encode()

    def _deliver(self, request: _Request) -> None:
        if self._clock() - request.sent_at_s > self._trigger.maximum_event_age_seconds:
            self._give_to_destination(request, FunctionError("EventAgeExceeded", "the event waited too long"))
            return
        try:
            result = self._invoke(request.event)
        except PoolStoppedError:
            return  # the stack stops
        with self._changed:
            self._count(DeliveryResult(result.error), int(result.error is None), is_retry=request.retries > 0)
        if result.error is None:
            return
        self.report(f"{result.error.type}: {result.error.message}")
        if request.retries >= self._trigger.maximum_retries:
            self._give_to_destination(request, result.error)
            return
        delay_seconds = self._retry_seconds[min(request.retries, len(self._retry_seconds) - 1)]
        with self._changed:
            self._wait_in_queue(self._clock() + delay_seconds, replace(request, retries=request.retries + 1))

    def _give_to_destination(self, request: _Request, error: FunctionError) -> None:
        if self._trigger.on_failure == "discard":
            return
        try:
            self._destination.send_event(request.event, request.request_id, error)
        except (BotoCoreError, ClientError) as problem:
            # Lambda drops the event here and counts DeadLetterErrors. The next event comes in any case.
            self.report(f"dead-letter queue: {problem}")
            return
        with self._changed:
            self._counters.dead_lettered += 1
