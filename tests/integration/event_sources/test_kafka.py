"""A Kafka mapping on a real broker, its function under Lambda's own runtime client."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from local.event_sources.config import status_file
from local.event_sources.process import MappingProcess
from tests.integration.event_sources.conftest import KAFKA, Function

Eventually = Callable[[Callable[[], object], str], None]
OK: dict[str, Any] = {}


@pytest.fixture
def produce(kafka_bootstrap: str) -> Callable[..., None]:
    """Factory: write orders to one partition of a topic; returns when the broker has them."""
    producer = Producer({"bootstrap.servers": kafka_bootstrap, "linger.ms": 0})

    def write(topic: str, orders: list[dict[str, Any]], partition: int = 0) -> None:
        problems: list[object] = []
        for order in orders:
            producer.produce(
                topic,
                json.dumps(order).encode(),
                b"user",
                partition,
                on_delivery=lambda error, _: problems.append(error) if error else None,
            )
        assert producer.flush(30) == 0
        assert problems == []

    return write


@contextmanager
def _running(function: Function) -> Iterator[MappingProcess]:
    process = MappingProcess(function.config, status_file(function.config_file, "echo"))
    process.mapping.start()
    try:
        yield process
    finally:
        process.mapping.stop()
        process.pool.stop()


def _names(topic: str, offsets: range, partition: int = 0) -> list[str]:
    return [f"{topic}-{partition}/{offset}" for offset in offsets]


def test_records_are_processed_in_order_and_the_backlog_goes_to_zero(
    make_function: Callable[..., Function],
    topics: Any,
    unique_name: Callable[[str], str],
    produce: Callable[..., None],
    eventually: Eventually,
) -> None:
    topic = topics.create(unique_name("in"))
    produce(topic, [OK] * 25)
    function = make_function(KAFKA, topic, batch_size=10)

    with _running(function) as process:
        eventually(process.mapping.is_idle, "all taken")
        backlog, counters = process.mapping.backlog(), process.mapping.counters

    assert backlog == 0
    assert counters.records == 25
    assert counters.failures == counters.retries == counters.dead_lettered == 0
    assert function.taken() == _names(topic, range(25))


def test_a_partial_failure_is_delivered_again_from_the_lowest_failed_offset(
    make_function: Callable[..., Function],
    topics: Any,
    unique_name: Callable[[str], str],
    produce: Callable[..., None],
    eventually: Eventually,
) -> None:
    """Lambda retries only the failed records: those from the lowest failed offset of the partition."""
    topic = topics.create(unique_name("in"))
    produce(topic, [OK, OK, {"do": "fail", "once": True}, OK])
    function = make_function(KAFKA, topic)

    with _running(function) as process:
        eventually(process.mapping.is_idle, "all taken")

    assert [each["delivered"] for each in function.invocations()] == [
        _names(topic, range(3)),
        _names(topic, range(2, 4)),
    ]


@pytest.mark.parametrize("fault", ["raise", "crash", "sleep"])
def test_a_batch_whose_function_fails_once_is_delivered_again_and_nothing_is_lost(
    fault: str,
    make_function: Callable[..., Function],
    topics: Any,
    unique_name: Callable[[str], str],
    produce: Callable[..., None],
    eventually: Eventually,
) -> None:
    """If your function returns an error, crashes or times out, Lambda retries the batch."""
    topic = topics.create(unique_name("in"))
    produce(topic, [OK, OK, {"do": fault, "once": True}, OK])
    function = make_function(KAFKA, topic)

    with _running(function) as process:
        eventually(process.mapping.is_idle, "all taken")
        counters, error = process.mapping.counters, process.mapping.last_error

    assert counters.failures == 1
    assert counters.dead_lettered == 0
    assert function.taken() == _names(topic, range(4))
    kinds = {"raise": "ValueError", "crash": "Runtime.ExitError", "sleep": "Sandbox.Timedout"}
    assert error is not None
    assert error.startswith(kinds[fault])


def test_a_poison_record_goes_alone_to_the_dead_letter_queue_and_the_rest_is_processed(
    make_function: Callable[..., Function],
    topics: Any,
    unique_name: Callable[[str], str],
    produce: Callable[..., None],
    eventually: Eventually,
) -> None:
    """Split batch on error isolates the record; the on-failure destination gets its place in the source."""
    topic = topics.create(unique_name("in"))
    produce(topic, [OK] * 5 + [{"do": "crash"}] + [OK] * 4)
    function = make_function(KAFKA, topic, maximum_retries=1)

    with _running(function) as process:
        eventually(process.mapping.is_idle, "all records to be processed or discarded")
        counters = process.mapping.counters

    assert counters.dead_lettered == 1
    assert function.taken() == _names(topic, [*range(5), *range(6, 10)])  # type: ignore[arg-type]
    (letter,) = function.dead_letters()
    assert letter["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert letter["responseContext"]["functionError"] == "Unhandled"
    info = letter["KafkaBatchInfo"]
    assert info["batchSize"] == 1
    assert info["recordsInfo"][f"{topic}-0"]["firstRecordOffset"] == "5"
    assert info["recordsInfo"][f"{topic}-0"]["lastRecordOffset"] == "5"


def test_a_poison_record_does_not_delay_other_partitions(
    make_function: Callable[..., Function],
    topics: Any,
    unique_name: Callable[[str], str],
    produce: Callable[..., None],
    eventually: Eventually,
) -> None:
    topic = topics.create(unique_name("in"), partitions=2)
    produce(topic, [{"do": "fail"}], partition=0)
    function = make_function(KAFKA, topic, maximum_retries=10_000)

    with _running(function):
        produce(topic, [OK] * 3, partition=1)
        eventually(
            lambda: function.taken() == _names(topic, range(3), 1), "the other partition's records taken"
        )


def test_records_that_the_filter_drops_are_not_delivered_and_are_done(
    make_function: Callable[..., Function],
    topics: Any,
    unique_name: Callable[[str], str],
    produce: Callable[..., None],
    eventually: Eventually,
) -> None:
    topic = topics.create(unique_name("in"))
    produce(topic, [{"kind": "a"}, {"kind": "b"}, {"kind": "a"}, {"kind": "b"}])
    function = make_function(KAFKA, topic, filter_pattern={"value": {"kind": ["a"]}})

    with _running(function) as process:
        eventually(process.mapping.is_idle, "all taken or dropped")
        counters = process.mapping.counters

    assert (counters.records, counters.filtered) == (2, 2)
    assert function.taken() == [f"{topic}-0/0", f"{topic}-0/2"]


def test_partitions_that_are_added_later_are_read_from_their_start(
    make_function: Callable[..., Function],
    topics: Any,
    kafka_bootstrap: str,
    unique_name: Callable[[str], str],
    produce: Callable[..., None],
    eventually: Eventually,
) -> None:
    topic = topics.create(unique_name("in"))
    function = make_function(KAFKA, topic)

    with _running(function):
        admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
        for future in admin.create_partitions([NewPartitions(topic, 2)]).values():
            future.result(30)
        produce(topic, [OK] * 3, partition=1)
        eventually(
            lambda: function.taken() == _names(topic, range(3), 1), "the new partition's records taken"
        )


def test_the_event_holds_what_lambda_s_holds(
    make_function: Callable[..., Function],
    topics: Any,
    kafka_bootstrap: str,
    unique_name: Callable[[str], str],
    eventually: Eventually,
) -> None:
    """The guide's example event of Amazon MSK; a null key or value is left out."""
    topic = topics.create(unique_name("in"))
    function = make_function(KAFKA, topic)
    producer = Producer({"bootstrap.servers": kafka_bootstrap})
    produced_ms = round(time.time() * 1000)
    producer.produce(topic, value=None, key=b"user", headers=[("trace", b"a\xff")], timestamp=produced_ms)
    producer.produce(topic, value=b"\x00{", key=None)
    assert producer.flush(30) == 0
    events: list[bytes] = []
    process = MappingProcess(function.config, status_file(function.config_file, "echo"))
    answer = process.mapping._invoke

    def invoke(payload: bytes) -> Any:
        events.append(payload)
        return answer(b"{}")

    process.mapping._invoke = invoke
    process.mapping.start()
    eventually(lambda: process.mapping.counters.records == 2, "both delivered")
    process.mapping.stop()
    process.pool.stop()

    records = [record for event in events for record in json.loads(event)["records"][f"{topic}-0"]]
    assert json.loads(events[0])["eventSource"] == "aws:kafka"
    assert json.loads(events[0])["bootstrapServers"] == kafka_bootstrap
    assert records[0] == {
        "topic": topic,
        "partition": 0,
        "offset": 0,
        "timestamp": produced_ms,
        "timestampType": "CREATE_TIME",
        "key": "dXNlcg==",
        "headers": [{"trace": [97, -1]}],
    }
    assert records[1]["value"] == "AHs="
    assert "key" not in records[1]


