"""flagged_transactions on AWS's own DynamoDB Local and on MiniStack: rows are inserted once and come back exactly."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from contract.flagged import from_flagged_item
from contract.transaction import Location
from persist.store import FlaggedTable
from tests.support.payments import make_flagged
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

        assert FlaggedTable(client, name).insert(flagged) is None

        (item,) = client.scan(TableName=name)["Items"]
        assert from_flagged_item(item) == flagged

    def test_existing_row_is_returned_and_not_overwritten(self, client: Any, name: str) -> None:
        table = FlaggedTable(client, name)
        table.insert(make_flagged())

        existing = table.insert(make_flagged(user_id="user-2"))

        assert existing is not None
        assert from_flagged_item(existing) == make_flagged()
        assert client.scan(TableName=name)["Count"] == 1

    def test_of_workers_at_once_one_inserts(self, client: Any, name: str) -> None:
        table = FlaggedTable(client, name)

        with ThreadPoolExecutor(WORKERS) as workers:
            existing = list(workers.map(table.insert, [make_flagged()] * WORKERS))

        assert existing.count(None) == 1
        assert all(item is None or from_flagged_item(item) == make_flagged() for item in existing)

    def test_review_queue_lists_open_rows_by_event_time(self, client: Any, name: str) -> None:
        table = FlaggedTable(client, name)
        rows = [
            make_flagged(
                transaction_id=f"tx-{hour}", occurred_at=make_flagged().occurred_at.replace(hour=hour)
            )
            for hour in (11, 9, 10)
        ]
        for row in rows:
            table.insert(row)

        answer = client.query(
            TableName=name,
            IndexName="by_status",
            KeyConditionExpression="#status = :open",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":open": {"S": "open"}},
        )

        assert [item["transaction_id"]["S"] for item in answer["Items"]] == ["tx-9", "tx-10", "tx-11"]


class TestOnDynamoDbLocal(FlaggedTableContract):
    @pytest.fixture
    def client(self, dynamodb_local: Any) -> Any:
        return dynamodb_local


class TestOnMiniStack(FlaggedTableContract):
    @pytest.fixture
    def client(self, aws_client: Callable[[str], Any]) -> Any:
        return aws_client("dynamodb")
