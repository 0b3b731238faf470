"""What the lab counts and delays is what clients really do, against real Valkey and boto3."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import redis

from benchmarks.candidates import BASELINE, EMPTY, FLOOR
from benchmarks.item_size import inserted_items
from benchmarks.lab import FunctionFailedError, Lab, process_cpu_s
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
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("lab") / "bench") as lab:
        yield lab


@pytest.fixture
def cache(lab: Lab) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(lab.cache_endpoint) as cache:
        cache.ping()
        lab.counts()
        yield cache
    lab.set_delays(Delays())


@pytest.fixture
def dynamodb(lab: Lab) -> Iterator[Any]:
    lab.counts()
    yield make_client("dynamodb", lab.aws_endpoint)
    lab.set_delays(Delays())


def test_each_answer_that_a_client_waits_for_is_a_round_trip(lab: Lab, cache: redis.Redis) -> None:
    for number in range(5):
        cache.set(f"key-{number}", "value")

    assert lab.counts().redis_round_trips == 5


def test_a_large_request_and_its_large_answer_are_one_round_trip(lab: Lab, cache: redis.Redis) -> None:
    cache.mset({f"large-{number}": "x" * 10_000 for number in range(100)})

    values = cache.mget([f"large-{number}" for number in range(100)])

    assert [len(value or b"") for value in values] == [10_000] * 100
    assert lab.counts().redis_round_trips == 2


def test_a_round_trip_to_the_cache_takes_its_delay_once_however_large_it_is(
    lab: Lab, cache: redis.Redis
) -> None:
    lab.set_delays(Delays(redis=50.0))
    began = time.monotonic()

    cache.mset({f"large-{number}": "x" * 100_000 for number in range(30)})

    assert time.monotonic() - began >= 0.05


def test_requests_are_counted_by_operation_and_inserts_kept(lab: Lab, dynamodb: Any) -> None:
    lab.captured()

    answer = dynamodb.batch_execute_statement(Statements=[INSERT] * 25)
    dynamodb.put_item(TableName="t", Item={"user_id": {"S": "u"}})

    assert len(answer["Responses"]) == 25
    assert lab.counts().requests == {"dynamodb.BatchExecuteStatement": 1, "dynamodb.PutItem": 1}
    (body,) = lab.captured()
    assert list(inserted_items(body)) == [{"user_id": {"S": "u"}, "event_key": {"S": "k"}}] * 25


def test_a_call_of_the_aws_api_takes_its_delay(lab: Lab, dynamodb: Any) -> None:
    lab.set_delays(Delays(dynamodb=40.0))
    began = time.monotonic()

    dynamodb.put_item(TableName="t", Item={"user_id": {"S": "u"}})

    assert time.monotonic() - began >= 0.04


def test_the_yardsticks_do_their_work(lab: Lab) -> None:
    payments = make_workload(100, users=20, past_per_user=5).payments
    event = kafka_event(payments, 1_700_000_000_000)
    users = len({payment.user_id for payment in payments})

    counts = {}
    for name in (EMPTY, BASELINE, FLOOR):
        function = lab.start(name)
        lab.counts()
        function.invoke(event)
        counts[name] = lab.counts()
        assert process_cpu_s(function.pid) > 0
        function.stop()

    assert counts[EMPTY].requests == {}
    assert counts[BASELINE].requests["dynamodb.PutItem"] >= 100
    assert counts[BASELINE].redis_round_trips >= 200
    assert counts[FLOOR].requests == {"dynamodb.BatchExecuteStatement": 4}
    assert lab.cache.exists(*(f"floor:{payment.user_id}" for payment in payments)) == len(payments)
    assert len(lab.cache.keys("last_location:*")) == users


def test_a_function_that_fails_is_not_measured(lab: Lab) -> None:
    function = lab.start(BASELINE)

    with pytest.raises(FunctionFailedError, match="baseline"):
        function.invoke(b"{}")

    function.stop()
