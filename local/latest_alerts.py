"""The alerts that were sent last, read from the stream of `flagged_transactions`, so that no consumer's queue is touched.

A payment's row becomes ``sent`` when the topic has accepted its alert. The stream gives alerts in the order of sending. The index
by status is ordered by event time, so it is used only for alerts sent before the start.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from contract.alert import AlertState, Severity
from contract.canary import is_canary
from contract.flagged import (
    OPEN,
    STATUS_SHARDS,
    FlaggedKey,
    from_flagged_item,
    status_shards,
    to_flagged_key,
)

if TYPE_CHECKING:
    from contract.flagged import FlaggedTransaction

KEPT_ALERTS: Final = 5
"""Number of alerts that are shown."""

_ROWS_READ: Final = 200
_MAX_READS: Final = 20  # of up to 1 MiB each per update; what is left is read at the next one


class AlertLine(msgspec.Struct, frozen=True, kw_only=True):
    """One alert, summarised."""

    alerted_at: datetime
    """UTC."""
    severity: Severity
    risk_score: int
    """0 to 100."""
    user_id: str
    amount: str
    """With its currency."""
    sentence: str
    """The sentence of the reason with the most points."""


class LatestAlerts:
    """Follows the alerts of one stack.

    Parameters
    ----------
    dynamodb, streams : Any
        boto3 clients.
    table : str
        Name of the table of flagged payments.
    """

    def __init__(self, dynamodb: Any, streams: Any, table: str) -> None:
        self._streams = streams
        self._stream_arn: str = dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
        self._seen_shards: set[str] = set()
        # The iterators before the query: an alert between the two is then read twice, and not missed.
        self._iterators: dict[str, str] = {}
        self._open_shards("LATEST")
        self._lines: deque[AlertLine] = deque(maxlen=KEPT_ALERTS)
        self._lines.extend(reversed(_sent_before(dynamodb, table)))

    def update(self) -> tuple[AlertLine, ...]:
        """Read what was sent since the last call; returns the newest alerts, newest first."""
        for shard in list(self._iterators):
            self._read(shard)
        return tuple(sorted(self._lines, key=lambda line: line.alerted_at, reverse=True))

    def _read(self, shard: str) -> None:
        for _ in range(_MAX_READS):
            answer = self._streams.get_records(ShardIterator=self._iterators[shard])
            for record in answer["Records"]:
                image = record["dynamodb"].get("NewImage", {})
                if image.get("alert_state") == {"S": AlertState.SENT.value}:
                    self._add(image)
            following = answer.get("NextShardIterator")
            if following is None:
                # The shard is closed; its children are read from their first record on.
                del self._iterators[shard]
                self._open_shards("TRIM_HORIZON")
                return
            self._iterators[shard] = following
            if not answer["Records"]:
                return

    def _add(self, image: dict[str, Any]) -> None:
        line = alert_line(from_flagged_item(image))
        # A row that changes again after its alert, for example by an analyst, is still the same alert.
        if line is not None and line not in self._lines:
            self._lines.append(line)

    def _open_shards(self, position: str) -> None:
        shards = self._streams.describe_stream(StreamArn=self._stream_arn)["StreamDescription"]["Shards"]
        for shard in shards:
            name = shard["ShardId"]
            if name not in self._seen_shards:
                self._seen_shards.add(name)
                self._iterators[name] = self._streams.get_shard_iterator(
                    StreamArn=self._stream_arn, ShardId=name, ShardIteratorType=position
                )["ShardIterator"]


def alert_line(row: FlaggedTransaction) -> AlertLine | None:
    """Summarise a flagged payment's own alert; None if it has none, or none yet, and for a canary's."""
    if row.alert_state is not AlertState.SENT or row.alerted_at is None or is_canary(row.user_id):
        return None
    return AlertLine(
        alerted_at=row.alerted_at,
        severity=Severity.of(row.decision, row.risk_score),
        risk_score=row.risk_score,
        user_id=row.user_id,
        amount=f"{row.rounded_amount} {row.currency}",
        sentence=row.reasons[0].sentence if row.reasons else "",
    )


def _sent_before(dynamodb: Any, table: str) -> list[AlertLine]:
    """The alerts among the newest open rows. The index does not hold the alerts' marks, so the rows themselves are read."""
    newest: list[dict[str, Any]] = []
    for shard in status_shards(OPEN):
        newest += dynamodb.query(
            TableName=table,
            IndexName="by_status",
            KeyConditionExpression="status_shard = :shard",
            ExpressionAttributeValues={":shard": {"S": shard}},
            ScanIndexForward=False,
            Limit=_ROWS_READ // STATUS_SHARDS,
        )["Items"]
    newest.sort(key=lambda item: str(item["occurred_at"]["S"]), reverse=True)
    lines: list[AlertLine] = []
    for item in newest:
        key = FlaggedKey(item["user_id"]["S"], item["event_key"]["S"])
        found = dynamodb.get_item(TableName=table, Key=to_flagged_key(key)).get("Item")
        line = None if found is None else alert_line(from_flagged_item(found))
        if line is not None:
            lines.append(line)
        if len(lines) == KEPT_ALERTS:
            break
    return lines
