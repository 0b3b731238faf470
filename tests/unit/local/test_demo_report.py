"""The demo's report: every row is published, quarantined or a refund, and a run without a payment fails."""

from __future__ import annotations

import io
import json
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from rich.console import Console

from contract.alert import AlertDigest, AlertKind, Severity, SuppressedPayments
from contract.alert_windows import ClaimedDigest, UserWindows
from local.demo.feed import Feed, own
from local.demo.final_state import DeliveredAlert, FinalState
from local.demo.printing import print_report
from local.demo.report import DemoReport, make_report
from tests.support.payments import make_alert_of, make_claimed

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 26, tzinfo=UTC)
RATES = {"USD": 1.0}
EMPTY = FinalState(
    landed_bad=(), topic_ids=(), history=(), quarantined=(), flagged=(), delivered=(), dead_letters=0
)
NOTHING = Feed("nothing", (), Counter(), {})


def report(folder: Path, amounts: list[str], refunds: int, bad: list[dict[str, Any]]) -> DemoReport:
    """The report of rows of these amounts, of which nothing was published."""
    rows = [
        {
            "transaction_id": f"t{number}",
            "user_id": "u1",
            "amount": amount,
            "timestamp": "2026-01-05T12:30:00Z",
        }
        for number, amount in enumerate(amounts)
    ]
    (folder / "a.json").write_text(json.dumps(rows))
    state = msgspec.structs.replace(EMPTY, landed_bad=tuple(bad), refunds=refunds)
    return make_report(own(folder / "a.json", None, RATES, NOW), state, NOW)


@pytest.mark.parametrize(
    ("amounts", "refunds", "reasons", "first"),
    [
        (["x", "y"], 0, ["z", "z"], "a.json, line 1: amount: not a decimal number"),
        (["1e99", "1e99"], 0, ["more than 2^53 minor units", "z"], "more than 2^53 minor units"),
        (["-1", "-2"], 2, [], "no row was quarantined"),
        (["-1", "12.500"], 1, ["z"], "a.json, line 1: amount: three digits behind its only dot can be"),
    ],
)
def test_a_run_without_a_valid_row_fails_and_says_what_is_wrong(
    tmp_path: Path, amounts: list[str], refunds: int, reasons: list[str], first: str
) -> None:
    found = report(tmp_path, amounts, refunds, [{"reason": reason} for reason in reasons])

    assert not found.reconciled
    (problem,) = found.problems
    assert problem.startswith(f"none of 2 rows is a valid payment. The first: {first}")
    assert found.refunds == refunds


def test_a_refund_that_nobody_counted_is_missing(tmp_path: Path) -> None:
    found = report(tmp_path, ["-1", "x"], 0, [{"reason": "not a decimal number"}])

    assert found.problems[0].startswith(
        "the Glue job quarantined 1 rows and counted 0 refunds, but 2 rows are not on the topic: t0, t1"
    )


def suppressed(count: int, name: str) -> SuppressedPayments:
    return SuppressedPayments(count, name, {"USD": Decimal(count)})


def test_payments_wait_until_a_subscriber_has_the_message_that_counts_them() -> None:
    received = AlertDigest(
        schema_version="2",
        kind=AlertKind.DIGEST,
        alert_id="count-1",
        severity=Severity.HIGH,
        headline="",
        user_id="user-1",
        payments=suppressed(2, "count-1"),
        alerted_at=NOW,
    )
    windows = (
        UserWindows(user_id="user-1", digest=ClaimedDigest(suppressed(2, "count-1"), NOW)),
        UserWindows(user_id="user-2", digest=ClaimedDigest(suppressed(3, "count-2"), NOW)),
        UserWindows(user_id="user-3", suppressed=suppressed(4, "count-3")),
    )

    found = make_report(NOTHING, msgspec.structs.replace(EMPTY, digests=(received,), waiting=windows), NOW)

    assert (found.digests, found.waiting) == (1, 7)
    assert "7 still wait for it in alert_windows" in printed(found, EMPTY)


def test_alerts_that_were_sent_again_in_a_window_are_counted_once_each() -> None:
    first = make_alert_of(make_claimed())
    again = msgspec.structs.replace(first, alert_id="alert-2", kind=AlertKind.AGAIN)
    state = msgspec.structs.replace(
        EMPTY, delivered=tuple(DeliveredAlert(alert, 0) for alert in (first, again, again))
    )

    found = make_report(NOTHING, state, NOW)

    assert (found.alerts, found.alerts_again, found.alerts_repeated) == (2, 1, 1)
    assert "1 of them again in a window, 1 repeated" in printed(found, state)


def printed(report: DemoReport, state: FinalState) -> str:
    console = Console(file=io.StringIO(), width=200)
    print_report(report, state, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()
