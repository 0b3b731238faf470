"""A decision and its labels: the same ones whenever they are made, and such as the label stage takes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from contract.case_decision import (
    MAX_NOTE_CHARACTERS,
    CaseDecision,
    Ruling,
    from_decision_item,
    labels_of,
    part_id,
    to_decision_item,
    withdrawals_of,
)
from contract.label import FraudType, LabelSource, LabelVerdict
from contract.label_message import decode_label_message, encode_label_message
from contract.label_rows import FIRST_COPY_RETRY, Unfinished, unfinished
from tests.support.cases import FRAUD, make_decision
from tests.support.labels import EVENT_KEY
from tests.support.payments import NOW


@pytest.mark.parametrize(
    "decision",
    [
        make_decision(),
        make_decision(ruling=Ruling(verdict=LabelVerdict.LEGITIMATE), has_closed=True),
        make_decision(undone_by="ann", undone_at=NOW),
    ],
)
def test_a_row_that_was_written_is_read_as_it_was(decision: CaseDecision) -> None:
    assert from_decision_item(to_decision_item(decision)) == decision


def test_the_label_stage_reads_each_label_as_it_was_made() -> None:
    decision = make_decision(undone_by="ann", undone_at=NOW)
    made = (*labels_of(decision), *withdrawals_of(decision))

    read = [decode_label_message(encode_label_message(label)) for label in made]

    assert [msgspec.structs.asdict(label) for label in read] == [
        msgspec.structs.asdict(label) for label in made
    ]
    assert len({label.label_id for label in made}) == len(made)


def test_a_label_says_what_its_decision_says() -> None:
    first, second = labels_of(make_decision())

    assert (first.transaction_id, first.event_key, first.user_id) == ("t-1", EVENT_KEY, "user-1")
    assert (first.verdict, first.fraud_type, first.confidence) == ("fraud", "account_takeover", 0.7)
    assert (first.source, first.known_at) == (LabelSource.ANALYST, NOW)
    assert second.transaction_id == "t-2"


def test_a_withdrawal_names_the_label_of_the_same_payment() -> None:
    decision = make_decision(undone_by="ann", undone_at=NOW)

    named = [(label.event_key, label.withdraws) for label in withdrawals_of(decision)]

    assert named == [(label.event_key, label.label_id) for label in labels_of(decision)]


def test_a_decision_that_was_not_undone_has_no_withdrawals() -> None:
    with pytest.raises(ValueError, match="undone_at"):
        withdrawals_of(make_decision())


@pytest.mark.parametrize(
    "changes",
    [
        {"decision_id": "form-fedcba987654"},
        {"case_id": "80048216f18b6e4f9049b00fb70d7d1f-2"},
    ],
)
def test_labels_of_two_decisions_are_two_labels(changes: dict[str, Any]) -> None:
    one, other = labels_of(make_decision()), labels_of(make_decision(**changes))

    assert not {label.label_id for label in one} & {label.label_id for label in other}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"verdict": LabelVerdict.WITHDRAWN}, "verdict"),
        ({"verdict": LabelVerdict.LEGITIMATE, "fraud_type": FraudType.MULE}, "fraud_type"),
        ({"verdict": LabelVerdict.FRAUD, "confidence": 0.49}, "confidence"),
        ({"verdict": LabelVerdict.FRAUD, "confidence": 1.01}, "confidence"),
        ({"verdict": LabelVerdict.FRAUD, "note": "x" * (MAX_NOTE_CHARACTERS + 1)}, "note"),
    ],
)
def test_what_no_label_may_say_is_refused_and_named(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(ValueError, match=field):
        Ruling(**fields)


def test_a_form_says_the_same_in_whatever_order_its_payments_come() -> None:
    decision = make_decision()
    keys = [payment.event_key for payment in reversed(decision.payments)]

    assert decision.says_the_same("ann", FRAUD, keys)
    assert not decision.says_the_same("bob", FRAUD, keys)
    assert not decision.says_the_same("ann", FRAUD, keys[:1])
    assert not decision.says_the_same("ann", Ruling(verdict=LabelVerdict.LEGITIMATE), keys)


def test_the_parts_of_a_form_are_known_by_its_id() -> None:
    parts = [make_decision(decision_id=part_id("form-0123456789ab", number)) for number in (0, 1, 12)]

    assert {part.form_id for part in parts} == {"form-0123456789ab"}
    assert len({part.key for part in parts}) == 3


def test_a_label_that_may_be_unsent_is_sent_within_minutes() -> None:
    (label, _) = labels_of(make_decision())

    row = unfinished(label, Unfinished.NOT_SENT, NOW)

    assert row.due_at == NOW + FIRST_COPY_RETRY
    assert decode_label_message(row.message.encode()).label_id == label.label_id
