"""Rows of files of labels: somebody's columns and words become a message's."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from contract.errors import MappingError
from contract.mapping.columns import LABEL_SYNONYMS, known_label_column
from contract.mapping.document import parse_mapping
from contract.mapping.kinds import LABELS
from contract.mapping.label_row import LabelMapper

if TYPE_CHECKING:
    from contract.mapping.row import MappedRow

BASE = """
transaction_id: TXN
verdict: {value: fraud}
source: {value: chargeback}
known_at: {column: REPORTED, format: "%d.%m.%Y", timezone: Europe/Berlin}
"""
ROW: dict[str, object] = {"TXN": "t-1", "REPORTED": "26.11.2026"}
NAMED: dict[str, object] = {
    "transaction_id": "t-1",
    "verdict": "fraud",
    "source": "customer",
    "known_at": "2026-11-26T08:00:00Z",
}


def mapped(lines: str = "", **row: object) -> MappedRow:
    return LabelMapper(parse_mapping(BASE + lines, "cb.yaml", LABELS)).map_row({**ROW, **row}.items())


def named(**row: object) -> MappedRow:
    return LabelMapper().map_row({**NAMED, **row}.items())


def test_a_bank_s_columns_become_the_fields_of_a_message() -> None:
    lines = 'fraud_type: {column: CODE, values: {"10.4": card_not_present}}\nuser_id: KUNDE\nlabel_id: FALL\n'

    row = mapped(lines, CODE=Decimal("10.4"), KUNDE=4711, FALL="cb-9", note="x")

    assert row.record == {
        "transaction_id": "t-1",
        "verdict": "fraud",
        "source": "chargeback",
        "known_at": "2026-11-25T23:00:00.000000Z",
        "fraud_type": "card_not_present",
        "user_id": "4711",
        "label_id": "cb-9",
    }
    assert row.unused_columns == ["note"]
    assert row.problems == []


def test_without_a_mapping_columns_are_known_by_their_names() -> None:
    row = LabelMapper().map_row(
        {
            "Txn ID": "t-1",
            "Label": "Fraud",
            "source": "Early Warning",
            "reportedAt": "2026-11-26 08:00:00",
            "id": 5,
        }.items()
    )

    assert row.record == {
        "transaction_id": "t-1",
        "verdict": "fraud",
        "source": "early_warning",
        "known_at": "2026-11-26 08:00:00Z",
    }
    assert row.unused_columns == ["id"]


@pytest.mark.parametrize(
    "written", ["Card not present", "CARD-NOT-PRESENT", " card_not_present ", "card  not present"]
)
def test_words_are_read_in_any_case_and_with_spaces(written: str) -> None:
    assert named(fraud_type=written).record["fraud_type"] == "card_not_present"


def test_a_code_that_a_mapping_does_not_translate_stays_for_the_contract_to_refuse() -> None:
    row = mapped('fraud_type: {column: CODE, values: {"10.4": card_not_present}}', CODE="83")

    assert row.record["fraud_type"] == "83"


@pytest.mark.parametrize(("written", "number"), [("0.8", 0.8), (Decimal("0.8"), 0.8), (1, 1.0), (".5", 0.5)])
def test_confidence_is_a_number_however_it_is_written(written: object, number: float) -> None:
    assert named(confidence=written).record["confidence"] == number


def test_a_comma_separates_decimals_where_the_mapping_says_it() -> None:
    row = mapped('decimal: ","\nconfidence: SICHER', SICHER="0,75")

    assert row.record["confidence"] == 0.75


@pytest.mark.parametrize("written", ["85%", "1.01", -1, True, "high", Decimal("1e400"), [1]])
def test_what_is_no_confidence_is_a_problem_of_its_field(written: object) -> None:
    (problem,) = named(confidence=written).problems

    assert (problem.field, problem.problem) == ("confidence", "not a number from 0 to 1")


@pytest.mark.parametrize("field", ["known_at", "timestamp"])
def test_a_time_that_cannot_be_read_is_a_problem_of_its_own_field(field: str) -> None:
    (problem,) = named(**{field: 1124103000}).problems

    assert problem.field == field


@pytest.mark.parametrize("field", ["transaction_id", "user_id", "label_id", "withdraws"])
def test_an_id_that_lost_digits_is_a_problem_of_its_field(field: str) -> None:
    (problem,) = named(**{field: "3.51238E+15"}).problems

    assert problem.field == field
    assert "last digits are lost" in problem.problem


def test_a_needed_field_without_a_value_names_its_column() -> None:
    (problem,) = mapped(REPORTED=" ").problems

    assert (problem.field, problem.problem) == ("known_at", "missing; its column is 'REPORTED'")


@pytest.mark.parametrize("written", ["NULL", r"\N", "", None])
def test_a_text_that_means_no_value_is_none_in_optional_fields(written: object) -> None:
    assert "user_id" not in named(user_id=written).record
    assert "user_id" not in mapped("user_id: KUNDE", KUNDE=written).record


@pytest.mark.parametrize(
    ("line", "field", "problem"),
    [
        ("amount: x", "amount", "not a field; there are transaction_id, verdict"),
        ("trusted: true", "trusted", "not a field"),
        ("known_at: {column: D, format: '%H:%M'}", "known_at", "no year and no month and no day"),
        ("known_at: {column: D, timezone: Atlantis/Centre}", "known_at", "no time zone 'Atlantis/Centre'"),
        ("user_id: {column: D, unit: s}", "user_id", "it has none"),
        (
            "fraud_type: {column: D, format: '%Y'}",
            "fraud_type",
            "format is for the known_at and the timestamp",
        ),
        (
            "verdict: {column: D, fraud_values: [x]}",
            "verdict",
            "fraud_values is for mappings of another kind",
        ),
    ],
)
def test_a_mapping_of_labels_refuses_what_it_has_no_meaning_for(line: str, field: str, problem: str) -> None:
    kept = [row for row in BASE.splitlines() if not row.startswith(field)]

    with pytest.raises(MappingError) as error:
        parse_mapping("\n".join([*kept, line]), "cb.yaml", LABELS)

    assert error.value.field == field
    assert problem in error.value.problem


def test_every_field_of_a_label_has_its_name_and_no_name_has_two_fields() -> None:
    names = [name for field, others in LABEL_SYNONYMS.items() for name in (field, *others)]

    assert set(LABEL_SYNONYMS) == set(LABELS.fields)
    assert len(names) == len(set(names))
    assert all(known_label_column(name) is not None for name in names)
