"""Amounts in the notations of the field: what has two readings is refused, and a mapping gives it one."""

from __future__ import annotations

import pytest

from contract.errors import InvalidTransactionError
from contract.mapping.amounts import NumberForm, amount, payment_of_refund
from contract.mapping.document import parse_mapping
from contract.mapping.row import MappedRow, RowMapper

COMMA = NumberForm(decimal=",")


def mapped(written: object, currency: str, form: str = "") -> MappedRow:
    """Map a row of this amount."""
    mapping = parse_mapping(f"user_id: u\namount: a\ncurrency: c\ntimestamp: t\n{form}", "map.yaml")
    return RowMapper(mapping).map_row(
        {"u": "u1", "a": written, "c": currency, "t": "2026-01-05T12:30:00Z"}.items()
    )


@pytest.mark.parametrize(
    ("written", "currency"),
    [("12.500", "CLP"), ("999.999", "USD"), ("1.000 €", "EUR"), ("-4.711", "JPY"), ("12,500", "KWD"), ("TND 1,000", "TND")],
)  # fmt: skip
def test_three_digits_behind_the_only_separator_are_not_guessed(written: str, currency: str) -> None:
    found = mapped(written, currency)

    assert [(problem.field, "decimals or thousands" in problem.problem) for problem in found.problems][
        :1
    ] == [("amount", True)]
    assert found.record["amount"] == written


@pytest.mark.parametrize(
    ("written", "currency", "text"),
    [
        ("12.500", "KWD", "12.500"), ("12,500", "USD", "12500"), ("0.125", "USD", "0.125"), ("1234.500", "USD", "1234.500"),
        ("12.5", "CLP", "12.5"), ("1,234.500", "CLP", "1234.500"), ("1,234,567", "KWD", "1234567"), ("12.5000", "USD", "12.5000"),
    ],
)  # fmt: skip
def test_an_amount_with_one_reading_is_read_without_a_word_of_the_mapping(
    written: str, currency: str, text: str
) -> None:
    found = mapped(written, currency)

    assert (found.record["amount"], found.problems) == (text, [])


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("4.711,98", "4711.98"), ("12.500", "12500"), ("12,5", "12.5"), ("1.234.567,00", "1234567.00"), ("-9,00", "-9.00"),
        ("980", "980"), ("€ 1.000,5", "1000.5"), (",5", ".5"),
    ],
)  # fmt: skip
def test_a_mapping_says_that_decimals_follow_a_comma(written: str, text: str) -> None:
    found = mapped(written, "EUR", 'decimal: ","')

    assert (found.record["amount"], found.problems) == (text, [])


@pytest.mark.parametrize("written", ["12.5", "4,711.98", "1.23.456", "12.50", "1,2,3", "12.5000"])
def test_a_row_in_another_notation_than_the_mapping_says_is_refused(written: str) -> None:
    found = mapped(written, "EUR", 'decimal: ","')

    assert [(each.field, each.problem) for each in found.problems] == [
        ("amount", "not a number with ',' before its decimals")
    ]


@pytest.mark.parametrize(
    ("written", "thousands"),
    [("1 234,50", " "), ("1\u202f234,50", " "), ("1'234,50", "'"), ("1\u2019234,50", "'"), ("1_234,50", "_")],
)
def test_a_mapping_says_what_separates_thousands(written: str, thousands: str) -> None:
    assert amount(written, NumberForm(",", thousands)).text == "1234.50"


@pytest.mark.parametrize("decimal", ['"."', '","'])
def test_a_stated_decimal_separator_ends_the_doubt(decimal: str) -> None:
    found = mapped("12.500", "CLP", f"decimal: {decimal}")

    assert (found.record["amount"], found.problems) == ("12.500" if decimal == '"."' else "12500", [])


@pytest.mark.parametrize("currency", ["EUR", "CLP"])
def test_cents_with_a_dot_and_three_zeros_are_not_guessed(currency: str) -> None:
    mapping = parse_mapping(
        "user_id: u\namount: {column: a, unit: minor}\ncurrency: c\ntimestamp: t", "map.yaml"
    )
    row = {"u": "u1", "a": "12.000", "c": currency, "t": "2026-01-05T12:30:00Z"}

    found = RowMapper(mapping).map_row(row.items())

    assert [problem.field for problem in found.problems] == ["amount"]


@pytest.mark.parametrize(
    ("written", "text", "currency"),
    [
        ("$-9.00", "-9.00", None), ("(9.00)", "-9.00", None), ("9.00-", "-9.00", None), ("\u22129.00", "-9.00", None),
        ("-$9.00", "-9.00", None), ("($1,234.50)", "-1234.50", None), ("€-9", "-9", "EUR"),
    ],
)  # fmt: skip
def test_a_refund_is_read_in_every_notation_of_its_sign(
    written: str, text: str, currency: str | None
) -> None:
    read = amount(written)

    assert (read.text, read.currency) == (text, currency)


@pytest.mark.parametrize("written", ["(9.00", "9.00)", "--9", "-9-", "(-9)", "-(9)", "+-9", "9 9"])
def test_two_signs_or_half_a_bracket_are_no_amount(written: str) -> None:
    with pytest.raises(InvalidTransactionError, match=r"^amount: not a decimal number$"):
        amount(written)


@pytest.mark.parametrize(
    ("written", "text", "currency"),
    [
        ("12.50 USD", "12.50", "USD"), ("CHF 7", "7", "CHF"), ("R$ 5,00", "5.00", "BRL"), ("US$5.00", "5.00", "USD"),
        ("12,50 zł", "12.50", "PLN"), ("₩5000", "5000", "KRW"), ("kr 12", "12", None), ("C$1", "1", "CAD"),
    ],
)  # fmt: skip
def test_a_sign_or_code_names_the_currency(written: str, text: str, currency: str | None) -> None:
    read = amount(written, COMMA if "," in written else NumberForm())

    assert (read.text, read.currency) == (text, currency)


@pytest.mark.parametrize(
    ("text", "is_refund"),
    [("-9.00", True), ("-.5", True), ("-1e2", True), ("9.00", False), ("-0.00", False), ("-0", False), ("-x", False), ("-", False)],
)  # fmt: skip
def test_only_an_amount_below_zero_is_a_refund(text: str, is_refund: bool) -> None:
    assert (payment_of_refund({"amount": text}) is not None) is is_refund
