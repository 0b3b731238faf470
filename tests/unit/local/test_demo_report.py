"""The demo's report: every row is published, quarantined or a refund, and a run without a payment fails."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from local.demo.feed import own
from local.demo.final_state import FinalState
from local.demo.report import DemoReport, make_report

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 26, tzinfo=UTC)
RATES = {"USD": 1.0}


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
    state = FinalState(
        landed_bad=tuple(bad),
        refunds=refunds,
        topic_ids=(),
        history=(),
        quarantined=(),
        flagged=(),
        delivered=(),
        dead_letters=0,
    )
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
