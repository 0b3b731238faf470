"""A case's page has the evidence first, then its payments, the user's timeline and places, and how similar cases ended."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from console.case_views import CaseRecords, case_view, similar_row
from console.payment_rows import flaws_of
from console.rights import Group
from contract.alert import Severity
from contract.case import CaseStatus, CaseVerdict, Tally
from contract.closed_case import ClosedCase
from contract.reason import Reason
from contract.transaction import Location
from engine.features.catalogue import FEATURE_SET
from engine.features.stored import pack
from tests.support.cases import make_case
from tests.support.console_world import LAND, NOW, ConsoleWorld
from tests.support.feature_samples import features_of
from tests.support.payments import BERLIN, make_flagged, make_scored, make_transaction

PERSONAL = ("user-1", "tok_000000001234", "device-1", "203.0.113.7")


def featured(**changes: Any) -> dict[str, Any]:
    """A history row's features, with some of them changed."""
    features = dict(features_of(make_transaction())) | changes
    return {"features": pack(features), "feature_set": FEATURE_SET}


def records(**changes: Any) -> CaseRecords:
    given: dict[str, Any] = {"case": make_case(), "payments": [], "history": {}, "labels": [], "similar": []}
    given["decisions"] = []
    return CaseRecords(**given | changes)


def test_figures_are_shown_beside_their_norms_above_the_payments(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)
    case = world.put_case()
    row = make_scored(**featured(amount_base=1250.0, amount_mean_30d_base=50.0), base_currency="USD")
    world.put_payments(row, case=case)

    body = world.get(f"/cases/{case.case_id}").body

    assert "8,000 km from the last payment in 30 minutes." in body
    assert "1,250.00 USD" in body
    assert "50.00 USD (mean of 30 days)" in body
    assert body.index("50.00 USD (mean of 30 days)") < body.index('<h2 id="payments">')


def test_personal_data_are_masked_until_somebody_says_why(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)
    case = world.put_case()
    world.put_payments(make_scored(), case=case)

    masked = world.get(f"/cases/{case.case_id}").body
    shown = world.post(f"/cases/{case.case_id}/reveal", {"reason": "the customer calls"}).body

    assert not [value for value in PERSONAL if value in masked]
    assert "Card …1234" in masked
    assert not [value for value in PERSONAL if value not in shown]


def test_places_of_the_user_are_on_the_map_with_distance_and_speed(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)
    case = world.put_case()
    before = make_transaction(transaction_id="tx-0", location=BERLIN, timestamp=NOW - timedelta(hours=1))
    world.put_payments(make_scored(before))
    world.put_payments(make_scored(**featured()), case=case)

    body = world.get(f"/cases/{case.case_id}").body

    assert (
        "Berlin, DE, 1 Mar 2026, 11:00 to Paris, FR, 1 Mar 2026, 11:59: 878 km in 59 minutes, 842 km/h"
        in body
    )
    assert 'class="land"' in body


def test_a_case_without_rows_says_what_is_not_kept(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)
    case = world.put_case()

    body = world.get(f"/cases/{case.case_id}").body

    assert "The rows of its payments are not kept any more." in body
    assert "None of the user's payments is kept any more." in body
    assert "Fewer than two places are known." in body
    assert "No other closed case has the same strongest reasons (" in body


def test_similar_cases_say_how_they_ended(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)
    case = world.put_case()
    for number, verdict in enumerate([CaseVerdict.FRAUD, CaseVerdict.FRAUD, CaseVerdict.LEGITIMATE]):
        closed: Any = {"status": CaseStatus.CLOSED, "verdict": verdict, "closed_at": NOW}
        world.put_case(f"other-{number}", fraud=Tally(1, Decimal(90)), undecided=Tally(), **closed)
    world.put_case("unlike", status=CaseStatus.CLOSED, closed_at=NOW, reasons={"new_device": 20})

    body = world.get(f"/cases/{case.case_id}").body

    rules = " and ".join(case.strongest_reasons[:2])
    assert (
        f"Of the newest 3 closed cases with the same strongest reasons ({rules}): 2 fraud, 1 legitimate."
        in body
    )
    assert body.count(">90.00 USD<") == 3