def test_a_process_that_was_stopped_resumes_where_it_was(
    make_function: Callable[..., Function],
    topics: Any,
    kafka_bootstrap: str,
    unique_name: Callable[[str], str],
    produce: Callable[..., None],
    command: Callable[[Function], list[str]],
    eventually: Eventually,
) -> None:
    topic = topics.create(unique_name("in"))
    function = make_function(KAFKA, topic)
    produce(topic, [OK] * 15)

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
    produce(topic, [OK] * 10)
    run_until_idle(25)

    assert function.taken() == _names(topic, range(25))
    status = function.status()
    assert status is not None
    assert (status.state, status.counters.records, status.workers) == ("stopped", 10, 1)
    group = Consumer({"bootstrap.servers": kafka_bootstrap, "group.id": f"{topic}-group"})
    (committed,) = group.committed([TopicPartition(topic, 0)], timeout=30)
    group.close()
    assert committed.offset == 25


def test_a_process_that_is_killed_loses_nothing_and_leaves_no_worker(
    make_function: Callable[..., Function],
    topics: Any,
    unique_name: Callable[[str], str],
    produce: Callable[..., None],
    command: Callable[[Function], list[str]],
    eventually: Eventually,
) -> None:
    topic = topics.create(unique_name("in"))
    function = make_function(KAFKA, topic, batch_size=5)
    produce(topic, [OK] * 7 + [{"do": "sleep", "once": True}] + [OK] * 7)
    first = subprocess.Popen(command(function), start_new_session=True)
    eventually(lambda: any(each["did"] for each in function.invocations()), "a batch in flight")
    workers = psutil.Process(first.pid).children(recursive=True)
    assert workers

    first.kill()
    first.wait()
    eventually(lambda: not any(worker.is_running() for worker in workers), "no worker left")
    second = subprocess.Popen(command(function))
    try:
        eventually(lambda: set(function.taken()) == set(_names(topic, range(15))), "all taken")
    finally:
        second.terminate()
        assert second.wait(30) == 0
