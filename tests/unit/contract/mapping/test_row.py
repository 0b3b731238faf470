"""One row to one record, by a mapping; rows without one are tested with the job that has them (tests/unit/glue)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.mapping.document import parse_mapping
from contract.mapping.row import MappedRow, RowMapper

NEEDED: dict[str, Any] = {"nr": "7", "who": "ann", "sum": "12.50", "when": "2026-01-05T12:30:00Z"}
AS_NEEDED: dict[str, object] = {
    "transaction_id": "7",
    "user_id": "ann",
    "amount": "12.50",
    "timestamp": "2026-01-05T12:30:00.000000Z",
}


def mapped(lines: str, row: dict[str, Any]) -> MappedRow:
    """Map a row by the fields that every record needs, and further lines of the document."""
    needed = {"transaction_id": "nr", "user_id": "who", "amount": "sum", "timestamp": "when"}
    kept = "".join(f"{field}: {column}\n" for field, column in needed.items() if f"{field}:" not in lines)
    return RowMapper(parse_mapping(kept + lines, "map.yaml")).map_row((NEEDED | row).items())


def record(lines: str, row: dict[str, Any]) -> dict[str, object]:
    """The record of a row in which everything can be read."""
    found = mapped(lines, row)
    assert not found.problems
    return found.record


def test_columns_are_taken_by_the_mapping_and_no_other_by_its_name() -> None:
    found = mapped("card_id: K", {"K": " k-1 ", "currency": "EUR", "merchant_id": "m", "is_fraud": "1"})

    assert found == MappedRow(AS_NEEDED | {"card_id": "k-1"}, ["currency", "merchant_id", "is_fraud"], [])


def test_the_truth_is_mapped_and_not_in_the_record() -> None:
    found = mapped("label: bad\nscenario: how", {"bad": "1", "how": "cloned"})

    assert found == MappedRow(AS_NEEDED, ["bad", "how"], [])


@pytest.mark.parametrize(
    ("line", "value", "expected"),
    [
        ("channel: {column: x, values: {CP: pos}}", "CP", "pos"),
        ("channel: {column: x, values: {CP: pos}}", " CP ", "pos"),
        ("channel: {column: x, values: {CP: pos}}", "web", "web"),
        ("channel: {column: x, values: {'true': pos}}", True, "pos"),
        ("channel: {column: x, values: {'1': pos}}", 1, "pos"),
        ("channel: {column: x, values: {'1.0': pos}}", Decimal("1.0"), "pos"),
        ("channel: {value: atm}", "CP", "atm"),
        ("channel: {value: 7}", "CP", "7"),
        ("merchant_category: x", 5411, "5411"),
    ],
)
def test_values_become_those_of_the_contract(line: str, value: object, expected: str) -> None:
    found = record(line, {"x": value})

    assert found[line.split(":")[0]] == expected


@pytest.mark.parametrize("blank", ["", "  ", None])
def test_a_blank_value_is_left_out_and_so_is_one_that_means_nothing(blank: str | None) -> None:
    assert record("channel: x", {"x": blank}) == AS_NEEDED
    assert record("channel: {column: x, values: {N/A: ''}}", {"x": "N/A"}) == AS_NEEDED


@pytest.mark.parametrize(
    ("lines", "row", "amount", "currency"),
    [
        ("amount: {column: sum, unit: minor}", {"sum": "123450"}, "1234.50", None),
        ("amount: {column: sum, unit: minor}", {"sum": 5}, "0.05", None),
        ("amount: {column: sum, unit: minor}\ncurrency: {value: JPY}", {"sum": "700"}, "700", "JPY"),
        ("amount: {column: sum, unit: minor}\ncurrency: ccy", {"sum": "1500", "ccy": "kwd"}, "1.500", "KWD"),
        ("amount: {column: sum, unit: minor}", {"sum": "€1,500"}, "15.00", "EUR"),
        ("amount: {column: sum, unit: minor}", {"sum": "9" * 30}, "9" * 28 + ".99", None),
        ("amount: sum", {"sum": "€ 7"}, "7", "EUR"),
    ],
)
def test_amounts_are_exact_and_in_major_units(
    lines: str, row: dict[str, object], amount: str, currency: str | None
) -> None:
    found = record(lines, row)

    assert (found["amount"], found.get("currency")) == (amount, currency)


@pytest.mark.parametrize(
    ("options", "value", "expected"),
    [
        ("", "2026-01-05 12:30:00", "2026-01-05T12:30:00.000000Z"),
        ("", "2026-01-05T12:30:00", "2026-01-05T12:30:00.000000Z"),
        ("", 1767616200123, "2026-01-05T12:30:00.123000Z"),
        (", timezone: Europe/Berlin", "2026-01-05T12:30:00", "2026-01-05T11:30:00.000000Z"),
        (", timezone: Europe/Berlin", "2026-01-05T12:30:00Z", "2026-01-05T12:30:00.000000Z"),
        (", format: '%d/%m/%y %H:%M', timezone: '-03:00'", "05/01/26 12:30", "2026-01-05T15:30:00.000000Z"),
        (", format: '%Y%m%d%H%M%S'", 20260105123000, "2026-01-05T12:30:00.000000Z"),
        (", unit: s, origin: '2026-01-05T00:00:00Z'", Decimal("45000.5"), "2026-01-05T12:30:00.500000Z"),
    ],
)
def test_times_are_read_as_the_mapping_says(options: str, value: object, expected: str) -> None:
    found = record(f"timestamp: {{column: when{options}}}", {"when": value})

    assert found["timestamp"] == expected


@pytest.mark.parametrize(
    ("options", "value"),
    [
        ("", "soon"), ("", "12345"), ("", ["2026-01-05"]), ("", "0001-01-01T00:00:00+12:00"),
        (", format: '%d/%m/%Y'", "2026-01-05"), (", unit: s", "NaN"), (", unit: s", "1e999"), (", unit: s", "1_0"),
    ],
)  # fmt: skip
def test_a_time_that_is_not_written_so_is_a_problem_and_stays_as_it_came(options: str, value: object) -> None:
    found = mapped(f"timestamp: {{column: when{options}}}", {"when": value})

    assert [problem.field for problem in found.problems] == ["timestamp"]
    assert found.record["timestamp"] == value


def test_parts_of_a_location_are_joined_with_its_text() -> None:
    found = record(
        "location: where\nlatitude: y\nlongitude: x", {"where": "Berlin, DE", "y": "52.5", "x": 13}
    )

    assert found["location"] == {"latitude": 52.5, "longitude": 13.0, "country": "DE", "city": "Berlin"}


@pytest.mark.parametrize("field", ["transaction_id", "user_id", "amount", "timestamp"])
def test_a_needed_field_without_a_value_is_named_with_its_column(field: str) -> None:
    column = {"transaction_id": "nr", "user_id": "who", "amount": "sum", "timestamp": "when"}[field]

    (problem,) = mapped("", {column: None}).problems

    assert (problem.field, problem.problem) == (field, f"missing; its column is {column!r}")


def test_every_problem_is_reported_in_the_order_of_the_fields() -> None:
    found = mapped("currency: ccy\nlatitude: y", {"sum": "€5", "ccy": "GBP", "when": "soon", "y": "north"})

    assert [problem.field for problem in found.problems] == ["timestamp", "location.latitude", "amount"]
    assert found.record["amount"] == "€5"


values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals()
    | st.text()
    | st.lists(st.text())
    | st.just({"a": 1})
)


@given(st.dictionaries(st.sampled_from(["nr", "who", "sum", "when", "ccy", "where", "y", "x"]), values))
def test_no_row_raises_and_what_cannot_be_read_is_reported(row: dict[str, object]) -> None:
    lines = "currency: ccy\nlocation: where\nlatitude: y\ncity: x\namount: {column: sum, unit: minor}"

    found = mapped(lines, row)

    assert set(found.record) <= {"transaction_id", "user_id", "amount", "timestamp", "currency", "location"}
    assert set(found.unused_columns) <= {"location.a"}
    assert None not in found.record.values()
