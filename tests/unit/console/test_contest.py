"""A case whose decision was withdrawn can be judged though the label of somebody else decides on its payments, and it ends."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from contract.case import CaseStatus, CaseVerdict, Tally
from contract.case_decision import DecidedPayment
from contract.flagged import FALSE_POSITIVE
from tests.support.console_forms import form_on
from tests.support.console_verdicts import id_of, judge, my_case, paid

if TYPE_CHECKING:
    from contract.case import Case
    from tests.support.console_world import ConsoleWorld

DECIDED = "none of these payments is undecided"


def decided_by_others(world: ConsoleWorld, *numbers: int) -> Case:
    """A case of the signed-in analyst whose payments are legitimate by labels of others."""
    rows = [paid(number) for number in numbers]
    case = my_case(world, *rows, undecided=Tally(), legitimate=Tally(len(rows)))
    world.put_payments(*rows, case=case, status=FALSE_POSITIVE)
    return case


def test_contested_payments_are_ticked_whatever_other_labels_say(world: ConsoleWorld) -> None:
    case = decided_by_others(world, 1, 2)
    first = DecidedPayment(paid(1).event_key, "tx-1")
    world.put_decision(
        case,
        "form-0123456789ab",
        "person-2",
        payments=(first,),
        undone_by="person-1",
        undone_at=world.now - timedelta(seconds=1),
    )

    body = world.get(f"/cases/{case.case_id}").body
    answer = judge(world, case, "fraud")

    assert form_on(body, "Probably fraud")["chosen"] == [id_of(paid(1))]
    assert DECIDED not in body
    assert [label["event_key"] for label in world.labels.bodies] == [paid(1).event_key]
    assert "The case is closed: mixed." in answer.body


def test_a_case_in_which_nothing_is_undecided_is_judged_or_given_back(world: ConsoleWorld) -> None:
    case = decided_by_others(world, 1)

    body = world.get(f"/cases/{case.case_id}").body
    answer = world.post(f"/cases/{case.case_id}/release", {"reason": "The customer is right."})

    assert DECIDED in body
    assert body.count('type="checkbox"') == 1
    assert "chosen" not in form_on(body, "Probably fraud")
    assert answer.status == 303
    stored = world.stored_case(case)
    assert (stored.status, stored.verdict, stored.closed_by) == (
        CaseStatus.CLOSED,
        CaseVerdict.LEGITIMATE,
        None,
    )


def test_a_case_of_the_labels_of_others_is_judged_anew(world: ConsoleWorld) -> None:
    case = decided_by_others(world, 1)

    answer = judge(world, case, "fraud", chosen=[id_of(paid(1))])

    assert "Fraud: 1 payment, 100.00 USD. The case is closed: fraud." in answer.body
