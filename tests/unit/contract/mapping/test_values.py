"""Amounts, times, identifiers and degrees as files write them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import InvalidTransactionError
from contract.mapping import amounts, times, values


@pytest.mark.parametrize(
    ("written", "text", "currency"),
    [
        ("12.50", "12.50", None),
        ("1,234.50", "1234.50", None),
        ("1,234,567", "1234567", None),
        ("$12.00", "12.00", None),
        ("-$12.00", "-12.00", None),
        ("€ 7", "7", "EUR"),
        ("7.10 £", "7.10", "GBP"),
        (".5", ".5", None),
        ("1e3", "1e3", None),
        (12, "12", None),
        (Decimal("0.10"), "0.10", None),
        (Decimal("123456789012345678901234567890"), "123456789012345678901234567890", None),
    ],
)
def test_an_amount_is_read_to_its_last_digit(written: object, text: str, currency: str | None) -> None:
    assert amounts.amount(written)[:2] == (text, currency)


@pytest.mark.parametrize(
    "written",
    ["12,50", "1.234,50", "12.50 XQZ", "$12€", "--1", "", ".", "NaN", "Infinity", "1_000", "١٢", True, [1]],
)
def test_what_is_no_amount_is_refused_and_not_guessed(written: object) -> None:
    with pytest.raises(InvalidTransactionError) as caught:
        amounts.amount(written)

    assert caught.value.field == "amount"


@pytest.mark.parametrize(
    ("written", "currency", "major"),
    [
        ("123450", "EUR", "1234.50"), ("1,500", "USD", "15.00"), ("123450.0", "EUR", "1234.50"), ("1e2", "EUR", "1.00"),
        (5, "USD", "0.05"), (Decimal("123450.00"), "KWD", "123.450"), (Decimal("1E+2"), "JPY", "100"), ("0.0", "EUR", "0.00"),
        ("9" * 30 + ".0", "USD", "9" * 28 + ".99"),
    ],
)  # fmt: skip
def test_minor_units_are_whole_numbers_and_become_major_units_exactly(
    written: object, currency: str, major: str
) -> None:
    assert amounts.minor_units(amounts.minor_amount(written).text, currency) == major


@pytest.mark.parametrize(
    "written",
    [
        "1234.50",
        "1,234.5",
        "€1,234.50",
        "€1500",
        "$9,400.00",
        "1500 £",
        "¥5",
        "1e-1",
        Decimal("12.5"),
        Decimal("1e-9"),
    ],
)
def test_an_amount_with_a_fraction_or_a_symbol_is_no_amount_of_minor_units(written: object) -> None:
    with pytest.raises(InvalidTransactionError, match=r"^amount: not a whole number of minor units$"):
        amounts.minor_amount(written)


def test_a_huge_amount_of_minor_units_does_not_become_a_huge_text() -> None:
    assert amounts.minor_units(amounts.minor_amount("1e9999").text, "EUR") == "1E+9997"


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        (1, ("1",)), (Decimal("1.0"), ("1", "1.0")), (Decimal("1e3"), ("1000", "1E+3")), (Decimal("1.50"), ("1.5", "1.50")),
        (Decimal("-0.0"), ("0", "-0.0")), (Decimal("1e400"), ("1E+400", "1E+400")), (Decimal("1e-400"), ("1E-400", "1E-400")),
        (Decimal("0." + "1" * 35 + "0"), ("0." + "1" * 35, "0." + "1" * 35 + "0")),
        (10**4000, ()), (" x ", ("x",)), (None, ("",)), (False, ("false",)), ([1], ()), ({}, ()),
    ],
)  # fmt: skip
def test_a_mapping_names_a_number_by_its_usual_text_and_as_it_is_written(
    value: object, texts: tuple[str, ...]
) -> None:
    assert values.spellings(value) == texts


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=10**12, places=2))
def test_thousands_separators_change_no_amount(amount: Decimal) -> None:
    assert Decimal(amounts.amount(f"${amount:,}").text) == amount


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-01-05T12:30:00+02:00", "2026-01-05T12:30:00+02:00"),
        ("2026-01-05 12:30:00", "2026-01-05 12:30:00Z"),
        ("2026-01-05 12:30:00.123456", "2026-01-05 12:30:00.123456Z"),
        (1767616200, "2026-01-05T12:30:00+00:00"),
        ("1767616200", "2026-01-05T12:30:00+00:00"),
        (1767616200123, "2026-01-05T12:30:00.123000+00:00"),
        (Decimal("1767616200.5"), "2026-01-05T12:30:00.500000+00:00"),
        # RFC 3339 without its zone: not for us to guess, and refused by the contract.
        ("2026-01-05T12:30:00", "2026-01-05T12:30:00"),
    ],
)
def test_a_time_is_written_as_the_contract_reads_it(written: object, expected: str) -> None:
    assert times.timestamp(written) == expected


@pytest.mark.parametrize("written", [20260105, -1, 10**14, Decimal("1e400"), True, None, {}])
def test_a_number_that_is_no_time_since_the_epoch_is_refused(written: object) -> None:
    with pytest.raises(InvalidTransactionError) as caught:
        times.timestamp(written)

    assert caught.value.field == "timestamp"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (5411, "5411"),
        (Decimal("5411.0"), "5411"),
        (" x ", "x"),
        (True, True),
        ([], []),
    ],
)
def test_a_number_becomes_text_and_other_types_stay_for_the_contract(
    written: object, expected: object
) -> None:
    assert values.text(written, "merchant_id") == expected


def test_an_identifier_of_thousands_of_digits_is_refused_by_its_field() -> None:
    with pytest.raises(InvalidTransactionError, match=r"^user_id: a number of more than 128 digits$"):
        values.text(10**5000, "user_id")


@pytest.mark.parametrize("written", ["48.137", Decimal("48.137")])
def test_degrees_are_numbers_however_they_are_written(written: object) -> None:
    assert values.degrees(written, "location.latitude") == 48.137


@pytest.mark.parametrize(
    "written",
    [
        *("north", "nan", "inf", "1_0", True, None),
        *(10**400, -(10**400), Decimal("1e400"), Decimal("1e9999999"), Decimal("-1e999999999999999999")),
    ],
)
def test_what_is_no_number_of_degrees_is_refused_by_its_field(written: object) -> None:
    with pytest.raises(InvalidTransactionError) as caught:
        values.degrees(written, "location.latitude")

    assert caught.value.field == "location.latitude"
