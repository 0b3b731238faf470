"""The whole system, started once for all end-to-end tests: real Kafka, Valkey and Spark, the functions from their zips."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from confluent_kafka import Producer

from contract.flagged import FLAGGED_TABLE, FlaggedKey, to_flagged_key
from contract.scored import HISTORY_TABLE, ScoredTransaction, from_history_item
from local.resources import LANDING_PREFIX
from local.stack import Stack
from local.stack_metrics import StackMetrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

T = TypeVar("T")

TOPIC = "transaction_stream"
WAIT_SECONDS = 120.0


class System:
    """A running stack, with what tests do to it and read from it."""

    def __init__(self, stack: Stack, build_dir: Path) -> None:
        self.stack = stack
        self.build_dir = build_dir
        self.metrics = StackMetrics(build_dir)
        self._producer = Producer(
            {"bootstrap.servers": stack.bootstrap_servers, "message.max.bytes": 2_000_000}
        )

    def produce(self, value: bytes | None, key: str | None = None) -> tuple[int, int]:
        """Write one record to the topic as any Kafka client would; return partition and offset."""
        places: list[tuple[int, int]] = []

        def delivered(error: object, message: Any) -> None:
            assert error is None, error
            places.append((message.partition(), message.offset()))

        self._producer.produce(TOPIC, value=value, key=key, on_delivery=delivered)
        self._producer.flush(30)
        return places[0]

    def drop(self, name: str, data: bytes) -> None:
        """Put a file into the landing bucket."""
        bucket = self.stack.resources.buckets["landing"]
        self.stack.client("s3").put_object(Bucket=bucket, Key=f"{LANDING_PREFIX}{name}", Body=data)

    def history(self, user_id: str) -> list[ScoredTransaction]:
        """A user's rows in time order."""
        answer = self.stack.client("dynamodb").query(
            TableName=self.stack.resources.tables[HISTORY_TABLE],
            KeyConditionExpression="user_id = :user",
            ExpressionAttributeValues={":user": {"S": user_id}},
            ConsistentRead=True,
        )
        return [from_history_item(item) for item in answer["Items"]]

    def all_rows(self, user_id: str, count: int) -> list[ScoredTransaction]:
        """A user's rows, once there are at least ``count``; none before."""
        rows = self.history(user_id)
        return rows if len(rows) >= count else []

    def flagged(self, transaction_id: str) -> dict[str, Any] | None:
        """The flagged row of a payment, in wire form."""
        dynamodb, table = self.stack.client("dynamodb"), self.stack.resources.tables[FLAGGED_TABLE]
        keys = dynamodb.query(
            TableName=table,
            IndexName="by_transaction_id",
            KeyConditionExpression="transaction_id = :id",
            ExpressionAttributeValues={":id": {"S": transaction_id}},
        )["Items"]
        if not keys:
            return None
        key = to_flagged_key(FlaggedKey(keys[0]["user_id"]["S"], keys[0]["event_key"]["S"]))
        item: dict[str, Any] | None = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get(
            "Item"
        )
        return item

    def wait_for(self, ask: Callable[[], T | None], what: str, seconds: float = WAIT_SECONDS) -> T:
        """Poll until the answer is true; after the time fail, and name the folder of the logs."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if answer := ask():
                return answer
            time.sleep(0.1)
        pytest.fail(f"waited {seconds:.0f} s for {what}; logs: {self.stack.log_dir}")


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The whole stack, with the default ruleset active."""
    build_dir = tmp_path_factory.mktemp("stack")
    with Stack(build_dir) as stack:
        # Tests count rows and messages; the canary's test runs it itself.
        stack.start(disabled_schedules=["canary"])
        yield System(stack, build_dir)
