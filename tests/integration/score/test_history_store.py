"""The history store on AWS's own DynamoDB Local, and on the emulator that the local stack uses."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config

from contract.scored import Position, ScoredTransaction
from local.provision import table_request
from local.specs import read_tables
from score.errors import HistoryUnavailableError
from score.history_store import REBUILD_ROWS, DynamoHistoryStore, Insert
from tests.payments import NOW, make_scored, make_transaction


@pytest.fixture(params=["dynamodb-local", "ministack"])
def dynamodb(request: pytest.FixtureRequest, aws_client: Callable[[str], Any]) -> Any:
    if request.param == "ministack":
        return aws_client("dynamodb")
    return request.getfixturevalue("dynamodb_local")


@pytest.fixture
def table(dynamodb: Any, unique_name: Callable[[str], str]) -> str:
    name = unique_name("history")
    dynamodb.create_table(**table_request(name, read_tables()["transaction_history"]))
    return name


@pytest.fixture
def store(dynamodb: Any, table: str) -> Iterator[DynamoHistoryStore]:
    with ThreadPoolExecutor(4) as pool:
        yield DynamoHistoryStore(dynamodb, table, 400, pool, lambda _: None)


def rows(count: int, user_id: str = "user-1") -> list[ScoredTransaction]:
    return [
        make_scored(
            make_transaction(
                transaction_id=f"t-{number:04d}",
                user_id=user_id,
                timestamp=NOW - timedelta(hours=1) + timedelta(milliseconds=number),
            ),
            position=Position("transaction_stream", 1, number),
        )
        for number in range(count)
    ]


def test_rows_are_stored_exactly_and_read_back_in_time_order(store: DynamoHistoryStore) -> None:
    batch = rows(60)

    outcome = store.insert(list(reversed(batch)), lambda: True)

    assert outcome == [Insert.STORED] * 60
    assert store.newest(["user-1", "nobody"]) == {"user-1": batch, "nobody": []}


def test_an_insert_never_overwrites(store: DynamoHistoryStore) -> None:
    first = rows(3)
    store.insert(first, lambda: True)
    later = [
        make_scored(
            row.transaction,
            position=Position("transaction_stream", 1, 100 + place),
            risk_score=99,
        )
        for place, row in enumerate(first)
    ]

    outcome = store.insert([*later, *rows(5)[3:]], lambda: True)

    assert outcome == [Insert.STANDS] * 3 + [Insert.STORED] * 2
    assert store.newest(["user-1"])["user-1"] == rows(5)


def test_positions_are_found_for_the_rows_that_stand(store: DynamoHistoryStore) -> None:
    batch = rows(150)
    store.insert(batch, lambda: True)
    keys = [("user-1", row.transaction.event_key) for row in batch]

    found = store.positions([*keys, ("user-1", "2026-01-01T00:00:00.000000Z#none"), keys[0]])

    assert found == {key: row.position for key, row in zip(keys, batch, strict=True)}


def test_the_newest_rows_are_bounded(store: DynamoHistoryStore) -> None:
    batch = rows(REBUILD_ROWS + 20)
    store.insert(batch, lambda: True)

    assert store.newest(["user-1"])["user-1"] == batch[20:]


def test_a_table_that_does_not_answer_fails_the_rows_and_raises_on_reads() -> None:
    client = boto3.client(
        "dynamodb",
        endpoint_url="http://127.0.0.1:1",
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(connect_timeout=1, retries={"total_max_attempts": 1}),
    )
    with ThreadPoolExecutor(2) as pool:
        store = DynamoHistoryStore(client, "history", 400, pool, lambda _: None)

        assert store.insert(rows(30), lambda: True) == [Insert.FAILED] * 30
        with pytest.raises(HistoryUnavailableError, match="Query"):
            store.newest(["user-1"])
        with pytest.raises(HistoryUnavailableError, match="BatchGetItem"):
            store.positions([("user-1", "k")])
