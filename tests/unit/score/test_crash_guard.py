"""A record that crashes the score stage is dead-lettered by its position; a usual batch costs nothing; an outage counts nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from common.crash_counts import CrashLimits
from contract.scored import Position
from ops.dead_letters import InvocationRecord
from score.crash_guard import CrashGuard, QueueDeadLetters
from score.errors import HistoryUnavailableError
from tests.support.crashes import MemoryCounts
from tests.support.kafka_events import make_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from score.delivery import KafkaEvent

ARN = "arn:aws:lambda:us-east-1:000000000000:function:score:live"


class Killed(BaseException):
    """Ends an invocation as SIGKILL ends the process."""


class Queue:
    def __init__(self) -> None:
        self.bodies: list[str] = []

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803 - SQS's names
        assert QueueUrl == "https://dead"
        self.bodies.append(MessageBody)


class World:
    """The guard with what surrounds it; every invocation is a new process."""

    def __init__(self, *, age_seconds: float = 61) -> None:
        self.counts = MemoryCounts()
        self.queue: Any = Queue()
        self.does: Callable[[], Any] = lambda: {"batchItemFailures": []}
        self.reported: list[tuple[str, int]] = []
        self.event = make_event([(Position("t", 0, 7), b"{}")])
        (record,) = next(iter(self.event["records"].values()))
        self.place = f"{record['topic']}/{record['partition']}/{record['offset']}"
        at = datetime.fromtimestamp(record["timestamp"] / 1000, UTC)
        self.now = at + timedelta(seconds=age_seconds)

    def handle(self, event: KafkaEvent, has_time: Callable[[], bool]) -> Any:
        return self.does()

    def record_dead_lettered(self, position: str, crashes: int) -> None:
        self.reported.append((position, crashes))

    def invoke(self, event: KafkaEvent | None = None) -> Any:
        def clock() -> datetime:
            return self.now

        letters = QueueDeadLetters(self.queue, "https://dead", clock)
        guard = CrashGuard(self, self.counts, letters, CrashLimits(3, 60), self, clock)
        return guard.handle(event or self.event, lambda: True, ARN)

    def crash(self) -> None:
        self.does = kill
        with pytest.raises(Killed):
            self.invoke()


def kill() -> Any:
    raise Killed


def fail(error: Exception) -> Callable[[], Any]:
    def raise_it() -> Any:
        raise error

    return raise_it


def test_a_record_that_crashes_is_dead_lettered_by_its_position_after_so_many_crashes() -> None:
    world = World()
    for _ in range(3):
        world.crash()

    answer = world.invoke()

    assert answer == {"batchItemFailures": []}
    (body,) = world.queue.bodies
    read = msgspec.json.decode(body, type=InvocationRecord)
    assert read.request_context.function_arn == ARN
    assert read.request_context.condition == "FunctionCrashed"
    assert read.kafka_batch is not None
    topic, partition, offset = world.place.split("/")
    ((origin, place),) = read.kafka_batch["recordsInfo"].items()
    assert (origin, place["firstRecordOffset"]) == (f"{topic}-{partition}", offset)
    assert world.reported == [(world.place, 3)]
    assert world.counts.tries == {}


def test_a_record_that_is_scored_after_crashes_is_forgotten() -> None:
    world = World()
    world.crash()
    world.does = lambda: {"batchItemFailures": []}

    world.invoke()

    assert (world.counts.tries, world.queue.bodies) == ({}, [])


@pytest.mark.parametrize("age_seconds", [0, 60])
def test_a_young_record_costs_no_request(age_seconds: float) -> None:
    world = World(age_seconds=age_seconds)

    world.crash()

    assert world.counts.tries == {}


@pytest.mark.parametrize("second", [Position("t", 0, 8), Position("t", 1, 0)])
def test_a_batch_of_several_costs_no_request(second: Position) -> None:
    world = World()
    world.does = kill

    with pytest.raises(Killed):
        world.invoke(make_event([(Position("t", 0, 7), b"{}"), (second, b"{}")]))

    assert world.counts.tries == {}


def test_an_error_of_the_code_counts_as_a_crash() -> None:
    world = World()
    world.does = fail(ZeroDivisionError())
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            world.invoke()

    assert world.invoke() == {"batchItemFailures": []}
    assert len(world.queue.bodies) == 1


def test_an_outage_that_raises_is_never_counted() -> None:
    world = World()
    world.does = fail(HistoryUnavailableError("no answer"))

    for _ in range(20):
        with pytest.raises(HistoryUnavailableError):
            world.invoke()

    assert sum(world.counts.tries.values()) == 0
    assert world.queue.bodies == []


def test_an_outage_that_is_answered_is_never_counted() -> None:
    world = World()
    world.does = lambda: {"batchItemFailures": [{"itemIdentifier": {"partition": "t-0", "offset": 1}}]}

    for _ in range(20):
        assert len(world.invoke()["batchItemFailures"]) == 1

    assert sum(world.counts.tries.values()) == 0
    assert world.queue.bodies == []
