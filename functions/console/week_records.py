"""What was flagged in the last days, by status: the index that lists it, and the rows of the newest, which have their rules."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import msgspec

from contract.clock import Instant, time_text
from contract.flagged import (
    CONFIRMED_FRAUD,
    FALSE_POSITIVE,
    FLAGGED_TABLE,
    IN_REVIEW,
    OPEN,
    FlaggedKey,
    FlaggedTransaction,
    status_shards,
)
from contract.items import from_item
from contract.scored import Decision

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

    from console.records import Records

STATUS_INDEX: Final = "by_status"

WATCHED: Final = (OPEN, IN_REVIEW, CONFIRMED_FRAUD, FALSE_POSITIVE)

MAX_OF_SHARD: Final = 300
"""Payments that are read of one partition of the index, the newest: 4,800 of a status."""

MAX_ROWS: Final = 400
"""Payments whose rules are counted, the newest of all."""

KEPT: Final = timedelta(seconds=30)
"""How long a process answers with what it has read: the figures of a week are not looked at by the second."""

_WORKERS: Final = 16


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A flagged payment as the index has it."""

    user_id: str
    event_key: str
    occurred_at: Instant
    status: str
    decision: Decision
    risk_score: int
    amount_base: Decimal | None = None
    base_currency: str | None = None

    @property
    def key(self) -> FlaggedKey:
        """Key of its row."""
        return FlaggedKey(self.user_id, self.event_key)


class Week(msgspec.Struct, frozen=True):
    """What was flagged since a time."""

    listed: tuple[Listed, ...]
    """Newest first."""
    is_whole: bool
    """False where a partition has more than is read."""
    rows: tuple[FlaggedTransaction, ...]
    """The rows of the newest."""


class WeekRecords:
    """The table of flagged payments, by its index.

    Parameters
    ----------
    client : DynamoDBClient
        A low-level client; its calls may run side by side.
    table : str
        The table's name in this environment.
    records : Records
        Reads rows by key.
    """

    def __init__(self, client: DynamoDBClient, table: str, records: Records) -> None:
        self._client = client
        self._table = table
        self._records = records
        self._kept: tuple[datetime, datetime, Week] | None = None

    def since(self, since: datetime, now: datetime) -> Week:
        """Read what was flagged since a time, or give what was read within :data:`KEPT`; errors as for :class:`console.records.Records`."""
        if self._kept is None or self._kept[0] != since or not timedelta(0) <= now - self._kept[1] < KEPT:
            self._kept = (since, now, self._read(since))
        return self._kept[2]

    def _read(self, since: datetime) -> Week:
        shards = [shard for status in WATCHED for shard in status_shards(status)]
        with ThreadPoolExecutor(_WORKERS) as pool:
            parts = list(pool.map(lambda shard: list(self._shard(shard, since)), shards))
            listed = sorted((each for part in parts for each in part), key=lambda each: each.occurred_at)[
                ::-1
            ]
            keys = [each.key for each in listed[:MAX_ROWS]]
            rows = pool.map(
                self._records.flagged_rows, [keys[at : at + 100] for at in range(0, len(keys), 100)]
            )
            found = {key: row for part in rows for key, row in part.items()}
        is_whole = all(len(part) < MAX_OF_SHARD for part in parts)
        return Week(tuple(listed), is_whole, tuple(found[key] for key in keys if key in found))

    def _shard(self, shard: str, since: datetime) -> Iterator[Listed]:
        request: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": STATUS_INDEX,
            "KeyConditionExpression": "status_shard = :shard AND occurred_at >= :since",
            "ExpressionAttributeValues": {":shard": {"S": shard}, ":since": {"S": time_text(since)}},
            "ScanIndexForward": False,
            "Limit": MAX_OF_SHARD,
        }
        answer = self._client.query(**request)
        items: list[Mapping[str, Any]] = list(answer["Items"])
        yield from (from_item(FLAGGED_TABLE, item, Listed) for item in islice(items, MAX_OF_SHARD))
