"""A record of a stream that crashes its stage, or fails at every try, is dead-lettered whole; an outage dead-letters nothing."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from common.dead_letters import BucketDeadLetters
from common.errors import StageError
from common.stream_reader import StreamReader
from contract.errors import InvalidRowError
from ops.dead_letters import InvocationRecord
from tests.support.crashes import MemoryCounts, MemoryLetters, make_crashes
from tests.support.payments import Context, Log, stream_event

if TYPE_CHECKING:
    from collections.abc import Callable

CREATED_AT_S = 1772366400
A, B = ({"key": {"S": name}} for name in "ab")
OWN = InvalidRowError("rows", "key", "wrong")


class Killed(BaseException):
    """Ends an invocation as SIGKILL ends the process."""


class World:
    """A stage, its counts and its dead letters; every invocation is a new process."""

    def __init__(self, handle: Callable[[Any], None], *, age_seconds: float = 61) -> None:
        self.counts, self.letters, self.log = MemoryCounts(), MemoryLetters(), Log()
        self.handle = handle
        self.now = datetime.fromtimestamp(CREATED_AT_S + age_seconds, UTC)

    def invoke(self, *items: Any) -> list[str]:
        crashes = make_crashes(self.counts, self.letters, maximum=3, clock=lambda: self.now)
        reader = StreamReader("rows", self.handle, self.log, crashes)
        answer = reader.read(stream_event(list(items)), Context())
        return [str(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]]


def raising(error: BaseException) -> Callable[[Any], None]:
    def handle(item: Any) -> None:
        if item == A:
            raise error

    return handle


def crash(world: World) -> None:
    with pytest.raises(Killed):
        world.invoke(A)


def test_a_record_that_crashes_its_stage_is_dead_lettered_whole_after_so_many_crashes() -> None:
    world = World(raising(Killed()))
    for _ in range(3):
        crash(world)

    failures = world.invoke(A)

    assert failures == []
    ((record, function_arn, crashes),) = world.letters.records
    assert record["dynamodb"]["NewImage"] == A
    assert (function_arn, crashes) == (Context.invoked_function_arn, 3)
    assert world.counts.tries == {}
    assert world.log.lines[-1]["sequence_number"] == "100"


def test_a_record_that_succeeds_after_crashes_is_forgotten() -> None:
    world = World(raising(Killed()))
    crash(world)
    crash(world)
    world.handle = lambda _: None

    assert world.invoke(A) == []
    assert (world.counts.tries, world.letters.records) == ({}, [])


@pytest.mark.parametrize("age_seconds", [0, 60])
def test_young_records_cost_no_request(age_seconds: float) -> None:
    world = World(raising(Killed()), age_seconds=age_seconds)

    crash(world)

    assert world.counts.tries == {}


def test_a_batch_of_several_costs_no_request() -> None:
    world = World(lambda _: None)

    assert world.invoke(A, B) == []
    assert world.counts.tries == {}


def test_a_record_that_fails_at_every_try_is_dead_lettered_from_any_batch() -> None:
    world = World(raising(OWN))

    answers = [world.invoke(A, B) for _ in range(3)]

    assert answers == [["100"], ["100"], []]
    assert [record["dynamodb"]["NewImage"] for record, _, _ in world.letters.records] == [A]
    assert world.counts.tries == {}


def test_alone_in_its_batch_a_failing_record_is_counted_once_a_try() -> None:
    world = World(raising(OWN))

    answers = [world.invoke(A) for _ in range(3)]

    assert answers == [["100"], ["100"], []]
    assert world.letters.records[0][2] == 3


@pytest.mark.parametrize("items", [[A], [A, B]])
def test_an_outage_dead_letters_nothing_however_long(items: list[Any]) -> None:
    world = World(raising(StageError()))

    answers = [world.invoke(*items) for _ in range(20)]

    assert answers == [["100"]] * 20
    assert world.letters.records == []
    assert sum(world.counts.tries.values()) == 0


def test_while_the_counts_are_unavailable_nothing_is_dead_lettered() -> None:
    world = World(raising(OWN))
    world.counts.is_down = True

    answers = [world.invoke(A) for _ in range(20)]

    assert answers == [["100"]] * 20
    assert world.letters.records == []


class Objects:
    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803 - S3's names
        assert Bucket == "dead"
        self.stored[Key] = Body


def test_a_letter_has_the_form_of_lambda_s_and_is_one_object_however_often_it_is_put() -> None:
    objects: Any = Objects()
    letters = BucketDeadLetters(lambda: objects, "dead", lambda: datetime(2026, 1, 5, tzinfo=UTC))
    (record,) = stream_event([A])["Records"]

    for _ in range(2):
        letters.put(record, "arn:function", 50)

    ((key, body),) = objects.stored.items()
    assert re.fullmatch(r"stage/[0-9a-f]{64}", key)
    read = msgspec.json.decode(body, type=InvocationRecord)
    assert read.request_context.function_arn == "arn:function"
    assert isinstance(read.payload, str)
    assert msgspec.json.decode(read.payload) == {"Records": [record]}


def test_letters_of_the_same_number_in_two_shards_are_two_objects_and_their_keys_show_nothing_of_them() -> (
    None
):
    objects: Any = Objects()
    letters = BucketDeadLetters(lambda: objects, "dead", lambda: datetime(2026, 1, 5, tzinfo=UTC))
    one, other = (stream_event([{"user_id": {"S": user}}])["Records"][0] for user in ("ann", "bob"))

    letters.put(one, "arn:function", 50)
    letters.put(other, "arn:function", 50)

    assert one["dynamodb"]["SequenceNumber"] == other["dynamodb"]["SequenceNumber"]
    assert len(objects.stored) == 2
    assert not any(user in key for key in objects.stored for user in ("ann", "bob"))
