"""A mapping from a table's stream on MiniStack, its function under Lambda's own runtime client."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from local.event_sources.config import status_file
from local.event_sources.process import MappingProcess
from tests.integration.event_sources.conftest import STREAM, Function

Eventually = Callable[[Callable[[], object], str], None]


class Table:
    """A table with a stream; ``put`` gives an item an order for the test function."""

    def __init__(self, dynamodb: Any, name: str) -> None:
        self.name = name
        self._dynamodb = dynamodb
        dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )

    def put(self, *names: str, **order: Any) -> None:
        for name in names:
            self._dynamodb.put_item(
                TableName=self.name,
                Item={
                    "id": {"S": name},
                    "order": {"S": json.dumps(order)},
                    "kind": {"S": order.get("kind", "a")},
                },
            )


@pytest.fixture
def table(aws_client: Callable[[str], Any], unique_name: Callable[[str], str]) -> Iterator[Table]:
    """A table of the test's own."""
    dynamodb = aws_client("dynamodb")
    made = Table(dynamodb, unique_name("table"))
    yield made
    dynamodb.delete_table(TableName=made.name)


@contextmanager
def _running(function: Function) -> Iterator[MappingProcess]:
    process = MappingProcess(function.config, status_file(function.config_file, "echo"))
    process.mapping.start()
    try:
        yield process
    finally:
        process.mapping.stop()
        process.pool.stop()


def _names(first: int, last: int) -> list[str]:
    return [f"r{number:03}" for number in range(first, last + 1)]


def test_records_are_processed_in_order_in_batches(
    make_function: Callable[..., Function], table: Table, eventually: Eventually
) -> None:
    table.put(*_names(1, 25))
    function = make_function(STREAM, table.name, batch_size=10)

    with _running(function) as process:
        eventually(process.mapping.is_idle, "all taken")
        table.put("late")
        eventually(lambda: "late" in function.taken(), "a record that came later taken")
        eventually(process.mapping.is_idle, "idle again")
        backlog = process.mapping.backlog()

    assert backlog == 0
    assert function.taken() == [*_names(1, 25), "late"]


def test_keys_stay_in_order_if_a_shard_is_processed_in_parallel(
    make_function: Callable[..., Function], table: Table, eventually: Eventually
) -> None:
    """ParallelizationFactor: Lambda ensures in-order processing at the partition-key level."""
    keys, rounds = _names(1, 8), range(5)
    for number in rounds:
        for key in keys:
            table.put(key, label=f"{key}/{number}")
    function = make_function(STREAM, table.name, batch_size=3, parallelization_factor=4)

    with _running(function) as process:
        eventually(process.mapping.is_idle, "all taken")
        counters = process.mapping.counters

    assert counters.records == 40
    taken = function.taken()
    for key in keys:
        assert [name for name in taken if name.startswith(key)] == [f"{key}/{number}" for number in rounds]


@pytest.mark.parametrize("fault", ["fail", "raise", "crash", "sleep"])
def test_a_batch_that_fails_once_is_delivered_again_and_nothing_is_lost(
    fault: str, make_function: Callable[..., Function], table: Table, eventually: Eventually
) -> None:
    table.put(*_names(1, 3))
    table.put("r004", do=fault, once=True)
    table.put("r005")
    function = make_function(STREAM, table.name)

    with _running(function) as process:
        eventually(process.mapping.is_idle, "all taken")
        counters = process.mapping.counters

    assert counters.records == 5
    assert counters.dead_lettered == 0
    assert counters.retries >= 1
    assert set(_names(1, 5)) == {name for each in function.invocations() for name in each["delivered"]}


def test_a_poison_record_goes_alone_and_whole_to_the_dead_letter_bucket(
    make_function: Callable[..., Function],
    table: Table,
    aws_client: Callable[[str], Any],
    eventually: Eventually,
) -> None:
    table.put(*_names(1, 3))
    table.put("poison", do="raise")
    table.put(*_names(5, 7))
    function = make_function(STREAM, table.name, maximum_retries=1)

    with _running(function) as process:
        eventually(process.mapping.is_idle, "all records to be processed or discarded")
        counters = process.mapping.counters

    assert counters.dead_lettered == 1
    assert function.taken() == [*_names(1, 3), *_names(5, 7)]
    (letter,) = function.dead_letters()
    where = letter["detail"]
    answer = aws_client("s3").get_object(Bucket=where["bucket"]["name"], Key=where["object"]["key"])
    stored = json.loads(answer["Body"].read())
    assert stored["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert stored["DDBStreamBatchInfo"]["batchSize"] == 1
    (record,) = json.loads(stored["payload"])["Records"]
    assert record["dynamodb"]["NewImage"]["id"] == {"S": "poison"}


def test_records_that_the_filter_drops_are_not_delivered(
    make_function: Callable[..., Function], table: Table, eventually: Eventually
) -> None:
    table.put("a1", kind="a")
    table.put("b1", kind="b")
    table.put("a2", kind="a")
    pattern = {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"kind": {"S": [{"anything-but": ["b"]}]}}}}
    function = make_function(STREAM, table.name, filter_pattern=pattern)

    with _running(function) as process:
        eventually(process.mapping.is_idle, "all taken or dropped")
        counters = process.mapping.counters

    assert function.taken() == ["a1", "a2"]
    assert (counters.records, counters.filtered) == (2, 1)


def test_a_process_that_was_stopped_resumes_where_it_was(
    make_function: Callable[..., Function],
    table: Table,
    command: Callable[[Function], list[str]],
    eventually: Eventually,
) -> None:
    function = make_function(STREAM, table.name, parallelization_factor=2)
    table.put(*_names(1, 15))

    def run_until_idle(taken: int) -> None:
        process = subprocess.Popen(command(function))
        try:
            eventually(lambda: len(function.taken()) >= taken, f"{taken} taken")
            eventually(
                lambda: (status := function.status()) and status.pid == process.pid and status.idle, "idle"
            )
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.wait()

    run_until_idle(15)
    table.put(*_names(16, 20))
    run_until_idle(20)

    assert sorted(function.taken()) == _names(1, 20)
    status = function.status()
    assert status is not None
    assert (status.state, status.counters.records) == ("stopped", 5)


def test_a_mapping_of_a_missing_table_says_so_and_ends(
    make_function: Callable[..., Function], command: Callable[[Function], list[str]]
) -> None:
    function = make_function(STREAM, "no-such-table")

    done = subprocess.run(command(function), capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 1
    assert "table no-such-table" in done.stderr
    status = function.status()
    assert status is not None
    assert status.state == "failed"
