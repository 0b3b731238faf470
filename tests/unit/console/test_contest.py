"""A case whose decision was withdrawn can be judged though the label of somebody else decides on its payments, and it ends."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from console.rights import Group
from contract.case import CaseStatus, CaseVerdict, SecondLook, Tally
from contract.case_decision import DecidedPayment
from contract.flagged import FALSE_POSITIVE
from tests.support.cases import FRAUD
from tests.support.console_forms import form_on
from tests.support.console_verdicts import id_of, judge, my_case, paid
from tests.support.console_world import NOW

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


@pytest.mark.parametrize(
    ("changes", "is_offered"),
    [({}, True), ({"undone_by": "person-2", "undone_at": NOW}, False), ({"ruling": FRAUD}, False)],
    ids=["a release holds", "it was undone", "nobody has released anything"],
)
def test_a_contest_is_offered_where_it_can_succeed(
    world: ConsoleWorld, changes: dict[str, Any], is_offered: bool
) -> None:
    world.sign_in(Group.ANALYST)
    rows = [paid(1)]
    case = world.put_case(
        status=CaseStatus.CLOSED,
        verdict=CaseVerdict.LEGITIMATE,
        closed_at=NOW,
        closed_by="person-2",
        decided_by=("person-2",),
        undecided=Tally(),
        legitimate=Tally(1),
    )
    world.put_payments(*rows, case=case, status=FALSE_POSITIVE)
    world.put_decision(case, "form-0123456789ab", "person-2", **changes)
    path = f"/cases/{case.case_id}"

    body = world.get(path).body
    answer = world.post(f"{path}/contest", {"reason": "I know this device."})

    assert (f'action="{path}/contest"' in body) is is_offered
    assert (answer.status == 303) is is_offered


def test_who_is_asked_for_a_second_look_can_agree_though_nothing_is_left_to_contest(
    world: ConsoleWorld,
) -> None:
    world.sign_in(Group.ANALYST)
    case = world.put_case(
        status=CaseStatus.CLOSED,
        verdict=CaseVerdict.LEGITIMATE,
        closed_at=NOW,
        closed_by="person-2",
        second_look=SecondLook(NOW, Tally(1, Decimal(10_000)), version=3),
    )
    path = f"/cases/{case.case_id}"

    body = world.get(path).body
    answer = world.post(f"{path}/agree", form_on(body, "Agree"))

    assert f'action="{path}/contest"' not in body
    assert answer.status == 303
