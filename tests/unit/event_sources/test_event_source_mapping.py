"""An event source mapping with a source, a function and a destination that the test makes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError

from local.event_sources.event_source_mapping import EventSourceMapping
from local.event_sources.records import Batch, Discard, QueueKey, ResumePoint
from local.runtime.invocation import FunctionError, InvocationResult
from local.runtime.pool import PoolStoppedError
from tests.unit.event_sources.factories import NOW_S, QUEUE, policy, records, result

if TYPE_CHECKING:
    from local.event_sources.source import Sink

WAIT_SECONDS = 30.0


class MemorySource:
    """Offers given records at the start; records the resume points that it is to save."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.saved: list[ResumePoint] = []
        self.is_closed = False

    def start(self, sink: Sink) -> None:
        sink.add_queue(QUEUE, "poller-0")
        sink.offer(QUEUE.origin, {QUEUE: records(1, self.last)}, str(self.last), 0)

    def stop_reading(self) -> None:
        pass

    def close(self) -> None:
        self.is_closed = True

    def event(self, batch: Batch) -> bytes:
        return ",".join(record.identifier for record in batch.records).encode()

    def locate(self, identifier: object, batch: Batch) -> tuple[QueueKey, int] | None:
        return next(
            ((each.queue, each.position) for each in batch.records if each.identifier == identifier), None
        )

    def batch_info(self, discard: Discard) -> dict[str, dict[str, Any]]:
        return {"Info": {"first": discard.piece.records[0].identifier}}

    def save(self, origin: str, resume_point: ResumePoint) -> None:
        self.saved.append(resume_point)

    def backlog(self, unfinished: int) -> int:
        return unfinished

    def is_caught_up(self) -> bool:
        return True


class MemoryDestination:
    """Takes invocation records, after it has refused a number of them."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals = refusals
        self.taken: list[dict[str, Any]] = []

    def send(self, record: dict[str, Any], origin: str, event: bytes) -> None:
        assert origin == QUEUE.origin
        if self.refusals:
            self.refusals -= 1
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
        self.taken.append({**record, "event": event.decode()})


Make = Callable[..., EventSourceMapping]


@pytest.fixture
def make_mapping() -> Iterator[Make]:
    """Factory of mappings whose retries take no time; they are stopped at the end."""
    made: list[EventSourceMapping] = []

    def make(
        source: MemorySource,
        invoke: Callable[[bytes], InvocationResult],
        destination: MemoryDestination | None = None,
        *,
        has_destination: bool = True,
        **changes: Any,
    ) -> EventSourceMapping:
        settings = {"retry_base_seconds": 0.001, "retry_maximum_seconds": 0.01, **changes}
        mapping = EventSourceMapping(
            source,
            invoke,
            "arn",
            (destination or MemoryDestination()) if has_destination else None,
            policy(**settings),
            1,
            clock=lambda: NOW_S,
        )
        made.append(mapping)
        mapping.start()
        return mapping

    yield make
    for mapping in made:
        mapping.stop()


def _wait_until(mapping: EventSourceMapping, holds: Callable[[], bool]) -> None:
    with mapping._changed:
        assert mapping._changed.wait_for(holds, WAIT_SECONDS)


def test_records_are_counted_once_and_the_resume_point_is_saved(make_mapping: Make) -> None:
    source = MemorySource(25)

    mapping = make_mapping(source, lambda _: result())
    _wait_until(mapping, mapping.is_idle)

    assert mapping.counters.batches == 3
    assert mapping.counters.records == 25
    assert mapping.backlog() == 0
    assert source.saved[-1] == ResumePoint(first_unfinished=None, read_to="25")


def test_discarded_records_wait_for_an_unavailable_destination(make_mapping: Make) -> None:
    source, destination = MemorySource(1), MemoryDestination(refusals=2)
    failed = result(b"{}", FunctionError("ValueError", "bad"))

    mapping = make_mapping(source, lambda _: failed, destination, maximum_retries=0, retry_base_seconds=1e-9)
    mapping._clock = lambda: NOW_S + 1
    with mapping._changed:
        mapping._changed.notify_all()
    _wait_until(mapping, mapping.is_idle)

    assert mapping.counters.dead_lettered == 1
    assert [(each["Info"]["first"], each["event"]) for each in destination.taken] == [("1", "1")]
    assert mapping.last_error is not None
    assert mapping.last_error.startswith("on-failure destination:")


def test_without_a_destination_discarded_records_are_dropped_and_counted(make_mapping: Make) -> None:
    source = MemorySource(1)
    failed = result(b"{}", FunctionError("ValueError", "bad"))

    mapping = make_mapping(
        source, lambda _: failed, has_destination=False, maximum_retries=0, retry_base_seconds=1e-9
    )
    mapping._clock = lambda: NOW_S + 1
    with mapping._changed:
        mapping._changed.notify_all()
    _wait_until(mapping, mapping.is_idle)

    assert (mapping.counters.dropped, mapping.counters.dead_lettered) == (1, 0)
    assert mapping.last_error == "dropped 1 records: RetryAttemptsExhausted"
    assert source.saved[-1] == ResumePoint(first_unfinished=None, read_to="1")


def test_what_is_in_flight_is_finished_before_a_stop_returns(make_mapping: Make) -> None:
    source = MemorySource(30)
    begun, may_end = threading.Event(), threading.Event()

    def invoke(_: bytes) -> InvocationResult:
        begun.set()
        assert may_end.wait(WAIT_SECONDS)
        return result()

    mapping = make_mapping(source, invoke)
    assert begun.wait(WAIT_SECONDS)
    stopping = threading.Thread(target=mapping.stop)
    stopping.start()
    _wait_until(mapping, lambda: mapping._stopping)
    may_end.set()
    stopping.join(WAIT_SECONDS)

    assert source.is_closed
    assert mapping.counters.records == 10
    saved = source.saved[-1].first_unfinished
    assert saved is not None
    assert saved.position == 11


def test_records_of_a_stopped_function_stay_unfinished(make_mapping: Make) -> None:
    source = MemorySource(1)
    was_invoked = threading.Event()

    def invoke(_: bytes) -> InvocationResult:
        was_invoked.set()
        raise PoolStoppedError("stopped")

    mapping = make_mapping(source, invoke)
    assert was_invoked.wait(WAIT_SECONDS)
    _wait_until(mapping, lambda: not mapping._in_flight)

    assert mapping.backlog() == 1
    assert mapping.failure is None
    assert source.saved == []


def test_a_fault_of_the_mapping_itself_is_reported(make_mapping: Make) -> None:
    fault = RuntimeError("a fault")

    def invoke(_: bytes) -> InvocationResult:
        raise fault

    mapping = make_mapping(MemorySource(1), invoke)
    _wait_until(mapping, lambda: mapping.failure is not None)

    assert mapping.failure is fault
