"""Counts of both sides of a ruleset by process and hour, in DynamoDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from contract.errors import InvalidRowError
from contract.rollout_rows import (
    HOUR,
    HOUR_RETENTION,
    LATE,
    PART,
    PART_RETENTION,
    ROLLOUT_COUNTS_TABLE,
    counts_item,
    hour_key,
    parts_from,
    summed_at,
    time_of_key,
    times_of_late_key,
)
from engine.errors import InvalidCountsError
from engine.rollout.counts import total
from engine.rollout.stored import counts_from_bytes, counts_to_bytes
from engine.rollout.windows import CLOSED_AFTER, Part, closed_hours
from engine.rollout.windows import HOUR as ONE_HOUR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

    from common.unreadable_rows import UnreadableRows
    from engine.rollout.counts import RolloutCounts

RowT = TypeVar("RowT")

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

    A row that cannot be read is left out and reported: both sides miss it alike, so what is compared stays fair.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client.
    table : str
        Its name in this environment.
    unreadable : UnreadableRows
        Gets the rows that are left out.
    keeps_hours : bool
        Whether a reader writes the sums of hours that are over; who only looks does not.
    """

    def __init__(
        self, client: DynamoDBClient, table: str, unreadable: UnreadableRows, *, keeps_hours: bool = True
    ) -> None:
        self._client = client
        self._table = table
        self._unreadable = unreadable
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
        ClientError, BotoCoreError
            Where DynamoDB did not answer.
        """
        hours: dict[datetime, RolloutCounts] = {}
        summed: dict[datetime, datetime] = {}
        for hour, counts, at in self._readable(digest, HOUR, HOUR[:-1] + "~", _read_hour):
            hours[hour], summed[hour] = counts, at
        last_closed = max(hours, default=None)
        begin = PART if last_closed is None else parts_from(min(last_closed + ONE_HOUR, now - ONE_HOUR))
        parts = list(self._readable(digest, begin, _AFTER_ALL_PARTS, _read_part))
        anew = {} if last_closed is None else self._anew(digest, summed, last_closed, now)
        not_kept = None
        for hour, counts in sorted((anew | closed_hours(parts, hours, now)).items()):
            if self._keeps_hours and not_kept is None:
                # No later one either: parts are read from the end of the last hour that is kept.
                not_kept = self._keep(digest, hour, counts, now)
            hours[hour] = counts
        return Counted(parts, hours, not_kept)

    def _anew(
        self, digest: str, summed: Mapping[datetime, datetime], last_closed: datetime, now: datetime
    ) -> dict[datetime, RolloutCounts]:
        """Add up the hours again of which a part came late. Those after the last one that is kept are added up from their parts anyway."""
        late: dict[datetime, datetime] = {}
        for hour, written_at in self._readable(digest, LATE, LATE[:-1] + "~", _read_late):
            late[hour] = max(written_at, late.get(hour, written_at))
        return {
            hour: total(
                part.counts
                for part in self._readable(digest, parts_from(hour), parts_from(hour + ONE_HOUR), _read_part)
            )
            for hour, written_at in late.items()
            # Both clocks may differ by some minutes. Of an older hour some parts may be deleted already, and its sum would be less.
            if summed.get(hour, hour) < written_at + CLOSED_AFTER
            and hour <= last_closed
            and now < hour + PART_RETENTION
        }

    def _keep(
        self, digest: str, hour: datetime, counts: RolloutCounts, now: datetime
    ) -> ClientError | BotoCoreError | None:
        # The sums of another run are the same, but for what was written late; then a row says so.
        item = counts_item(digest, hour_key(hour), counts_to_bytes(counts), hour + HOUR_RETENTION, now)
        try:
            self._client.put_item(TableName=self._table, Item=item)
        except (ClientError, BotoCoreError) as error:
            return error
        return None

    def _readable(
        self, digest: str, begin: str, end: str, read: Callable[[dict[str, Any]], RowT]
    ) -> Iterator[RowT]:
        """Read rows in the order of their keys, and leave out those that cannot be read."""
        for item in self._items(digest, begin, end):
            try:
                row = read(item)
            except (InvalidRowError, InvalidCountsError) as error:
                self._unreadable.leave_out(error, f"{digest} {item['count_key']['S']}")
            else:
                yield row

    def _items(self, digest: str, begin: str, end: str) -> Iterator[dict[str, Any]]:
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
            items: list[Any] = page["Items"]
            yield from items


def _read_hour(item: dict[str, Any]) -> tuple[datetime, RolloutCounts, datetime]:
    """When an hour began, what was counted in it, and when that was added up."""
    hour = time_of_key(item["count_key"]["S"])
    return hour, _counts(item), summed_at(item, hour)


def _read_part(item: dict[str, Any]) -> Part:
    return Part(time_of_key(item["count_key"]["S"]), _counts(item))


def _read_late(item: dict[str, Any]) -> tuple[datetime, datetime]:
    return times_of_late_key(item["count_key"]["S"])


def _counts(item: dict[str, Any]) -> RolloutCounts:
    try:
        data: bytes = item["counts"]["B"]
    except KeyError as error:
        raise InvalidRowError(ROLLOUT_COUNTS_TABLE, "counts", "missing, or not of type B") from error
    return counts_from_bytes(bytes(data))
