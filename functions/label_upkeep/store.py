"""The tables of labels in DynamoDB, as the upkeep reads them: what is due, partitions in order, frauds by day."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from contract.clock import time_text
from contract.items import from_item
from contract.label import LabelVerdict
from contract.label_rows import (
    DUE_INDEX,
    DUE_SHARDS,
    FRAUD,
    PENDING_LABELS_TABLE,
    PendingLabel,
    day_id,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient


class Page(NamedTuple):
    """A part of a table."""

    partitions: list[str]
    """Values of its partition key, each once; the first may have rows in the part before."""
    after: Mapping[str, Any] | None
    """Where the next part begins; None where this is the last."""
    entity_ids: Sequence[str] = ()
    """Of the labels in it that withdraw another one: entities that may have no row any more."""


class UpkeepTables:
    """The tables, by the calls that the upkeep makes. Its errors are ClientError and BotoCoreError, after retries.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client.
    entity_risk, pending : str
        Their names in this environment.
    """

    def __init__(self, client: DynamoDBClient, entity_risk: str, pending: str) -> None:
        self._client = client
        self._entity_risk = entity_risk
        self._pending = pending

    def due(self, now: datetime, limit: int) -> Iterator[str]:
        """Find the labels that are to be sent again, the longest-waiting first in each of the index's partitions."""
        for shard in range(DUE_SHARDS):
            answer = self._client.query(
                TableName=self._pending,
                IndexName=DUE_INDEX,
                KeyConditionExpression="due_shard = :shard AND due_at <= :now",
                ExpressionAttributeValues={":shard": {"N": str(shard)}, ":now": {"S": time_text(now)}},
                Limit=max(limit // DUE_SHARDS, 1),
            )
            for item in answer["Items"]:
                yield item["pending_id"]["S"]

    def pending(self, pending_id: str) -> PendingLabel | None:
        """Read an unfinished label, consistently; None where it is finished. InvalidRowError where it cannot be read."""
        answer = self._client.get_item(
            TableName=self._pending, Key={"pending_id": {"S": pending_id}}, ConsistentRead=True
        )
        item = answer.get("Item")
        return None if item is None else from_item(PENDING_LABELS_TABLE, item, PendingLabel)

    def postpone(self, pending_id: str, due_at: datetime) -> None:
        """Say when a label is due the next time; one that was finished meanwhile is not made again."""
        try:
            self._client.update_item(
                TableName=self._pending,
                Key={"pending_id": {"S": pending_id}},
                UpdateExpression="SET due_at = :due",
                ConditionExpression="attribute_exists(pending_id)",
                ExpressionAttributeValues={":due": {"S": time_text(due_at)}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def delete(self, pending_id: str) -> None:
        """Delete an unfinished label, which is quarantined now."""
        self._client.delete_item(TableName=self._pending, Key={"pending_id": {"S": pending_id}})

    def page(self, table: str, partition: str, after: Mapping[str, Any] | None, limit: int) -> Page:
        """Read which partitions a part of a table has, and which entities its withdrawals name.

        Parameters
        ----------
        table : str
            Its name in this environment.
        partition : str
            The attribute that is its partition key.
        after : Mapping | None
            Where the part before ended; None for the first part.
        limit : int
            Rows of the part, >= 1.
        """
        place: Any = {} if after is None else {"ExclusiveStartKey": after}
        answer = self._client.scan(
            TableName=table,
            Limit=limit,
            ProjectionExpression="#partition, verdict, entity_ids",
            ExpressionAttributeNames={"#partition": partition},
            **place,
        )
        found = dict.fromkeys(item[partition]["S"] for item in answer["Items"])
        withdrawn = dict.fromkeys(
            entity["S"]
            for item in answer["Items"]
            if item.get("verdict") == {"S": LabelVerdict.WITHDRAWN}
            # Absent where the payment names none. A row that cannot be read is reported where its user's labels are.
            for entity in item.get("entity_ids", {}).get("L", ())
            if "S" in entity
        )
        return Page(list(found), answer.get("LastEvaluatedKey"), list(withdrawn))

    def frauds(self, since: datetime, now: datetime) -> int:
        """Count the payments from a time on, up to today, that count as fraud."""
        days = (now.date() - since.date()).days + 1
        return sum(self._frauds_of(since + timedelta(days=day), since) for day in range(days))

    def _frauds_of(self, day: datetime, since: datetime) -> int:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._entity_risk,
            KeyConditionExpression="entity_id = :day AND payment_key BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":day": {"S": day_id(day.date())},
                ":first": {"S": f"{FRAUD}#{time_text(since)}"},
                ":last": {"S": f"{FRAUD}#~"},
            },
            Select="COUNT",
        )
        return sum(page["Count"] for page in pages)
