"""One row to one record, by a mapping; rows without one are tested with the job that has them (tests/unit/glue)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import InvalidTransactionError
from contract.mapping.document import guess_mapping, parse_mapping
from contract.mapping.row import MappedRow, RowMapper
from contract.transaction import decode_transaction

NEEDED: dict[str, Any] = {"nr": "7", "who": "ann", "sum": "12.50", "when": "2026-01-05T12:30:00Z"}
NOW = datetime(2100, 1, 1, tzinfo=UTC)
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
        ("channel: {column: x, values: {'1': pos}}", Decimal("1.0"), "pos"),
        ("channel: {column: x, values: {'1000': pos}}", Decimal("1e3"), "pos"),
        ("channel: {column: x, values: {'1.5': pos}}", Decimal("1.50"), "pos"),
        ("channel: {column: x, values: {'1': pos}}", Decimal("2.0"), "2"),
        ("card_id: x", Decimal("4.11111111111003e15"), "4111111111110030"),
        ("channel: {column: x, values: {'': pos}}", " ", "pos"),
        ("channel: {column: x, values: {'': pos}}", None, "pos"),
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
        ("amount: {column: sum, unit: minor}", {"sum": "1,500"}, "15.00", None),
        ("amount: {column: sum, unit: minor}", {"sum": Decimal("123450.0")}, "1234.50", None),
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
        (", unit: s, origin: '2026-01-05T00:00:00Z'", "45000.5", "2026-01-05T12:30:00.500000Z"),
        (", format: '%Y%m%d'", Decimal("20260105.0"), "2026-01-05T00:00:00.000000Z"),
        ("", " 2026-01-05 12:30 ", "2026-01-05T12:30:00.000000Z"),
        ("", "2026-01-05T12:30:00.25", "2026-01-05T12:30:00.250000Z"),
        ("", "2026-01-05t12:30:00z", "2026-01-05T12:30:00.000000Z"),
        ("", Decimal("1.7676162e9"), "2026-01-05T12:30:00.000000Z"),
        ("", "1767616200", "2026-01-05T12:30:00.000000Z"),
        # 02:30 occurs twice: the first is summer time.
        (", timezone: Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25T00:30:00.000000Z"),
        (", timezone: Europe/Berlin", "2026-03-29 03:00:00", "2026-03-29T01:00:00.000000Z"),
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
        ("", "20260105"), ("", 20260105), ("", "2026-01-05"), ("", "2026-W01-1"), ("", "202601051230001"), ("", True),
        ("", "2026-01-05512:30:00"), ("", "2026-13-05 12:30"), ("", "2026-01-05T24:00"), ("", "2026-01-05T12:30Z"),
        (", timezone: Europe/Berlin", "2026-03-29 02:30:00"), (", format: '%Y%m%d'", True), (", unit: s", False),
        (", format: '%d/%m/%Y %H:%M', timezone: Europe/Berlin", "29/03/2026 02:30"),
        (", unit: s", Decimal("1e999999999999999999")), (", unit: s", 10**4000), (", format: '%Y%m%d'", 10**4000),
    ],
)  # fmt: skip
def test_a_time_that_is_not_written_so_is_a_problem_and_stays_as_it_came(options: str, value: object) -> None:
    found = mapped(f"timestamp: {{column: when{options}}}", {"when": value})

    assert [problem.field for problem in found.problems] == ["timestamp"]
    assert found.record["timestamp"] == value


def test_a_local_time_that_does_not_exist_is_named_as_such() -> None:
    lines = "timestamp: {column: when, timezone: Europe/Berlin}"

    (problem,) = mapped(lines, {"when": "2026-03-29 02:30:00"}).problems

    assert str(problem) == "timestamp: a local time that does not exist: clocks were put forward"


@pytest.mark.parametrize("amount", ["€1,500", "1234.50", Decimal("12.5"), "$5"])
def test_minor_units_with_a_symbol_or_a_fraction_are_a_problem_and_stay_as_they_came(amount: object) -> None:
    found = mapped("amount: {column: sum, unit: minor}", {"sum": amount})

    assert [str(problem) for problem in found.problems] == ["amount: not a whole number of minor units"]
    assert found.record["amount"] == amount


@pytest.mark.parametrize("row", [{}, {"ccy": ""}, {"ccy": " "}, {"ccy": None}, {"ccy": "N/A"}])
def test_a_mapped_currency_that_is_missing_is_a_problem_and_not_dollars(row: dict[str, object]) -> None:
    lines = "currency: {column: ccy, values: {N/A: ''}}\namount: {column: sum, unit: minor}"

    found = mapped(lines, {"sum": "1500", **row})

    assert [str(problem) for problem in found.problems] == ["currency: missing; its column is 'ccy'"]
    assert found.record["amount"] == "1500"


def test_a_blank_currency_can_be_given_a_value() -> None:
    found = record("currency: {column: ccy, values: {'': EUR}}", {"ccy": ""})

    assert found["currency"] == "EUR"


def test_where_columns_are_guessed_a_blank_currency_is_the_contracts_own() -> None:
    mapping = guess_mapping(("id", "user", "amount", "time", "currency"))
    row = {"id": "7", "user": "ann", "amount": "1", "time": "2026-01-05T12:30:00Z", "currency": ""}

    found = RowMapper(mapping).map_row(row.items())

    assert not found.problems
    assert "currency" not in found.record


@pytest.mark.parametrize("text", ['{"lat": -41.3, "lon": 174.8}', '{"country": "CH"}'])
def test_text_in_a_mapped_location_is_never_read_as_an_object(text: str) -> None:
    assert record("location: where", {"where": text})["location"] == text
    assert record("location: where\ncountry: c", {"where": text, "c": "DE"})["location"] == {
        "country": "DE",
        "city": text,
    }


def test_an_object_in_a_mapped_location_is_read_as_one() -> None:
    found = record("location: where", {"where": {"lat": Decimal("52.50"), "lon": 13, "country_code": "DE"}})

    assert found["location"] == {"latitude": 52.5, "longitude": 13.0, "country": "DE"}


def test_a_boolean_in_a_text_field_stays_one_for_the_contract_to_refuse() -> None:
    assert record("user_id: who", {"who": True})["user_id"] is True


def spelled(number: Decimal, shift: int, zeros: int) -> str:
    """Write a number as JSON, with an exponent and with zeros that change nothing."""
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits))
    if shift == 0 and exponent == 0:
        return "-" * sign + text + ("." + "0" * zeros if zeros else "")
    return f"{'-' * sign}{text[0]}.{text[1:]}{'0' * (zeros + 1)}e{exponent + len(text) - 1}"


NUMBERS = st.one_of(
    st.sampled_from([0, 1, 1001, 5411, 20260105, 1767616200, 1767616200123, 4111111111110030]),
    st.integers(-(10**20), 10**20),
    st.integers(0, 180),
    st.decimals(-(10**6), 10**6, places=3),
).map(Decimal)
SPELLED = st.builds(spelled, NUMBERS, st.integers(0, 1), st.integers(0, 3))
JSON_VALUES = SPELLED | st.sampled_from(["true", "false", "null", '""', '" x "', "[1]", '"1.0"'])
USUAL = (
    "transaction_id",
    "user_id",
    "amount",
    "timestamp",
    "card_id",
    "merchant_category",
    "latitude",
    "longitude",
)


def outcome(mapper: RowMapper, row: dict[str, object]) -> object:
    """The transaction of a row, or the field that is refused."""
    found = mapper.map_row(row.items())
    if found.problems:
        return found.problems[0].field
    try:
        return decode_transaction(msgspec.json.encode(found.record))
    except InvalidTransactionError as error:
        return error.field


@given(st.dictionaries(st.sampled_from(USUAL), JSON_VALUES))
def test_a_mapping_that_names_the_usual_columns_reads_json_as_no_mapping_does(row: dict[str, str]) -> None:
    by_mapping, by_name = outcomes(row)

    # Of several bad fields, the two name another one first: a mapping reports missing fields before all others.
    are_refused = isinstance(by_mapping, str) and isinstance(by_name, str)
    assert are_refused or by_mapping == by_name


@given(st.sampled_from(USUAL), JSON_VALUES)
def test_a_value_is_refused_with_a_mapping_where_it_is_without_one(name: str, written: str) -> None:
    by_mapping, by_name = outcomes({name: written})

    assert by_mapping == by_name


def outcomes(row: dict[str, str]) -> tuple[object, object]:
    """The outcomes of a JSON row under a mapping that names the usual columns, and without a mapping."""
    valid = {"transaction_id": '"t"', "user_id": '"u"', "amount": "5", "timestamp": '"2026-01-05T12:30:00Z"'}
    line = "{" + ",".join(f'"{name}":{written}' for name, written in (valid | row).items()) + "}"
    decoded = msgspec.json.Decoder(float_hook=Decimal).decode(line)
    mapping = parse_mapping("".join(f"{name}: {name}\n" for name in USUAL), "map.yaml")

    return outcome(RowMapper(mapping), decoded), outcome(RowMapper(), decoded)


def test_parts_of_a_location_are_joined_with_its_text() -> None:
    found = record(
        "location: where\nlatitude: y\nlongitude: x", {"where": "Berlin, DE", "y": "52.5", "x": 13}
    )

    assert found["location"] == {"latitude": 52.5, "longitude": 13.0, "country": "DE", "city": "Berlin"}


@pytest.mark.parametrize(
    ("place", "country", "city"),
    [
        ("Denver, CO", "US", "Denver"),
        ("Bogotá, CO", "CO", "Bogotá"),
        ("Paris, France", "FR", "Paris"),
        ("Denver, CO 80202", "US", "Denver"),
        ("Nowhere, CO", None, "Nowhere, CO"),
        ("Paris", None, "Paris"),
    ],
)
def test_a_state_in_a_places_text_is_no_country(place: str, country: str | None, city: str) -> None:
    found = record("location: where\nlatitude: y\nlongitude: x", {"where": place, "y": "39.7", "x": "-105"})

    location = found["location"]
    assert isinstance(location, dict)
    assert (location.get("country"), location["city"]) == (country, city)


@pytest.mark.parametrize("field", ["transaction_id", "user_id", "amount", "timestamp"])
def test_a_needed_field_without_a_value_is_named_with_its_column(field: str) -> None:
    column = {"transaction_id": "nr", "user_id": "who", "amount": "sum", "timestamp": "when"}[field]

    (problem,) = mapped("", {column: None}).problems

    assert (problem.field, problem.problem) == (field, f"missing; its column is {column!r}")


def test_every_problem_is_reported_in_the_order_of_the_fields() -> None:
    found = mapped("currency: ccy\nlatitude: y", {"sum": "€5", "ccy": "GBP", "when": "soon", "y": "north"})

    assert [problem.field for problem in found.problems] == ["timestamp", "amount"]
    assert found.record["invalid_fields"] == ["location.latitude"]
    assert found.record["amount"] == "€5"


values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(10**5000)
    | st.decimals()
    | st.text()
    | st.lists(st.text())
    | st.just({"a": 1})
)


@given(st.dictionaries(st.sampled_from(["nr", "who", "sum", "when", "ccy", "where", "y", "x"]), values))
def test_no_row_raises_and_what_cannot_be_read_is_reported(row: dict[str, object]) -> None:
    lines = "currency: ccy\nlocation: where\nlatitude: y\ncity: x\namount: {column: sum, unit: minor}"

    found = mapped(lines, row)

    known = {"transaction_id", "user_id", "amount", "timestamp", "currency", "location", "invalid_fields"}
    assert set(found.record) <= known
    assert set(found.unused_columns) <= {"location.a"}
    assert None not in found.record.values()
