"""The harness counts and delays what clients really do, with real Valkey and boto3."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import redis

from benchmarks.candidates import BASELINE, EMPTY, FLOOR
from benchmarks.harness import FunctionFailedError, Harness, process_cpu_s
from benchmarks.item_size import inserted_items
from benchmarks.network import Delays
from benchmarks.workload import kafka_event, make_workload
from local.components.aws_api import make_client

if TYPE_CHECKING:
    from collections.abc import Iterator

INSERT = {
    "Statement": "INSERT INTO \"transaction_history\" VALUE {'user_id': ?, 'event_key': ?}",
    "Parameters": [{"S": "u"}, {"S": "k"}],
}


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    with Harness(tmp_path_factory.mktemp("harness") / "bench") as harness:
        yield harness


@pytest.fixture
def cache(harness: Harness) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(harness.cache_endpoint) as cache:
        cache.ping()
        harness.counts()
        yield cache
    harness.set_delays(Delays())


@pytest.fixture
def dynamodb(harness: Harness) -> Iterator[Any]:
    harness.counts()
    yield make_client("dynamodb", harness.aws_endpoint)
    harness.set_delays(Delays())


def test_each_answer_that_a_client_waits_for_is_one_round_trip(harness: Harness, cache: redis.Redis) -> None:
    for number in range(5):
        cache.set(f"key-{number}", "value")

    assert harness.counts().redis_round_trips == 5


def test_a_large_request_with_its_large_answer_is_one_round_trip(
    harness: Harness, cache: redis.Redis
) -> None:
    cache.mset({f"large-{number}": "x" * 10_000 for number in range(100)})

    values = cache.mget([f"large-{number}" for number in range(100)])

    assert [len(value or b"") for value in values] == [10_000] * 100
    assert harness.counts().redis_round_trips == 2


def test_a_round_trip_to_the_cache_is_delayed_once_however_large_it_is(
    harness: Harness, cache: redis.Redis
) -> None:
    harness.set_delays(Delays(redis=50.0))
    began = time.monotonic()

    cache.mset({f"large-{number}": "x" * 100_000 for number in range(30)})

    assert time.monotonic() - began >= 0.05


def test_requests_are_counted_by_operation_and_inserts_captured(harness: Harness, dynamodb: Any) -> None:
    harness.captured()

    answer = dynamodb.batch_execute_statement(Statements=[INSERT] * 25)
    dynamodb.put_item(TableName="t", Item={"user_id": {"S": "u"}})

    assert len(answer["Responses"]) == 25
    assert harness.counts().requests == {"dynamodb.BatchExecuteStatement": 1, "dynamodb.PutItem": 1}
    (body,) = harness.captured()
    assert list(inserted_items(body)) == [{"user_id": {"S": "u"}, "event_key": {"S": "k"}}] * 25


def test_a_call_of_the_aws_api_is_delayed(harness: Harness, dynamodb: Any) -> None:
    harness.set_delays(Delays(dynamodb=40.0))
    began = time.monotonic()

    dynamodb.put_item(TableName="t", Item={"user_id": {"S": "u"}})

    assert time.monotonic() - began >= 0.04


def test_the_yardsticks_read_and_write_what_they_should(harness: Harness) -> None:
    payments = make_workload(100, users=20, past_per_user=5).payments
    event = kafka_event(payments)
    users = len({payment.user_id for payment in payments})

    counts = {}
    for name in (EMPTY, BASELINE, FLOOR):
        function = harness.start(name)
        harness.counts()
        function.invoke(event)
        counts[name] = harness.counts()
        assert process_cpu_s(function.pid) > 0
        function.stop()

    assert counts[EMPTY].requests == {}
    assert counts[BASELINE].requests["dynamodb.PutItem"] >= 100
    assert counts[BASELINE].redis_round_trips >= 200
    assert counts[FLOOR].requests == {"dynamodb.BatchExecuteStatement": 4}
    assert harness.cache.exists(*(f"floor:{payment.user_id}" for payment in payments)) == len(payments)
    assert len(harness.cache.keys("last_location:*")) == users


def test_the_measurement_of_a_failing_function_is_an_error(harness: Harness) -> None:
    function = harness.start(BASELINE)

    with pytest.raises(FunctionFailedError, match="baseline"):
        function.invoke(b"{}")

    function.stop()
