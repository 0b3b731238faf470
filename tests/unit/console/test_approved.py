"""Approved payments of the same attack are judged together with the case, each once, and undone with it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from console.approved import approved_payment, can_be_judged
from console.rights import Group
from console.verdicts import payment_id
from contract.case import CaseStatus, Tally
from contract.flagged import FlaggedKey
from contract.items import to_item
from contract.label import LabelSource, LabelVerdict
from contract.scored import Decision
from engine.features.catalogue import FEATURE_SET
from engine.features.stored import pack
from tests.support.console_forms import form_on
from tests.support.console_verdicts import MINE, id_of
from tests.support.console_world import NOW, ConsoleWorld
from tests.support.feature_samples import features_of
from tests.support.labels import make_label
from tests.support.payments import make_scored, make_transaction

if TYPE_CHECKING:
    from contract.case import Case
    from contract.scored import ScoredTransaction


def approved(number: int, amount: str = "40", **changes: Any) -> ScoredTransaction:
    """A payment that was approved, some minutes before."""
    at = NOW - timedelta(minutes=number)
    payment = make_transaction(transaction_id=f"small-{number}", amount=Decimal(amount), timestamp=at)
    features = dict(features_of(payment)) | {"amount_base": float(amount)}
    given: dict[str, Any] = {"decision": Decision.APPROVE, "reasons": (), "risk_score": 5}
    given |= {"features": pack(features), "feature_set": FEATURE_SET, "appended_at": at, "scored_at": at}
    return make_scored(payment, **given | changes)


def case_with(world: ConsoleWorld, *rows: ScoredTransaction, amount: str = "100", **changes: Any) -> Case:
    """A case of the signed-in analyst with one flagged payment, and approved ones beside it."""
    world.sign_in(Group.ANALYST)
    flagged = make_scored(
        make_transaction(amount=Decimal(amount)), amount_base=Decimal(amount), base_currency="USD"
    )
    case = world.put_case(**{**MINE, "undecided": Tally(1, Decimal(amount)), **changes})
    world.put_payments(flagged, case=case)
    world.put_payments(*rows)
    return case


def judge(world: ConsoleWorld, case: Case, choice: str, *ticked: ScoredTransaction, **changes: Any) -> str:
    """Tick approved payments, and press a verdict's button."""
    form: dict[str, Any] = form_on(world.get(f"/cases/{case.case_id}").body, "Probably fraud")
    form["chosen"] = [*form.get("chosen", []), *map(id_of, ticked)]
    return world.post(f"/cases/{case.case_id}/judge", form | {"verdict": choice} | changes).body


def test_approved_payments_are_offered_and_not_ticked(world: ConsoleWorld) -> None:
    small = approved(5)
    case = case_with(world, small)

    page = world.get(f"/cases/{case.case_id}").body

    assert f'form="verdict" name="chosen" value="{id_of(small)}"' in page
    assert id_of(small) not in form_on(page, "Probably fraud")["chosen"]


def test_a_ticked_one_gets_the_same_verdict_as_the_case(world: ConsoleWorld) -> None:
    small, other = approved(5), approved(6)
    case = case_with(world, small, other)

    page = judge(world, case, "fraud", small, fraud_type="card_not_present")

    assert "Fraud: 2 payments, 1 of them gone through, 140.00 USD. The case is closed: fraud." in page
    labels = {label["event_key"]: label for label in world.labels.bodies}
    assert small.event_key in labels
    assert other.event_key not in labels
    label = labels[small.event_key]
    assert (label["transaction_id"], label["verdict"], label["fraud_type"], label["source"]) == (
        "small-5",
        "fraud",
        "card_not_present",
        "analyst",
    )


def test_the_trail_names_the_approved_payments_too(world: ConsoleWorld) -> None:
    small = approved(5)
    case = case_with(world, small)

    judge(world, case, "fraud", small)

    (event,) = (each for each in world.trail() if each.action == "payments_judged")
    assert event.details["chosen"].startswith("2:")
    assert id_of(small) in event.details["chosen"]


def test_an_undo_withdraws_their_labels_too(world: ConsoleWorld) -> None:
    small = approved(5)
    case = case_with(world, small)
    page = judge(world, case, "fraud", small)

    world.post(f"/cases/{case.case_id}/undo", form_on(page, "Undo"))

    sent, withdrawn = world.labels.bodies[:2], world.labels.bodies[2:]
    assert small.event_key in {label["event_key"] for label in withdrawn}
    assert {label["withdraws"] for label in withdrawn} == {label["label_id"] for label in sent}


