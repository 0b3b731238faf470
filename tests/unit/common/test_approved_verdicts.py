"""Approved payments are decided on with a case: each gets one label, which the label stage takes, and which an undo withdraws."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from contract.case import Case, CaseKey, CaseStatus, CaseVerdict, Tally
from contract.case_decision import MAX_DECIDED, ApprovedPayment
from contract.case_work import Refusal
from contract.label_message import decode_label_message
from contract.scored import Decision
from tests.support.case_store_contract import payment
from tests.support.case_verdict_contract import FORM, FRAUD, LEGITIMATE, SECOND
from tests.support.case_verdict_world import KEY, NAMES, VerdictTables
from tests.support.label_world import DynamoBackend, LabelWorld
from tests.support.moto_aws import OneAtATime, aws
from tests.support.payments import NOW, make_scored, make_transaction
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from contract.case_decision import Ruling

__all__ = ["aws"]

HOUR = timedelta(hours=1)


@pytest.fixture
def tables(aws: Callable[[str], Any]) -> VerdictTables:
    client = aws("dynamodb")
    return VerdictTables(OneAtATime(client), *(make_table(client, name) for name in NAMES))


def approved(number: int, amount: str | None = "40") -> ApprovedPayment:
    at = NOW - timedelta(minutes=number)
    row = make_scored(make_transaction(transaction_id=f"small-{number}", timestamp=at))
    worth = None if amount is None else Decimal(amount)
    return ApprovedPayment(row.event_key, f"small-{number}", worth)


def decide(
    tables: VerdictTables,
    keys: Sequence[str],
    beside: Sequence[ApprovedPayment],
    ruling: Ruling = FRAUD,
    form: str = FORM,
) -> Case | Refusal:
    return tables.verdicts().decide(KEY, form, keys, ruling, "ann", NOW, beside)


def test_they_are_labelled_with_the_case_and_count_in_none_of_its_sums(tables: VerdictTables) -> None:
    keys = tables.flag(payment("tx-1"))
    tables.claim()

    case = decide(tables, keys, [approved(1), approved(2)])

    assert isinstance(case, Case)
    assert case.verdict is CaseVerdict.FRAUD
    labels = tables.waiting()
    assert {label.transaction_id for label in labels} == {"tx-1", "small-1", "small-2"}
    assert {label.verdict for label in labels} == {"fraud"}
    (decision,) = tables.decisions()
    assert (decision.amount_base, decision.event_keys) == (Decimal(1_250), frozenset(keys))
    assert len(decision.labelled_keys) == 3
    tables.deliver(*(label for label in labels if label.event_key in keys))
    assert (tables.case().fraud, tables.problems()) == (Tally(1, Decimal(1_250)), [])


def test_alone_they_leave_the_case_as_it_is(tables: VerdictTables) -> None:
    tables.flag(payment("tx-1"))
    tables.claim()

    case = decide(tables, [], [approved(1)])

    assert isinstance(case, Case)
    assert (case.status, case.undecided.payments) == (CaseStatus.CLAIMED, 1)
    assert len(tables.waiting()) == 1


def test_more_than_one_decision_holds_are_decided_on_before_the_case_closes(tables: VerdictTables) -> None:
    keys = tables.flag(payment("tx-1"))
    tables.claim()
    many = [approved(number) for number in range(1, MAX_DECIDED + 10)]

    case = decide(tables, keys, many)

    assert isinstance(case, Case)
    assert case.is_closed
    assert len(tables.waiting()) == len(many) + 1
    assert [len(decision.labelled_keys) for decision in tables.decisions()] == [MAX_DECIDED, 10]


def test_the_same_form_is_one_decision_and_another_choice_is_refused(tables: VerdictTables) -> None:
    tables.flag(payment("tx-1"))
    tables.claim()

    found = [decide(tables, [], [approved(1)]), decide(tables, [], [approved(1)])]
    other = decide(tables, [], [approved(2)])

    assert all(isinstance(each, Case) for each in found)
    assert other is Refusal.OTHER_DECISION
    assert len({decode_label_message(each).label_id for each in tables.sent}) == 1


def test_a_payment_of_the_case_is_not_taken_for_an_approved_one(tables: VerdictTables) -> None:
    (key,) = tables.flag(payment("tx-1"))
    tables.claim()

    found = decide(tables, [], [ApprovedPayment(key, "tx-1", Decimal(1))])

    assert found is Refusal.MOVED
    assert tables.waiting() == []


def test_an_undo_of_approved_payments_alone_leaves_a_closed_case_closed(tables: VerdictTables) -> None:
    keys = tables.flag(payment("tx-1"))
    tables.claim()
    decide(tables, [], [approved(1)])
    decide(tables, keys, [], form="form-fedcba987654")

    found = tables.verdicts().undo(KEY, FORM, "ann", NOW + SECOND)

    assert isinstance(found, Case)
    assert found.is_closed
    withdrawn = [label for label in tables.waiting() if label.verdict == "withdrawn"]
    assert [label.transaction_id for label in withdrawn] == ["small-1"]


@pytest.mark.parametrize(
    ("amount", "released"),
    [("8749", None), ("8750", Tally(2, Decimal(10_000))), (None, Tally(2, Decimal(1_250)))],
    ids=["little", "much", "of no known worth"],
)
def test_a_second_person_looks_where_much_of_them_is_called_legitimate(
    tables: VerdictTables, amount: str | None, released: Tally | None
) -> None:
    keys = tables.flag(payment("tx-1"))
    tables.claim()

    case = decide(tables, keys, [approved(1, amount)], LEGITIMATE)

    assert isinstance(case, Case)
    assert (None if case.second_look is None else case.second_look.released) == released


def test_what_is_called_fraud_later_is_not_released(tables: VerdictTables) -> None:
    keys = tables.flag(payment("tx-1"))
    tables.claim()
    decide(tables, [], [approved(1, "9000")], LEGITIMATE)
    decide(tables, [], [approved(1, "9000")], FRAUD, "form-fedcba987654")

    case = decide(tables, keys, [], LEGITIMATE, "form-00000000000a")

    assert isinstance(case, Case)
    assert case.second_look is None


@pytest.mark.parametrize("is_undone", [False, True])
def test_what_was_released_of_them_with_an_earlier_case_counts_with_the_next_one(
    tables: VerdictTables, is_undone: bool
) -> None:
    keys = tables.flag(payment("tx-1"))
    tables.claim()
    decide(tables, [], [approved(1, "9000")], LEGITIMATE)
    decide(tables, keys, [], FRAUD, "form-fedcba987654")
    if is_undone:
        tables.verdicts().undo(KEY, FORM, "ann", NOW + SECOND)
    second = CaseKey(KEY.case_owner, 2)
    keys = tables.flag(payment("tx-2", 1))
    tables.claim(key=second)

    case = tables.verdicts().decide(second, FORM, keys, LEGITIMATE, "ann", NOW)

    assert isinstance(case, Case)
    released = None if case.second_look is None else case.second_look.released
    assert released == (None if is_undone else Tally(2, Decimal(10_250)))


NEXT = CaseKey(KEY.case_owner, 2)
"""The user's next case."""