def test_a_senders_texts_are_no_markup_anywhere(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)
    evil = "<script>alert(1)</script>"
    payment = make_transaction(
        merchant_id=evil, merchant_category=evil, location=Location(48.0, 2.0, "FR", evil), device_id=evil
    )
    before = make_transaction(transaction_id="tx-0", location=BERLIN, merchant_id=evil)
    case = world.put_case()
    row = make_scored(payment, reasons=(Reason("high_amount", 25, evil),))
    world.put_payments(row, make_scored(before), case=case)

    shown = world.post(f"/cases/{case.case_id}/reveal", {"reason": evil}).body

    assert "alert(1)" in shown
    assert "<script>alert" not in shown


def test_a_case_counts_the_payments_that_it_does_not_list() -> None:
    case = make_case(undecided=Tally(3, Decimal(5000)), fraud=Tally(1, Decimal(250)))

    view = case_view(records(case=case, payments=[make_flagged()]), LAND, "person-1", NOW, can_work=True)

    assert (view.at_risk, view.more) == ("5,250.00 USD", "3 payments of less risk.")
    assert [(row.amount, row.at, row.status) for row in view.payments] == [
        ("1,250.00 USD", "1 Mar 2026, 11:59", "undecided")
    ]
    assert (view.can_claim, view.is_mine, view.can_judge) == (True, False, False)


@pytest.mark.parametrize(
    ("verdict", "payments", "money"),
    [
        (CaseVerdict.FRAUD, "3 fraud, 0 legitimate", "90.00 USD"),
        (CaseVerdict.LEGITIMATE, "1 fraud, 2 legitimate", "30.00 USD"),
        (CaseVerdict.MIXED, "1 fraud, 0 legitimate, 2 on their way", "30.00 USD"),
    ],
)
def test_a_similar_case_counts_what_its_labels_do_not_say_yet(
    verdict: CaseVerdict, payments: str, money: str
) -> None:
    closed = ClosedCase(
        case_owner="0" * 32,
        case_number=1,
        verdict=verdict,
        severity=Severity.HIGH,
        closed_at=NOW,
        fraud=Tally(1, Decimal(30)),
        undecided=Tally(2, Decimal(60)),
        base_currency="USD",
    )

    row = similar_row(closed)

    assert (row.payments, row.money) == (payments, money)


def test_payments_are_listed_by_time_where_that_is_asked_for(world: ConsoleWorld) -> None:
    world.sign_in(Group.ANALYST)
    case = world.put_case()
    for number, risk in ((1, 50), (2, 90), (3, 70)):
        at = NOW - timedelta(minutes=number)
        payment = make_transaction(transaction_id=f"t-{number}", timestamp=at)
        world.put_payments(make_scored(payment, risk_score=risk, appended_at=at, scored_at=at), case=case)

    orders = {
        query: re.findall(
            r'<td class="figure">(\d\d)</td>\n', world.get(f"/cases/{case.case_id}{query}").body
        )
        for query in ("", "?order=time")
    }

    assert orders == {"": ["90", "70", "50"], "?order=time": ["50", "90", "70"]}
    assert "Score 90: stopped." in world.get(f"/cases/{case.case_id}?order=time").body


def test_payments_are_listed_by_risk() -> None:
    payments = [
        make_flagged(make_transaction(transaction_id=f"t-{risk}"), risk_score=risk) for risk in (50, 90, 70)
    ]

    view = case_view(records(payments=payments), LAND, "person-1", NOW, can_work=True)

    assert [row.score for row in view.payments] == [90, 70, 50]
    assert view.lead == view.payments[0]


def test_a_closed_case_says_how_it_ended_and_cannot_be_taken() -> None:
    case = make_case(status=CaseStatus.CLOSED, verdict=CaseVerdict.MIXED, due_at=NOW - timedelta(days=1))

    view = case_view(records(case=case), LAND, "person-1", NOW, can_work=True)

    assert (view.state, view.can_claim, view.is_overdue) == ("closed: mixed", False, False)


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        ({"invalid_fields": ("location.latitude",)}, "location.latitude: sent, and not usable as it was"),
        ({"is_currency_assumed": True}, "no currency was sent; taken to be USD"),
        ({"device_id": None, "ip_address": None}, "not sent: device, ip address"),
    ],
)
def test_what_was_missing_or_invalid_is_said(changes: dict[str, Any], flaw: str) -> None:
    row = make_scored(make_transaction(**changes))

    assert flaw in flaws_of(make_flagged(row.transaction), row)


def test_a_payment_that_was_scored_without_the_cache_says_so() -> None:
    flaws = flaws_of(make_flagged(degraded=True), None)

    assert flaws == ("scored without the cache: counts across users may be too small",)