@pytest.mark.parametrize(
    ("source", "verdict", "is_due"),
    [
        (LabelSource.CHARGEBACK, LabelVerdict.FRAUD, True),
        (LabelSource.CUSTOMER, LabelVerdict.FRAUD, True),
        (LabelSource.CUSTOMER, LabelVerdict.LEGITIMATE, False),
    ],
)
def test_a_second_person_looks_where_one_is_called_legitimate_that_a_label_calls_fraud(
    world: ConsoleWorld, source: LabelSource, verdict: LabelVerdict, is_due: bool
) -> None:
    small = approved(5)
    case = case_with(world, small)
    label = make_label(
        event_key=small.event_key, source=source, verdict=verdict, known_at=NOW - timedelta(hours=1)
    )
    key = {"label_key": {"S": f"{label.event_key}#{label.label_id}"}}
    world.dynamodb.put_item(TableName="labels", Item=to_item(label) | key)

    judge(world, case, "legitimate", small)

    assert world.stored_case(case).is_look_due is is_due


def test_the_same_form_twice_gives_them_one_label(world: ConsoleWorld) -> None:
    small = approved(5)
    case = case_with(world, small)
    form: dict[str, Any] = form_on(world.get(f"/cases/{case.case_id}").body, "Probably fraud")
    form |= {"verdict": "fraud", "chosen": [id_of(small)]}

    for _ in range(2):
        world.post(f"/cases/{case.case_id}/judge", form)

    assert len(world.labels.bodies) == 2
    assert len({label["label_id"] for label in world.labels.bodies}) == 1


def test_their_money_counts_where_much_is_asked_for_once_more(world: ConsoleWorld) -> None:
    large = approved(5, "9950")
    case = case_with(world, large)

    asked = judge(world, case, "fraud", large)
    answer = world.post(f"/cases/{case.case_id}/judge", form_on(asked, "Yes, judge so"))

    assert "Fraud: 2 payments, 1 of them gone through, 10,050.00 USD. This verdict moves much money" in asked
    assert "The case is closed: fraud." in answer.body
    assert large.event_key in {label["event_key"] for label in world.labels.bodies}


def test_approved_payments_alone_leave_the_case_open(world: ConsoleWorld) -> None:
    small = approved(5)
    case = case_with(world, small)
    form: dict[str, Any] = form_on(world.get(f"/cases/{case.case_id}").body, "Probably fraud")

    answer = world.post(f"/cases/{case.case_id}/judge", form | {"verdict": "fraud", "chosen": [id_of(small)]})
    page = world.get(f"/cases/{case.case_id}").body

    assert "Fraud: 1 payment, 1 of them gone through, 40.00 USD. The case is still open." in answer.body
    assert id_of(small) not in page  # it is judged
    assert "fraud, on its way" in page
    stored = world.stored_case(case)
    assert (stored.status, stored.undecided.payments) == (CaseStatus.CLAIMED, 1)


@pytest.mark.parametrize(
    ("changes", "may"),
    [({}, True), ({"decision": Decision.REVIEW}, False), ({"repeats": 77}, False)],
    ids=["approved", "reviewed", "a repeat"],
)
def test_only_approved_payments_of_their_own_are_offered(changes: dict[str, Any], may: bool) -> None:
    row = approved(5, **changes)

    assert can_be_judged(row) is may


def test_a_payment_of_somebody_else_is_refused_and_nothing_is_judged(world: ConsoleWorld) -> None:
    case = case_with(world, approved(5))
    foreign = make_transaction(user_id="user-2", transaction_id="foreign")
    world.put_payments(make_scored(foreign, decision=Decision.APPROVE))
    form: dict[str, Any] = form_on(world.get(f"/cases/{case.case_id}").body, "Probably fraud")
    other = payment_id(FlaggedKey("user-2", make_scored(foreign).event_key))

    answer = world.post(
        f"/cases/{case.case_id}/judge", form | {"verdict": "fraud", "chosen": [*form["chosen"], other]}
    )

    assert (answer.status, world.labels.bodies) == (409, [])
    assert "A payment is not there any more" in answer.body


def test_whoever_does_not_have_the_case_is_offered_none(world: ConsoleWorld) -> None:
    case = case_with(world, approved(5), assignee="person-2")

    page = world.get(f"/cases/{case.case_id}").body

    assert 'type="checkbox"' not in page


def test_much_that_is_called_legitimate_so_is_looked_at_by_a_second_person(world: ConsoleWorld) -> None:
    large = approved(5, "10000")
    case = case_with(world, large)

    asked = judge(world, case, "legitimate", large)
    page = world.post(f"/cases/{case.case_id}/judge", form_on(asked, "Yes, judge so")).body

    assert "A second person will look at it" in page
    look = world.stored_case(case).second_look
    assert look is not None
    assert look.released == Tally(2, Decimal(10_100))


def test_a_payment_without_a_rate_has_no_known_worth() -> None:
    key = FlaggedKey("user-1", approved(5).event_key)
    without_rate = approved(5, features=pack(dict(features_of(make_transaction())) | {"amount_base": 0.0}))

    amounts = [
        approved_payment(key, row, currency, ()).amount_base
        for row, currency in ((approved(5), "USD"), (without_rate, "USD"), (approved(5), None))
    ]

    assert amounts == [Decimal("40.00"), None, None]
