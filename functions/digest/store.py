"""alert_windows in DynamoDB: which digests are due, and the rows that they are in."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from common.alert_windows import read_windows, windows_put
from contract.alert_windows import DUE_INDEX, DUE_SHARDS
from contract.clock import time_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from contract.alert_windows import UserWindows


class Due(NamedTuple):
    """A digest that is due, as the index has it; the row may have changed since."""

    user_id: str
    due_at: datetime
    """UTC."""


class DueDigests:
    """The table, by the calls that this stage makes.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client; it is used by several threads.
    table : str
        The table's name in this environment.
    """

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def due(self, now: datetime, limit: int) -> Iterator[Due]:
        """Find what is due, by one request for each shard of the index.

        Parameters
        ----------
        now : datetime
            The clock, UTC.
        limit : int
            The most digests to find; each shard has the same share, and gives the longest-waiting ones.
        """
        for shard in range(DUE_SHARDS):
            answer = self._client.query(
                TableName=self._table,
                IndexName=DUE_INDEX,
                KeyConditionExpression="due_shard = :shard AND due_at <= :now",
                ExpressionAttributeValues={":shard": {"N": str(shard)}, ":now": {"S": time_text(now)}},
                Limit=max(limit // DUE_SHARDS, 1),
            )
            for item in answer["Items"]:
                yield Due(item["user_id"]["S"], datetime.fromisoformat(item["due_at"]["S"]))

    def windows_of(self, user_id: str) -> UserWindows:
        """Read a user's windows, consistently; empty ones of version 0 where there is no row."""
        return read_windows(self._client, self._table, user_id)

    def replace(self, windows: UserWindows, now: datetime) -> bool:
        """Write a row over the version that it was made from.

        Parameters
        ----------
        windows : UserWindows
            Made from version ``windows.version - 1``.
        now : datetime
            The clock, aware; for the row's expiry.

        Returns
        -------
        bool
            False where another worker has written the row, or is writing it.

        Raises
        ------
        ClientError, BotoCoreError
            When DynamoDB did not answer or refused the request, after retries.
        """
        refusals = self._client.exceptions
        try:
            self._client.put_item(**windows_put(self._table, windows, now))
        except (refusals.ConditionalCheckFailedException, refusals.TransactionConflictException):
            return False
        return True