def next_case(tables: VerdictTables, analyst: str) -> None:
    """Let the labels that wait have their effects on the first case, and give somebody the next one."""
    tables.deliver(*(label for label in tables.waiting() if not label.transaction_id.startswith("small")))
    tables.flag(payment("tx-2", 1))
    tables.claim(analyst, NEXT)


def released(tables: VerdictTables, beside: Sequence[ApprovedPayment]) -> Case:
    """Eve calls approved payments legitimate with the user's next case."""
    found = tables.verdicts().decide(NEXT, "form-eve-00000001", [], LEGITIMATE, "eve", NOW, beside)
    assert isinstance(found, Case)
    return found


def test_a_second_person_looks_where_one_is_released_that_was_called_fraud_with_another_case(
    tables: VerdictTables,
) -> None:
    keys = tables.flag(payment("tx-1"))
    tables.claim()
    decide(tables, keys, [approved(1)])
    next_case(tables, "eve")

    other = released(tables, [approved(2)])
    flipped = tables.verdicts().decide(NEXT, "form-eve-00000002", [], LEGITIMATE, "eve", NOW, [approved(1)])

    assert other.second_look is None
    assert isinstance(flipped, Case)
    assert flipped.second_look is not None
    assert flipped.second_look.released == Tally(2, Decimal(80))


def test_what_was_called_fraud_and_undone_is_not_taken_for_fraud(tables: VerdictTables) -> None:
    keys = tables.flag(payment("tx-1"))
    tables.claim()
    decide(tables, [], [approved(1)])
    tables.verdicts().undo(KEY, FORM, "ann", NOW + SECOND)
    decide(tables, keys, [], form="form-fedcba987654")
    next_case(tables, "eve")

    assert released(tables, [approved(1)]).second_look is None


def test_a_second_person_looks_where_a_label_of_anybody_calls_one_fraud(tables: VerdictTables) -> None:
    tables.flag(payment("tx-1"))
    tables.claim()

    case = decide(tables, [], [msgspec.structs.replace(approved(1), was_fraud=True)], LEGITIMATE)

    assert isinstance(case, Case)
    assert case.second_look is not None


def test_those_that_were_released_with_an_earlier_case_count_and_who_did_it_is_not_the_second_person(
    tables: VerdictTables,
) -> None:
    keys = tables.flag(payment("tx-1"))
    tables.claim()
    decide(tables, [], [approved(1, "6000")], LEGITIMATE)
    tables.claim("bob", at=NOW + HOUR)
    tables.verdicts().decide(KEY, "form-bob-00000001", keys, FRAUD, "bob", NOW + HOUR)
    next_case(tables, "eve")

    case = released(tables, [approved(2, "4000"), approved(1, "6000")])

    assert case.second_look is not None
    assert case.second_look.released == Tally(2, Decimal(10_000))
    assert "ann" in case.deciders


def test_the_label_stage_takes_their_labels_and_the_withdrawals_once(aws: Callable[[str], Any]) -> None:
    """The same tables, and the real label stage: each label is delivered twice, and nothing waits any more."""
    client = aws("dynamodb")
    world = LabelWorld(DynamoBackend(client))
    for name in ("cases", "case_links", "case_decisions"):
        make_table(client, name)
    tables = VerdictTables(client, *NAMES)
    tables.flag_stored(world.pay(make_scored()))
    small = make_transaction(transaction_id="small-1", timestamp=NOW - timedelta(minutes=9))
    key = world.pay(make_scored(small, decision=Decision.APPROVE))
    tables.claim()

    decide(tables, [], [ApprovedPayment(key.event_key, "small-1", Decimal(40))])
    failed = world.send(*tables.sent, *tables.sent, is_pending=True)
    decided = world.state()
    tables.sent.clear()
    tables.verdicts().undo(KEY, FORM, "ann", NOW + SECOND)
    failed += world.send(*tables.sent, *tables.sent, is_pending=True)
    undone = world.state()

    assert failed == []
    assert [row_key for row_key, _ in decided.labels] == [key.event_key]
    assert len(decided.risk_rows) > len(undone.risk_rows)
    assert (len(undone.labels), tables.waiting(), world.quarantine.messages) == (2, [], [])
