"""Counts of both sides of a ruleset by process and hour, in DynamoDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from contract.rollout_rows import (
    HOUR,
    HOUR_RETENTION,
    PART,
    counts_item,
    hour_key,
    parts_from,
    time_of_key,
)
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
    not_kept: ClientError | BotoCoreError | None = None
    """Why an hour that is over could not be kept. What was counted is complete all the same: it is added up from its parts again until that succeeds, and
    parts are kept for days."""


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
        ClientError, BotoCoreError
            Where DynamoDB did not answer.
        """
        hours = dict(self._rows(digest, HOUR, HOUR[:-1] + "~"))
        last_closed = max(hours, default=None)
        begin = PART if last_closed is None else parts_from(min(last_closed + ONE_HOUR, now - ONE_HOUR))
        parts = [Part(at, counts) for at, counts in self._rows(digest, begin, _AFTER_ALL_PARTS)]
        not_kept = None
        for hour, counts in sorted(closed_hours(parts, hours, now).items()):
            if self._keeps_hours and not_kept is None:
                # No later one either: parts are read from the end of the last hour that is kept.
                not_kept = self._keep(digest, hour, counts)
            hours[hour] = counts
        return Counted(parts, hours, not_kept)

    def _keep(self, digest: str, hour: datetime, counts: RolloutCounts) -> ClientError | BotoCoreError | None:
        # The sums of another run are the same, but for what was written late.
        item = counts_item(digest, hour_key(hour), counts_to_bytes(counts), hour + HOUR_RETENTION)
        try:
            self._client.put_item(TableName=self._table, Item=item)
        except (ClientError, BotoCoreError) as error:
            return error
        return None

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
