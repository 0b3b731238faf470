"""flagged_transactions on AWS's own DynamoDB Local and on MiniStack: rows are inserted once and come back exactly."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from contract.flagged import OPEN, from_flagged_item, status_shards
from contract.transaction import Location
from ops.manifests import read_tables
from persist.store import FlaggedTable
from tests.support.payments import NOW, make_flagged, make_transaction
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable

WORKERS = 8


class FlaggedTableContract:
    """What the persist stage relies on; a subclass gives ``client``."""

    @pytest.fixture
    def name(self, client: Any, unique_name: Callable[[str], str]) -> str:
        return make_table(client, "flagged_transactions", unique_name)

    def test_row_is_kept_as_it_was_written(self, client: Any, name: str) -> None:
        flagged = msgspec.structs.replace(
            make_flagged(), location=Location(latitude=-0.1, longitude=1e-7), merchant_id="東京 \"'\\"
        )

        assert FlaggedTable(client, name).insert(flagged)

        (item,) = client.scan(TableName=name)["Items"]
        assert from_flagged_item(item) == flagged

    def test_existing_row_is_not_overwritten(self, client: Any, name: str) -> None:
        table = FlaggedTable(client, name)
        table.insert(make_flagged())

        again = table.insert(make_flagged(risk_score=99))

        assert not again
        (item,) = client.scan(TableName=name)["Items"]
        assert from_flagged_item(item) == make_flagged()

    def test_of_workers_at_once_one_inserts(self, client: Any, name: str) -> None:
        table = FlaggedTable(client, name)

        with ThreadPoolExecutor(WORKERS) as workers:
            inserted = list(workers.map(table.insert, [make_flagged()] * WORKERS))

        assert inserted.count(True) == 1

    def test_payments_that_share_a_transaction_id_have_a_row_each(self, client: Any, name: str) -> None:
        table = FlaggedTable(client, name)
        one, other = make_flagged(), make_flagged(make_transaction(amount=Decimal(9900)))

        assert table.insert(one)
        assert table.insert(other)

        answer = client.query(
            TableName=name,
            IndexName="by_transaction_id",
            KeyConditionExpression="transaction_id = :id",
            ExpressionAttributeValues={":id": {"S": "tx-1"}},
        )
        assert {item["event_key"]["S"] for item in answer["Items"]} == {one.event_key, other.event_key}

    def test_review_queue_lists_open_rows_of_each_shard_by_event_time(self, client: Any, name: str) -> None:
        table = FlaggedTable(client, name)
        for number in range(48):
            at = NOW - timedelta(minutes=7 * number % 48)
            table.insert(make_flagged(make_transaction(transaction_id=f"tx-{number}", timestamp=at)))

        shards = [
            client.query(
                TableName=name,
                IndexName="by_status",
                KeyConditionExpression="status_shard = :shard",
                ExpressionAttributeValues={":shard": {"S": shard}},
            )["Items"]
            for shard in status_shards(OPEN)
        ]

        times = [[item["occurred_at"]["S"] for item in items] for items in shards]
        assert sum(map(len, times)) == 48
        assert times == [sorted(shard) for shard in times]
        assert {name for items in shards for item in items for name in item} == {
            "user_id",
            "event_key",
            "status_shard",
            "occurred_at",
            *read_tables()["flagged_transactions"].indexes["by_status"].attributes,
        }


class TestOnDynamoDbLocal(FlaggedTableContract):
    @pytest.fixture
    def client(self, dynamodb_local: Any) -> Any:
        return dynamodb_local


class TestOnMiniStack(FlaggedTableContract):
    @pytest.fixture
    def client(self, aws_client: Callable[[str], Any]) -> Any:
        return aws_client("dynamodb")
