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
from contract.truth import Truth
from lab.measures import evaluate
from local.demo.feed import Feed, own
from local.demo.final_state import DeliveredAlert, FinalState
from local.demo.page import demo_page
from local.demo.printing import last_alerts, print_report
from local.demo.report import DemoReport, make_report
from tests.support.payments import make_alert_of, make_claimed
from tests.support.report_pages import HOSTILE, missing_figures, problems, read_page

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 26, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
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


def test_the_last_alerts_are_shown_newest_first_and_once() -> None:
    alert = make_alert_of(make_claimed())
    sent = [msgspec.structs.replace(alert, alert_id=f"alert-{n}", headline=f"headline {n}") for n in range(7)]
    state = msgspec.structs.replace(
        EMPTY, delivered=tuple(DeliveredAlert(each, place) for place, each in enumerate([*sent, sent[0]]))
    )

    assert [each.alert_id for each in last_alerts(state)] == [f"alert-{n}" for n in (6, 5, 4, 3, 2)]
    text = printed(make_report(NOTHING, state, NOW), state)
    assert [f"headline {n}" in text for n in range(1, 7)] == [False, True, True, True, True, True]


def test_the_demo_says_how_to_open_the_console() -> None:
    text = printed(make_report(NOTHING, EMPTY, NOW), EMPTY)

    assert "make up starts the system and prints the address of the console" in text
    assert "make people prints who can sign in" in text


def test_every_figure_of_the_text_is_on_the_page() -> None:
    alert = make_alert_of(make_claimed())
    named = msgspec.structs.replace(alert, headline=HOSTILE)
    state = msgspec.structs.replace(EMPTY, delivered=(DeliveredAlert(named, NOW_MS),), dead_letters=3)
    truths = {
        "t1": Truth("stolen_card", "i1", 21.5),
        "t2": Truth(None, None, 7.25),
        "t3": Truth("structuring", "i2", 90.0),
    }
    decided = evaluate(truths, {"t1": "block", "t2": "approve", "t3": "approve"})
    found = msgspec.structs.replace(
        make_report(NOTHING, state, NOW),
        detection=decided,
        generated=12_345,
        throughput_tps=412.0,
        seconds=29.9,
    )

    page = demo_page(found, state)

    assert missing_figures(printed(found, state), page) == []
    assert problems(page) == []
    assert HOSTILE in read_page(page).text


@pytest.mark.parametrize(("problem", "answer"), [((), "Yes. "), (("3 are missing: t1",), "No. ")])
def test_the_page_answers_whether_every_payment_arrived(problem: tuple[str, ...], answer: str) -> None:
    report = make_report(NOTHING, EMPTY, NOW)
    found = msgspec.structs.replace(report, reconciled=not problem, problems=problem)

    page = demo_page(found, EMPTY)

    assert page.answer.startswith(answer)
    assert [text for text in problem if text not in read_page(page).text] == []
    assert problems(page) == []
