"""The servers themselves: they answer, survive a taken port, and leave nothing behind."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from confluent_kafka import Consumer, Producer

from local.components.cache import Cache, is_cache_up
from local.processes import ProcessError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import redis


def test_broker_keeps_a_message_of_one_mebibyte(kafka_bootstrap: str, topics: Any, unique_name: Any) -> None:
    topic = topics.create(unique_name("large"))
    producer = Producer({"bootstrap.servers": kafka_bootstrap, "message.max.bytes": 2 * 1024 * 1024})
    garbage = bytes(1024 * 1024)

    producer.produce(topic, garbage)
    assert producer.flush(30) == 0

    consumer = Consumer(
        {"bootstrap.servers": kafka_bootstrap, "group.id": topic, "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    (message,) = consumer.consume(1, 30)
    consumer.close()
    assert message.value() == garbage


def test_cache_evicts_the_least_recently_used_and_does_not_persist(redis_client: redis.Redis) -> None:
    settings = redis_client.config_get("maxmemory-policy", "save", "appendonly", "maxmemory")

    assert settings == {
        "maxmemory-policy": "allkeys-lru",
        "save": "",
        "appendonly": "no",
        "maxmemory": str(256 * 1024 * 1024),
    }


def test_item_count_of_the_aws_api_follows_batched_inserts(
    aws_client: Callable[[str], Any], unique_name: Callable[[str], str]
) -> None:
    dynamodb = aws_client("dynamodb")
    table = unique_name("rows")
    dynamodb.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )

    statement = f"INSERT INTO \"{table}\" VALUE {{'id': ?}}"
    dynamodb.batch_execute_statement(
        Statements=[{"Statement": statement, "Parameters": [{"S": str(number)}]} for number in range(25)]
    )

    assert dynamodb.describe_table(TableName=table)["Table"]["ItemCount"] == 25


def test_dynamodb_local_answers(dynamodb_local: Any) -> None:
    assert isinstance(dynamodb_local.list_tables()["TableNames"], list)


def test_stopped_server_leaves_no_process_no_port_and_no_data(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "run", tmp_path / "logs")
    cache.start()
    record = cache.process.record

    cache.stop()

    assert record.find() is None
    assert not is_cache_up(cache.endpoint, 1.0)
    assert list((tmp_path / "run").iterdir()) == []


def test_server_whose_port_was_taken_meanwhile_starts_on_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = stranger.getsockname()[1]
        with socket.create_server(("127.0.0.1", 0)) as probe:
            free = probe.getsockname()[1]
        ports = iter([taken, free])
        monkeypatch.setattr("local.components.cache.free_port", lambda: next(ports))

        with Cache(tmp_path / "run", tmp_path / "logs") as cache:
            assert cache.endpoint == f"redis://127.0.0.1:{free}"


def test_server_that_cannot_start_says_why_and_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.components.cache.MAX_MEMORY", "a lot")
    before = set(psutil.Process().children())

    with pytest.raises(
        ProcessError, match=r"valkey ended with exit code 1(.|\n)*argument must be a memory value"
    ):
        Cache(tmp_path / "run", tmp_path / "logs").start()

    assert set(psutil.Process().children()) == before
