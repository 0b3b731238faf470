"""A verdict sends one label for each chosen payment, closes the case where nothing is left, and is undone exactly within ten seconds."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from console.case_views import MAX_LISTED
from console.rights import Group
from console.verdicts import KINDS
from contract.case import CaseStatus, CaseVerdict, Tally
from contract.flagged import CONFIRMED_FRAUD
from contract.label import FraudType
from contract.label_message import decode_label_message
from contract.reason import Reason
from tests.support.console_forms import form_on
from tests.support.console_verdicts import id_of, judge, my_case, paid, undo
from tests.support.console_world import NOW, ConsoleWorld


def test_a_verdict_labels_every_ticked_payment_and_closes_the_case(world: ConsoleWorld) -> None:
    rows = paid(1), paid(2)
    case = my_case(world, *rows)

    answer = judge(world, case, "fraud", fraud_type="account_takeover")

    assert "Fraud: 2 payments, 200.00 USD. The case is closed: fraud." in answer.body
    labels = world.labels.bodies
    assert {label["event_key"] for label in labels} == {row.event_key for row in rows}
    assert {
        (label["user_id"], label["verdict"], label["source"], label["fraud_type"]) for label in labels
    } == {("user-1", "fraud", "analyst", "account_takeover")}
    assert len({label["label_id"] for label in labels}) == 2
    stored = world.stored_case(case)
    assert (stored.status, stored.verdict, stored.closed_by) == (
        CaseStatus.CLOSED,
        CaseVerdict.FRAUD,
        "person-1",
    )


def test_what_the_console_sends_is_a_message_that_the_label_stage_takes(world: ConsoleWorld) -> None:
    from msgspec.json import encode

    case = my_case(world, paid(1))

    page = judge(world, case, "probably_legitimate").body
    undo(world, case, page)

    first, second = (decode_label_message(encode(body)) for body in world.labels.bodies)
    assert (first.verdict, first.confidence, first.known_at) == ("legitimate", 0.7, NOW)
    assert (second.verdict, second.withdraws) == ("withdrawn", first.label_id)


def test_some_payments_are_judged_and_the_case_stays_open(world: ConsoleWorld) -> None:
    rows = paid(1), paid(2)
    case = my_case(world, *rows)

    answer = judge(world, case, "legitimate", chosen=[id_of(rows[1])])

    assert "Legitimate: 1 payment, 100.00 USD. The case is still open." in answer.body
    assert [label["event_key"] for label in world.labels.bodies] == [rows[1].event_key]
    assert world.stored_case(case).status is CaseStatus.CLAIMED


def test_a_case_of_more_payments_than_a_page_lists_is_judged_to_its_end(world: ConsoleWorld) -> None:
    small = [paid(number, "1") for number in range(2, 2 + MAX_LISTED)]
    large = paid(1, "5000")  # the newest
    case = my_case(world, *small, large)

    first = judge(world, case, "fraud", fraud_type="account_takeover")
    second = judge(world, case, "fraud", fraud_type="account_takeover")

    assert f"Fraud: {MAX_LISTED} payments, 5,049.00 USD." in first.body
    assert "Fraud: 1 payment, 1.00 USD. The case is closed: fraud." in second.body


def test_of_more_payments_than_are_read_those_that_nobody_has_judged_come_first(world: ConsoleWorld) -> None:
    rows = [paid(number, "1") for number in range(1, 8)]
    case = my_case(world, *rows)
    world.put_payments(*rows[4:], case=case, status=CONFIRMED_FRAUD)

    read = world.records.case_payments(case, 5)

    assert [each.event_key for each in read] == sorted(row.event_key for row in rows[:5])


def test_a_case_with_both_verdicts_ends_mixed(world: ConsoleWorld) -> None:
    case = my_case(world, paid(1), fraud=Tally(1, Decimal(50)))
    world.put_payments(paid(2, "50"), case=case, status=CONFIRMED_FRAUD)

    answer = judge(world, case, "legitimate")

    assert "The case is closed: mixed." in answer.body
    assert len(world.labels.bodies) == 1


def test_a_payment_that_was_flagged_meanwhile_is_not_judged_with_the_others(world: ConsoleWorld) -> None:
    case = my_case(world, paid(1))
    form: dict[str, Any] = form_on(world.get(f"/cases/{case.case_id}").body, "Probably fraud")
    world.put_payments(paid(2), case=case)

    answer = world.post(f"/cases/{case.case_id}/judge", form | {"verdict": "fraud"})

    assert "The case is still open." in answer.body
    assert len(world.labels.bodies) == 1


def test_the_same_form_twice_sends_the_same_labels(world: ConsoleWorld) -> None:
    case = my_case(world, paid(1), paid(2))
    form: dict[str, Any] = form_on(world.get(f"/cases/{case.case_id}").body, "Probably fraud")
    form |= {"verdict": "fraud", "chosen": form["chosen"][:1]}

    for _ in range(2):
        world.post(f"/cases/{case.case_id}/judge", form)

    assert len({label["label_id"] for label in world.labels.bodies}) == 1


def test_a_label_that_the_queue_does_not_take_waits_and_is_not_lost(world: ConsoleWorld) -> None:
    case = my_case(world, paid(1))
    world.labels.refusals = 100

    answer = judge(world, case, "fraud")

    assert "The case is closed: fraud." in answer.body
    assert world.labels.bodies == []
    (waiting,) = world.dynamodb.scan(TableName="pending_labels")["Items"]
    assert decode_label_message(waiting["message"]["S"].encode()).verdict == "fraud"


def test_much_money_is_asked_for_once_more(world: ConsoleWorld) -> None:
    case = my_case(world, paid(1, "6000"), paid(2, "4000"))

    asked = judge(world, case, "legitimate", reason="a car")

    assert "Legitimate: 2 payments, 10,000.00 USD. This verdict moves much money" in asked.body
    assert world.labels.bodies == []
    answer = world.post(f"/cases/{case.case_id}/judge", form_on(asked.body, "Yes, judge so"))
    assert "The case is closed: legitimate." in answer.body
    assert len(world.labels.bodies) == 2


def test_undo_withdraws_exactly_the_labels_and_gives_the_case_back(world: ConsoleWorld) -> None:
    case = my_case(world, paid(1), paid(2))
    page = judge(world, case, "fraud").body
    world.now += timedelta(seconds=9)

    answer = undo(world, case, page)

    assert "The verdict is withdrawn, and the case is yours again." in answer.body
    sent, withdrawn = world.labels.bodies[:2], world.labels.bodies[2:]
    assert {label["withdraws"] for label in withdrawn} == {label["label_id"] for label in sent}
    assert {label["verdict"] for label in withdrawn} == {"withdrawn"}
    stored = world.stored_case(case)
    assert (stored.status, stored.assignee, stored.verdict) == (CaseStatus.CLAIMED, "person-1", None)


def test_after_ten_seconds_nothing_is_undone(world: ConsoleWorld) -> None:
    case = my_case(world, paid(1))
    page = judge(world, case, "fraud").body
    world.now += timedelta(seconds=11)

    answer = undo(world, case, page)

    assert answer.status == 409
    assert "This cannot be undone any more" in answer.body
    assert len(world.labels.bodies) == 1


@pytest.mark.parametrize("decision", ["", "0123456789abcdef", "../../decision-000001", "é" * 20])
def test_an_undo_of_no_decision_does_nothing(world: ConsoleWorld, decision: str) -> None:
    case = my_case(world, paid(1))
    form: dict[str, Any] = form_on(judge(world, case, "fraud").body, "Undo")

    answer = world.post(f"/cases/{case.case_id}/undo", form | {"decision": decision})

    assert (answer.status, len(world.labels.bodies)) == (404, 1)


def test_nobody_undoes_somebody_elses_verdict(world: ConsoleWorld) -> None:
    case = my_case(world, paid(1))
    form: dict[str, Any] = form_on(judge(world, case, "fraud").body, "Undo")
    world.sign_in(Group.ANALYST, person="person-2")
    del form["form_token"]

    answer = world.post(f"/cases/{case.case_id}/undo", form)

    assert (answer.status, len(world.labels.bodies)) == (409, 1)


def test_what_was_decided_is_shown_with_its_note_and_its_undoing(world: ConsoleWorld) -> None:
    case = my_case(world, paid(1), paid(2))
    page = judge(world, case, "probably_fraud", fraud_type="mule", reason="<i>called</i>").body
    undo(world, case, page)

    body = world.get(f"/cases/{case.case_id}").body

    assert "<td>probably fraud, mule</td><td>2 payments</td><td>&lt;i&gt;called&lt;/i&gt;</td>" in body
    assert "undone 1 Mar 2026, 12:00" in body


def test_a_payment_whose_verdict_is_on_its_way_is_not_ticked_again(world: ConsoleWorld) -> None:
    rows = paid(1), paid(2)
    case = my_case(world, *rows)
    judge(world, case, "fraud", chosen=[id_of(rows[0])])

    body = world.get(f"/cases/{case.case_id}").body

    assert "<td>fraud, on its way</td>" in body
    assert form_on(body, "Probably fraud")["chosen"] == [id_of(rows[1])]


def test_much_released_money_is_looked_at_by_a_second_person(world: ConsoleWorld) -> None:
    case = my_case(world, paid(1, "12000"))
    page = judge(world, case, "legitimate").body
    page = world.post(f"/cases/{case.case_id}/judge", form_on(page, "Yes, judge so")).body
    own = world.get(f"/cases/{case.case_id}").body
    world.sign_in(Group.ANALYST, person="person-2")

    queue = world.get("/queue").body
    seen = world.get(f"/cases/{case.case_id}").body
    answer = world.post(f"/cases/{case.case_id}/agree", form_on(seen, ">Agree<"))

    assert "A second person will look at it" in page
    assert "Do you agree?" not in own
    assert f'<a href="/cases/{case.case_id}">{case.severity}, since' in queue
    assert "Do you agree?" in seen
    assert answer.status == 303
    second_look = world.stored_case(case).second_look
    assert second_look is not None
    assert second_look.by == "person-2"
    assert "For a second look" not in world.get("/queue").body


def test_nobody_agrees_to_more_than_their_page_has_shown(world: ConsoleWorld) -> None:
    rows = paid(1, "12000"), paid(2, "30"), paid(3, "5")
    case = my_case(world, *rows)
    page = judge(world, case, "legitimate", chosen=[id_of(rows[0])]).body
    world.post(f"/cases/{case.case_id}/judge", form_on(page, "Yes, judge so"))
    world.sign_in(Group.ANALYST, person="person-2")
    form: dict[str, Any] = form_on(world.get(f"/cases/{case.case_id}").body, ">Agree<")
    del form["form_token"]
    world.sign_in(Group.ANALYST)
    judge(world, case, "legitimate", chosen=[id_of(rows[1])])
    world.sign_in(Group.ANALYST, person="person-2")

    answers = [world.post(f"/cases/{case.case_id}/agree", sent) for sent in (form, {}, {"look": "²"})]

    assert [answer.status for answer in answers] == [409, 409, 409]
    assert "More was called legitimate meanwhile" in answers[0].body
    assert world.stored_case(case).is_look_due


def test_a_second_person_withdraws_the_verdict_and_has_the_case(world: ConsoleWorld) -> None:
    case = my_case(world, paid(1, "12000"))
    page = judge(world, case, "legitimate").body
    world.post(f"/cases/{case.case_id}/judge", form_on(page, "Yes, judge so"))
    refused = world.post(f"/cases/{case.case_id}/contest", {"reason": "my own"})
    world.sign_in(Group.ANALYST, person="person-2")

    answer = world.post(f"/cases/{case.case_id}/contest", {"reason": "the customer denies it"})

    assert refused.status == 409
    assert answer.status == 303
    stored = world.stored_case(case)
    assert (stored.status, stored.assignee) == (CaseStatus.CLAIMED, "person-2")
    assert [label["verdict"] for label in world.labels.bodies] == ["legitimate", "withdrawn"]


def test_a_case_of_somebody_else_is_not_judged(world: ConsoleWorld) -> None:
    row = paid(1)
    case = my_case(world, row, assignee="person-2")

    form = {"verdict": "fraud", "decision": "0123456789abcdef", "chosen": id_of(row)}
    answer = world.post(f"/cases/{case.case_id}/judge", form)

    assert (answer.status, world.labels.bodies) == (409, [])
    assert "Somebody else works on this case" in answer.body


@pytest.mark.parametrize("changes", [{"verdict": "guilty"}, {"fraud_type": "theft"}, {"chosen": []}])
def test_what_the_form_does_not_offer_is_refused(world: ConsoleWorld, changes: dict[str, Any]) -> None:
    case = my_case(world, paid(1))

    answer = judge(world, case, "fraud", **changes)

    assert (answer.status, world.labels.bodies) == (422, [])


def test_a_kind_of_fraud_with_legitimate_is_refused_and_not_dropped(world: ConsoleWorld) -> None:
    case = my_case(world, paid(1))

    answer = judge(world, case, "legitimate", fraud_type="mule")

    assert (answer.status, world.labels.bodies) == (422, [])
    assert "A legitimate payment has no kind of fraud" in answer.body


def test_each_kind_of_fraud_is_explained(world: ConsoleWorld) -> None:
    case = my_case(world, paid(1))

    body = world.get(f"/cases/{case.case_id}").body

    assert {kind.value for kind in KINDS} == {kind.value for kind in FraudType}
    assert all(f"<dt>{kind.words}</dt><dd>{kind.meaning}</dd>" in body for kind in KINDS)


def test_the_verdict_and_its_note_are_in_the_trail(world: ConsoleWorld) -> None:
    case = my_case(world, paid(1))

    judge(world, case, "fraud", fraud_type="mule", reason="called the customer")

    (event,) = [event for event in world.trail() if event.action == "payments_judged"]
    assert (event.subject, event.outcome) == (case.case_id, "allowed")
    assert event.details == {
        "verdict": "fraud",
        "fraud_type": "mule",
        "reason": "called the customer",
        "decision": event.details["decision"],
        "chosen": f"1: {id_of(paid(1))}",
    }


def test_each_verdict_has_its_key_and_only_undecided_payments_are_ticked(world: ConsoleWorld) -> None:
    case = my_case(world, paid(1), fraud=Tally(1, Decimal(100)))
    world.put_payments(paid(2), case=case, status=CONFIRMED_FRAUD)

    body = world.get(f"/cases/{case.case_id}").body

    buttons = re.findall(r'name="verdict" value="(\w+)" class="first" aria-keyshortcuts="(\d)"', body)
    assert buttons == [
        ("fraud", "1"),
        ("probably_fraud", "2"),
        ("probably_legitimate", "3"),
        ("legitimate", "4"),
    ]
    assert body.count('type="checkbox"') == 2
    assert form_on(body, "Probably fraud")["chosen"] == [id_of(paid(1))]


def test_reasons_of_the_gravest_payment_come_before_the_form(world: ConsoleWorld) -> None:
    case = my_case(world, paid(1, reasons=(Reason("travel", 60, "8,000 km in <b>30</b> minutes."),)))

    body = world.get(f"/cases/{case.case_id}").body

    assert body.index("8,000 km in &lt;b&gt;30&lt;/b&gt; minutes.") < body.index("Probably fraud")
