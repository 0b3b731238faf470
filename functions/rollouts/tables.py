"""Counts of both sides of a ruleset by process and hour, and changes of the ruleset, in DynamoDB."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from contract.items import from_item, to_item
from contract.rollout_rows import (
    HOUR,
    HOUR_RETENTION,
    PART,
    counts_item,
    hour_key,
    parts_from,
    time_of_key,
)
from contract.ruleset_change import RULESET_CHANGES_TABLE, RulesetChange, change_keys
from engine.rollout.stored import counts_from_bytes, counts_to_bytes
from engine.rollout.windows import HOUR as ONE_HOUR
from engine.rollout.windows import Part, closed_hours

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

    from engine.rollout.counts import RolloutCounts

_AFTER_ALL_PARTS = PART[:-1] + chr(ord(PART[-1]) + 1)


class Counted(NamedTuple):
    """What was counted of one ruleset."""

    parts: list[Part]
    """Of processes; complete for the last hour, and for hours that are not in :attr:`hours`."""
    hours: dict[datetime, RolloutCounts]


class CountsTable:
    """The table ``rollout_counts``.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client.
    table : str
        Its name in this environment.
    keeps_hours : bool
        Whether a reader writes the sums of hours that are over; who only looks does not.
    """

    def __init__(self, client: DynamoDBClient, table: str, *, keeps_hours: bool = True) -> None:
        self._client = client
        self._table = table
        self._keeps_hours = keeps_hours

    def read(self, digest: str, now: datetime) -> Counted:
        """Read what was counted of a ruleset, and keep the hours that are over.

        Parameters
        ----------
        digest : str
            Of the ruleset's document.
        now : datetime
            UTC.

        Raises
        ------
        InvalidCountsError
            Where a row cannot be read.
        """
        hours = dict(self._rows(digest, HOUR, HOUR[:-1] + "~"))
        last_closed = max(hours, default=None)
        begin = PART if last_closed is None else parts_from(min(last_closed + ONE_HOUR, now - ONE_HOUR))
        parts = [Part(at, counts) for at, counts in self._rows(digest, begin, _AFTER_ALL_PARTS)]
        for hour, counts in closed_hours(parts, hours, now).items():
            if self._keeps_hours:
                # Those of another run are the same, but for what was written late.
                item = counts_item(digest, hour_key(hour), counts_to_bytes(counts), hour + HOUR_RETENTION)
                self._client.put_item(TableName=self._table, Item=item)
            hours[hour] = counts
        return Counted(parts, hours)

    def _rows(self, digest: str, begin: str, end: str) -> Iterator[tuple[datetime, RolloutCounts]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="digest = :digest AND count_key BETWEEN :begin AND :end",
            ExpressionAttributeValues={
                ":digest": {"S": digest},
                ":begin": {"S": begin},
                ":end": {"S": end},
            },
        )
        for page in pages:
            for item in page["Items"]:
                yield time_of_key(item["count_key"]["S"]), counts_from_bytes(bytes(item["counts"]["B"]))


class ChangesTable:
    """The table ``ruleset_changes``.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client.
    table : str
        Its name in this environment.
    """

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def put(self, change: RulesetChange) -> None:
        """Insert a row; one that exists stays as it is."""
        item: Any = to_item(change)
        try:
            self._client.put_item(
                TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(change_key)"
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ConditionalCheckFailedException":
                raise

    def lately(self, now: datetime) -> list[RulesetChange]:
        """The changes of this month and the one before, oldest first."""
        this_month, _ = change_keys(now, "")
        month_before, _ = change_keys(now.replace(day=1) - timedelta(days=1), "")
        return [*self._of_month(month_before), *self._of_month(this_month)]

    def _of_month(self, month: str) -> Iterator[RulesetChange]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="changed_in = :month",
            ExpressionAttributeValues={":month": {"S": month}},
        )
        for page in pages:
            for item in page["Items"]:
                yield from_item(RULESET_CHANGES_TABLE, item, RulesetChange)
