"""A schedule with a function and a destination that the test makes; time passes as the test says, or in steps of milliseconds."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from local.event_sources.schedule import Schedule
from local.runtime.invocation import FunctionError, InvocationResult
from ops.manifests import ScheduleTrigger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RULE_ARN = "arn:aws:events:us-east-1:000000000000:rule/canary"
WAIT_SECONDS = 30.0
LONG_SECONDS = 3600.0


class Function:
    """Answers with an error as often as it is asked to, and keeps what it got."""

    def __init__(self, failures: int = 0) -> None:
        self.events: list[dict[str, Any]] = []
        self.most_at_a_time = 0
        self.release = threading.Event()
        self.release.set()
        self._failures = failures
        self._running = 0
        self._lock = threading.Lock()

    def __call__(self, event: bytes) -> InvocationResult:
        with self._lock:
            self._running += 1
            self.most_at_a_time = max(self.most_at_a_time, self._running)
            self.events.append(json.loads(event))
            fails = len(self.events) <= self._failures
        self.release.wait(WAIT_SECONDS)
        with self._lock:
            self._running -= 1
        error = FunctionError("ValueError", "as requested") if fails else None
        return InvocationResult(request_id="1", payload=b"null", error=error, duration_ms=1.0)


class Destination:
    def __init__(self) -> None:
        self.sent: list[tuple[dict[str, Any], FunctionError]] = []

    def send_event(self, event: bytes, request_id: str, error: FunctionError) -> None:
        assert request_id
        self.sent.append((json.loads(event), error))


def _trigger(**changes: Any) -> ScheduleTrigger:
    values: dict[str, Any] = {
        "every_minutes": 1,
        "maximum_retries": 0,
        "maximum_event_age_seconds": 60,
        "on_failure": "dead_letter",
    }
    return ScheduleTrigger(**values | changes)


@contextmanager
def _running(
    function: Function,
    destination: Destination | None = None,
    trigger: ScheduleTrigger | None = None,
    *,
    interval_seconds: float = LONG_SECONDS,
    max_concurrency: int = 1,
    clock: Callable[[], float] = time.time,
) -> Iterator[Schedule]:
    schedule = Schedule(
        trigger or _trigger(),
        function,
        RULE_ARN,
        destination or Destination(),
        max_concurrency,
        interval_seconds=interval_seconds,
        retry_seconds=(0.01,),
        clock=clock,
    )
    schedule.start()
    try:
        yield schedule
    finally:
        function.release.set()
        schedule.stop()
    assert schedule.failure is None


def _eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_the_first_event_comes_at_once_and_is_what_eventbridge_sends() -> None:
    function = Function()

    with _running(function, clock=lambda: 1_790_000_000.5) as schedule:
        _eventually(lambda: schedule.counters.records == 1)

    (event,) = function.events
    assert event.pop("id")
    assert event == {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": "2026-09-21T14:13:20Z",
        "region": "us-east-1",
        "resources": [RULE_ARN],
        "detail": {},
    }


def test_events_come_at_the_interval() -> None:
    function = Function()

    with _running(function, interval_seconds=0.01) as schedule:
        _eventually(lambda: schedule.counters.records >= 3)

    assert len({event["id"] for event in function.events}) == len(function.events)


def test_a_function_that_takes_longer_than_the_interval_runs_once_at_a_time_if_it_has_one_execution() -> None:
    function = Function()
    function.release.clear()

    with _running(function, interval_seconds=0.01) as schedule:
        _eventually(lambda: schedule.backlog() >= 3)
        assert not schedule.is_idle()
        function.release.set()
        _eventually(lambda: schedule.counters.records >= 3)

    assert function.most_at_a_time == 1


def test_a_function_with_two_executions_runs_twice_at_a_time() -> None:
    function = Function()
    function.release.clear()

    with _running(function, interval_seconds=0.01, max_concurrency=2):
        _eventually(lambda: function.most_at_a_time == 2)


def test_a_failed_event_is_tried_again_as_often_as_the_trigger_says_and_then_dead_lettered_whole() -> None:
    function, destination = Function(failures=3), Destination()

    with _running(function, destination, _trigger(maximum_retries=2)) as schedule:
        _eventually(lambda: schedule.counters.dead_lettered == 1)
        counters = schedule.counters

    assert [event["id"] for event in function.events] == [function.events[0]["id"]] * 3
    assert destination.sent == [(function.events[0], FunctionError("ValueError", "as requested"))]
    assert (counters.batches, counters.retries, counters.failures, counters.records) == (3, 2, 3, 0)
    assert schedule.last_error == "ValueError: as requested"


def test_an_event_that_is_not_to_be_kept_is_in_no_queue() -> None:
    function, destination = Function(failures=1), Destination()

    with _running(function, destination, _trigger(on_failure="discard")) as schedule:
        _eventually(lambda: schedule.counters.failures == 1 and schedule.is_idle())

    assert destination.sent == []


def test_an_event_that_waited_too_long_is_dead_lettered_without_an_invocation() -> None:
    now_s = [1000.0]
    function, destination = Function(), Destination()
    function.release.clear()

    # The second event waits behind the first one while more time passes than it may wait.
    with _running(function, destination, interval_seconds=10.0, clock=lambda: now_s[0]) as schedule:
        _eventually(lambda: len(function.events) == 1)
        now_s[0] = 1010.0
        with schedule._changed:
            schedule._changed.notify_all()
        _eventually(lambda: schedule.backlog() == 2)
        now_s[0] = 1019.0 + 60.0
        function.release.set()
        _eventually(lambda: bool(destination.sent))

    assert destination.sent[0][1].type == "EventAgeExceeded"


def test_a_machine_that_slept_gets_one_event_and_not_one_for_each_interval() -> None:
    now_s = [1000.0]
    function = Function()

    with _running(function, interval_seconds=10.0, clock=lambda: now_s[0]) as schedule:
        _eventually(lambda: schedule.counters.records == 1)
        now_s[0] = 1055.0
        with schedule._changed:
            schedule._changed.notify_all()
        _eventually(lambda: schedule.counters.records == 2)
        now_s[0] = 1059.9
        with schedule._changed:
            schedule._changed.notify_all()

    assert len(function.events) == 2
