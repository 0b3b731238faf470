"""The watch page says how old the queue is, and what of the week's flagged payments was fraud: by day, decision, score and rule."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from console.rights import Group
from console.watch_views import Row, watch_view
from console.week_records import KEPT, MAX_OF_SHARD, Listed, Week
from contract.alert import Severity
from contract.case import CaseStatus, from_queued_item, to_case_item
from contract.case_work import LEASE
from contract.flagged import CANARY, CONFIRMED_FRAUD, FALSE_POSITIVE, OPEN, FlaggedKey, status_shard
from contract.scored import Decision
from tests.support.cases import make_case
from tests.support.console_world import NOW, ConsoleWorld
from tests.support.payments import make_flagged, make_scored, make_transaction

if TYPE_CHECKING:
    import pytest


def listed(number: int, **changes: Any) -> Listed:
    fields: dict[str, Any] = {
        "user_id": "user-1",
        "event_key": f"key-{number}",
        "occurred_at": NOW,
        "status": OPEN,
        "decision": Decision.BLOCK,
        "risk_score": 85,
        "amount_base": Decimal(100),
        "base_currency": "USD",
    }
    return Listed(**fields | changes)


def test_a_share_of_false_alarms_is_of_the_judged_payments_alone() -> None:
    statuses = [CONFIRMED_FRAUD] * 6 + [FALSE_POSITIVE] * 4 + [OPEN] * 90
    payments = tuple(listed(number, status=status) for number, status in enumerate(statuses))

    view = watch_view(Week(payments, True, ()), [], NOW, has_more=False)

    assert view.week == Row("All", 100, 6, 4, 90, "40%", "600.00 USD", "9,600.00 USD")


def test_a_share_of_few_payments_is_not_shown() -> None:
    view = watch_view(Week((listed(1, status=FALSE_POSITIVE),), True, ()), [], NOW, has_more=False)

    assert view.week.false_alarms == ""


def test_payments_are_counted_by_day_decision_and_score() -> None:
    payments = (
        listed(1, status=CONFIRMED_FRAUD),
        listed(2, decision=Decision.REVIEW, risk_score=50, occurred_at=NOW - timedelta(days=6, hours=12)),
        listed(3, decision=Decision.REVIEW, risk_score=69, amount_base=None),
    )

    view = watch_view(Week(payments, True, ()), [], NOW, has_more=False)

    assert [(row.name, row.flagged) for row in view.days] == [
        ("1 Mar", 2),
        ("28 Feb", 0),
        ("27 Feb", 0),
        ("26 Feb", 0),
        ("25 Feb", 0),
        ("24 Feb", 0),
        ("23 Feb", 1),
    ]
    assert [(row.name, row.flagged, row.fraud) for row in view.decisions] == [
        ("block", 1, 1),
        ("review", 2, 0),
    ]
    assert [(row.name, row.flagged) for row in view.bands] == [
        ("90 to 100", 0),
        ("70 to 89", 1),
        ("50 to 69", 2),
        ("0 to 49", 0),
    ]


def test_each_rule_is_counted_for_each_payment_that_it_flagged() -> None:
    rows = tuple(
        make_flagged(make_transaction(transaction_id=f"t-{number}"), rule_ids=rule_ids)
        for number, rule_ids in enumerate(
            [("travel", "amount", "model.amount_base", "model.hour"), ("travel",)]
        )
    )
    payments = tuple(
        listed(0, user_id=row.user_id, event_key=row.event_key, status=status)
        for row, status in zip(rows, (CONFIRMED_FRAUD, OPEN), strict=True)
    )

    view = watch_view(Week(payments, True, rows), [], NOW, has_more=False)

    assert [(row.name, row.flagged, row.fraud, row.undecided) for row in view.rules] == [
        ("travel", 2, 1, 1),
        ("amount", 1, 1, 0),
    ]
    assert (view.model.flagged, view.model.fraud) == (1, 1)
    assert view.rules_of == "2 payments"


def test_the_queue_says_its_age_and_what_nobody_has() -> None:
    held: Any = {"status": CaseStatus.CLAIMED, "assignee": "person-1", "lease_until": NOW + LEASE}
    cases = [
        make_case("user-1", opened_at=NOW - timedelta(days=3), due_at=NOW - timedelta(days=2)),
        make_case("user-2", severity=Severity.CRITICAL, opened_at=NOW - timedelta(hours=1), **held),
    ]
    queued = [from_queued_item(to_case_item(case)) for case in cases]

    view = watch_view(Week((), True, ()), queued, NOW, has_more=False)

    assert view.queue == "2 cases not closed: 1 with nobody, 1 overdue; the oldest was opened 3 days ago."
    assert view.severities == (("critical", 1, 0, "1 hour"), ("high", 1, 1, "3 days"), ("medium", 0, 0, ""))


def put(world: ConsoleWorld, number: int, status: str, days: float = 0) -> None:
    at = NOW - timedelta(days=days)
    payment = make_transaction(transaction_id=f"tx-{number}", timestamp=at)
    row = make_scored(payment, appended_at=at, amount_base=Decimal(1250), base_currency="USD")
    shard = status_shard(status, FlaggedKey("user-1", row.event_key))
    world.put_payments(row, case=make_case(), status=status, status_shard=shard)


def test_the_page_counts_the_week_and_leaves_out_older_payments_and_canaries(world: ConsoleWorld) -> None:
    world.sign_in(Group.AUTHOR)
    for number, (status, days) in enumerate([(CONFIRMED_FRAUD, 0), (OPEN, 6.4), (OPEN, 8), (CANARY, 0)]):
        put(world, number, status, days)

    body = world.get("/watch").body

    assert "<dt>Flagged in 7 days</dt><dd>2</dd>" in body
    assert "<dt>Fraud found</dt><dd>1,250.00 USD</dd>" in body
    assert "What each rule did, of the newest 2 payments" in body
    assert '<th scope="row">impossible_travel</th><td class="figure">2</td><td class="figure">1</td>' in body
    assert "figures are of the newest payments" not in body


def test_what_was_read_is_shown_again_for_half_a_minute(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)
    put(world, 1, OPEN)
    first = world.get("/watch").body
    put(world, 2, OPEN)
    world.now += KEPT - timedelta(seconds=1)
    kept = world.get("/watch").body
    world.now += timedelta(seconds=1)

    new = world.get("/watch").body

    assert ["<dt>Flagged in 7 days</dt><dd>1</dd>" in page for page in (first, kept, new)] == [
        True,
        True,
        False,
    ]


def test_a_page_of_more_than_is_read_says_so(world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.week_records.MAX_OF_SHARD", 1)
    world.sign_in(Group.ANALYST)
    put(world, 1, OPEN)

    assert "figures are of the newest payments" in world.get("/watch").body
    assert MAX_OF_SHARD > 1
