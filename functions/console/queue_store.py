"""Flagged payments without a verdict, from the index that the queue reads."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from contract.alert import Instant, RiskScore
from contract.flagged import FLAGGED_TABLE, OPEN, status_shards
from contract.items import from_item
from contract.scored import Decision


class OpenPayment(msgspec.Struct, frozen=True):
    """What the index has of a payment, without what names its user."""

    occurred_at: Instant
    decision: Decision
    risk_score: RiskScore
    amount: Decimal
    """Major units of ``currency``."""
    currency: str


class QueueStore:
    """Reads the queue. Raises ClientError, BotoCoreError, InvalidRowError.

    Parameters
    ----------
    client
        A boto3 DynamoDB client.
    table : str
        The table's name in this environment.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def newest(self, limit: int) -> list[OpenPayment]:
        """Read the newest open payments of each shard, at most ``limit`` of each."""
        found: list[OpenPayment] = []
        for shard in status_shards(OPEN):
            answer = self._client.query(
                TableName=self._table,
                IndexName="by_status",
                KeyConditionExpression="status_shard = :shard",
                ExpressionAttributeValues={":shard": {"S": shard}},
                ScanIndexForward=False,
                Limit=limit,
            )
            found += [from_item(FLAGGED_TABLE, item, OpenPayment) for item in answer["Items"]]
        return found
