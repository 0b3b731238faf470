"""Alerts are read as they are sent, and earlier ones too, without reading any consumer's queue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from contract.alert import AlertState
from contract.flagged import STATUS_SHARDS, FlaggedTransaction, to_flagged_item
from contract.reason import Reason
from contract.scored import Decision
from local.latest_alerts import KEPT_ALERTS, LatestAlerts
from local.provision import table_request
from ops.manifests import read_tables

if TYPE_CHECKING:
    from collections.abc import Callable

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def flagged() -> Callable[..., FlaggedTransaction]:
    """Factory of rows that the alert stage has not processed."""

    def make(number: int, **changes: Any) -> FlaggedTransaction:
        fields: dict[str, Any] = {
            "transaction_id": f"t{number}",
            "user_id": f"u{number}",
            "event_key": f"2026-01-02T03:04:05.000000Z#t{number}",
            "occurred_at": AT,
            "amount": Decimal("12.5"),
            "currency": "USD",
            "risk_score": 80,
            "decision": Decision.BLOCK,
            "reasons": (Reason("rule", 80, f"sentence {number}"),),
            "rule_ids": ("rule",),
            "status": "open",
            "status_shard": f"open#{number % STATUS_SHARDS}",
            "position": f"transaction_stream/0/{number}",
            "ruleset_version": "1",
            "degraded": False,
            "appended_at_ms": 0,
            "scored_at": AT,
            "flagged_at": AT,
            "expires_at": 4_000_000_000,
        }
        return FlaggedTransaction(**(fields | changes))

    return make


@pytest.fixture
def table(aws_client: Callable[[str], Any], unique_name: Callable[[str], str]) -> str:
    """A flagged table of this test's own."""
    name = unique_name("flagged")
    aws_client("dynamodb").create_table(**table_request(name, read_tables()["flagged_transactions"]))
    return name


def test_alerts_are_listed_as_they_are_sent_newest_first(
    aws_client: Callable[[str], Any], table: str, flagged: Callable[..., FlaggedTransaction]
) -> None:
    dynamodb = aws_client("dynamodb")

    def put(row: FlaggedTransaction) -> None:
        dynamodb.put_item(TableName=table, Item=to_flagged_item(row))

    before = msgspec.structs.replace(flagged(0), alert_state=AlertState.SENT, alert_id="a0", alerted_at=AT)
    put(before)
    latest = LatestAlerts(dynamodb, aws_client("dynamodbstreams"), table)
    seen_at_first = latest.update()

    for number in range(1, KEPT_ALERTS + 2):
        row = flagged(number)
        put(row)
        sent_at = AT + timedelta(seconds=number)
        put(
            msgspec.structs.replace(
                row, alert_state=AlertState.SENT, alert_id=f"a{number}", alerted_at=sent_at
            )
        )
    put(msgspec.structs.replace(flagged(99), alert_state=AlertState.SUPPRESSED, alert_id="a1"))

    lines = latest.update()
    assert [line.sentence for line in seen_at_first] == ["sentence 0"]
    assert [line.user_id for line in lines] == [f"u{number}" for number in range(KEPT_ALERTS + 1, 1, -1)]
    assert (lines[0].amount, lines[0].risk_score, lines[0].severity) == ("12.50 USD", 80, "high")
    assert latest.update() == lines
