"""The history store on AWS's own DynamoDB Local, and on the emulator that the local stack uses."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from contract.clock import EPOCH, MILLISECOND
from contract.scored import Position, ScoredTransaction
from local.provision import table_request
from ops.manifests import read_tables
from score.dynamo_calls import DynamoCalls
from score.errors import HistoryUnavailableError
from score.history_store import REBUILD_ROWS, DynamoHistoryStore, InsertResult
from tests.support.dynamodb_answers import respond
from tests.support.payments import NOW, make_scored, make_transaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.awsrequest import AWSResponse


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
def store(dynamodb: Any, table: str) -> DynamoHistoryStore:
    return DynamoHistoryStore(DynamoCalls(dynamodb), table, 400, lambda _: None)


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


def newest(store: DynamoHistoryStore) -> list[ScoredTransaction]:
    [found] = store.newest({"user-1": None}, lambda: True)
    return [row.scored() for row in found.rows]


def test_rows_are_stored_exactly_and_read_back_in_time_order(store: DynamoHistoryStore) -> None:
    batch = rows(60)

    outcome = store.insert(list(reversed(batch)), lambda: True)

    assert outcome == [InsertResult.STORED] * 60
    found = store.newest({"user-1": None, "nobody": None}, lambda: True)
    assert {of_user.user_id: [row.scored() for row in of_user.rows] for of_user in found} == {
        "user-1": batch,
        "nobody": [],
    }


def test_rows_after_a_time_are_those_of_later_keys(store: DynamoHistoryStore) -> None:
    batch = rows(60)
    store.insert(batch, lambda: True)
    after_ms = (batch[20].occurred_at - EPOCH) // MILLISECOND

    [found] = store.newest({"user-1": after_ms}, lambda: True)

    assert [row.scored() for row in found.rows] == batch[21:]


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

    assert outcome == [InsertResult.EXISTS] * 3 + [InsertResult.STORED] * 2
    assert newest(store) == rows(5)


def test_the_rows_that_exist_are_found(store: DynamoHistoryStore) -> None:
    batch = rows(150)
    store.insert(batch, lambda: True)
    keys = [("user-1", row.event_key) for row in batch]

    found = store.find([*keys, ("user-1", "2026-01-01T00:00:00.000000Z#none"), keys[0]], lambda: True)

    assert found == dict(zip(keys, batch, strict=True))


def test_the_newest_rows_are_bounded(store: DynamoHistoryStore) -> None:
    batch = rows(REBUILD_ROWS + 20)
    store.insert(batch, lambda: True)

    assert newest(store) == batch[20:]


def test_an_unreachable_table_fails_the_rows_and_raises_on_reads() -> None:
    client = boto3.client(
        "dynamodb",
        endpoint_url="http://127.0.0.1:1",
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(connect_timeout=1, retries={"total_max_attempts": 1}),
    )
    store = DynamoHistoryStore(DynamoCalls(client), "history", 400, lambda _: None)

    assert store.insert(rows(30), lambda: True) == [InsertResult.FAILED] * 30
    with pytest.raises(HistoryUnavailableError, match="Query"):
        newest(store)
    with pytest.raises(HistoryUnavailableError, match="BatchGetItem"):
        store.find([("user-1", "k")], lambda: True)


def refuse(client: Any, operation: str, times: int, code: str, status: int) -> list[str]:
    """Answer the next ``times`` calls of ``operation`` by an error; the list grows with every call."""
    asked: list[str] = []

    def answer(**_: object) -> AWSResponse | None:
        asked.append(operation)
        return respond(status, {"__type": f"com.amazonaws#{code}"}) if len(asked) <= times else None

    client.meta.events.register(f"before-send.dynamodb.{operation}", answer)
    return asked


@pytest.mark.parametrize(
    ("operation", "code", "status"),
    [
        ("Query", "ProvisionedThroughputExceededException", 400),
        ("Query", "InternalServerError", 500),
        ("BatchGetItem", "ThrottlingException", 400),
    ],
)
def test_a_read_that_is_refused_for_a_while_is_retried(
    dynamodb: Any, store: DynamoHistoryStore, operation: str, code: str, status: int
) -> None:
    [row] = rows(1)
    store.insert([row], lambda: True)
    newest(store)
    asked = refuse(dynamodb, operation, times=3, code=code, status=status)
    key = ("user-1", row.event_key)

    found = newest(store) if operation == "Query" else store.find([key], lambda: True)

    assert found == ([row] if operation == "Query" else {key: row})
    assert len(asked) == 4


def test_a_read_is_not_retried_without_time_or_without_rights(
    dynamodb: Any, store: DynamoHistoryStore
) -> None:
    newest(store)
    throttled = refuse(dynamodb, "Query", times=100, code="ThrottlingException", status=400)
    with pytest.raises(HistoryUnavailableError):
        list(store.newest({"user-1": None}, lambda: False))
    denied = refuse(dynamodb, "BatchGetItem", times=100, code="AccessDeniedException", status=400)
    with pytest.raises(HistoryUnavailableError):
        store.find([("user-1", "k")], lambda: True)

    assert (len(throttled), len(denied)) == (1, 1)
