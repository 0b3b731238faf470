"""Rows of a sender whose prefix has a mapping."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from contract.card_tokens import CardTokens
from contract.errors import InvalidTransactionError
from contract.mapping.document import parse_mapping
from glue_scripts.rows import CleanedRow, Header, Published, Refused, RowCleaner

NOW = datetime(2026, 1, 6, tzinfo=UTC)
TOKENS = CardTokens(b"a key for these tests")
VISA = "4111111111111111"
MAPPING = parse_mapping(
    """
transaction_id: NR
user_id: KUNDE
amount: {column: CENT, unit: minor}
currency: {value: EUR}
timestamp: {column: ZEIT, format: "%d.%m.%Y %H:%M", timezone: Europe/Berlin}
channel: {column: ART, values: {"1": pos, "2": online}}
card_id: KARTE
label: {column: BETRUG, fraud_values: ["J"]}
""",
    "acme.yaml",
)
CLEANER = RowCleaner(TOKENS, MAPPING)
HEADER = b"NR;KUNDE;CENT;ZEIT;ART;KARTE;BETRUG;amount"
LINE = f"t-1;u-1;123450;05.01.2026 13:30;2;{VISA};J;9.99"
RECORD = {
    "transaction_id": "t-1",
    "user_id": "u-1",
    "amount": "1234.50",
    "currency": "EUR",
    "timestamp": "2026-01-05T12:30:00Z",
    "channel": "online",
    "card_id": TOKENS.token(VISA),
}


def clean(line: str) -> CleanedRow:
    return CLEANER.clean_csv(line.encode(), Header(HEADER, MAPPING))


def refused(line: str) -> Refused:
    row = clean(line)
    assert isinstance(row, Refused), row
    return row


def test_a_banks_own_columns_become_the_record() -> None:
    row = clean(LINE)

    assert isinstance(row, Published)
    assert json.loads(row.record) == RECORD
    assert row.user_id == "u-1"


def test_the_truth_and_columns_that_are_not_mapped_are_dropped_even_with_a_known_name() -> None:
    row = clean(LINE)

    assert isinstance(row, Published)
    assert row.dropped == ("BETRUG", "amount")


def test_json_rows_are_mapped_too() -> None:
    line = json.dumps(
        dict(zip(HEADER.decode().split(";"), LINE.split(";"), strict=True)) | {"CENT": 123450, "ART": 2}
    )

    row = CLEANER.clean_json(line.encode())

    assert isinstance(row, Published)
    assert json.loads(row.record) == RECORD


@pytest.mark.parametrize(
    ("old", "new", "field", "reason"),
    [
        ("u-1", " ", "user_id", "missing; its column is 'KUNDE'"),
        ("123450", "viel", "amount", "not a decimal number"),
        ("123450", "£500", "amount", "not a whole number of minor units"),
        ("05.01.2026 13:30", "2026-01-05T12:30:00Z", "timestamp", "not a time as the mapping says"),
        (";9.99", "", "$", "7 values for 8 columns"),
    ],
)
def test_what_cannot_be_read_by_the_mapping_is_refused_by_its_field_without_its_card_number(
    old: str, new: str, field: str, reason: str
) -> None:
    row = refused(LINE.replace(old, new))

    assert row.field == field
    assert row.reason.startswith(reason)
    assert row.raw == LINE.replace(old, new).replace(VISA, TOKENS.token(VISA))


def test_ids_keep_their_value_in_a_mapped_row_and_its_card_does_not() -> None:
    row = clean(LINE.replace("u-1", "4111 1111 1111 1111").replace("t-1", "5555555555554444"))

    assert isinstance(row, Published)
    assert row.user_id == "4111 1111 1111 1111"
    record = json.loads(row.record)
    assert record["transaction_id"] == "5555555555554444"
    assert record["card_id"] == TOKENS.token(VISA)


@pytest.mark.parametrize("column", ["NR", "KUNDE", "ART", "KARTE"])
def test_a_header_that_lacks_a_mapped_column_is_refused_and_names_it(column: str) -> None:
    row = CLEANER.read_header(HEADER.replace(column.encode(), b"other"))

    assert isinstance(row, Refused)
    assert row.field == "$"
    assert row.reason.startswith(f"not a CSV header that fits acme.yaml: no column {column!r}, mapped to ")


def test_a_header_with_a_mapped_column_twice_is_refused() -> None:
    row = CLEANER.read_header(HEADER + b";CENT")

    assert isinstance(row, Refused)
    assert row.reason == "not a CSV header that fits acme.yaml: 2 columns 'CENT', mapped to amount"


def test_a_header_needs_no_column_of_the_truth() -> None:
    Header(HEADER.replace(b"BETRUG", b"other"), MAPPING)


def test_a_header_of_known_names_is_no_header_of_a_mapped_file() -> None:
    with pytest.raises(InvalidTransactionError, match="no column 'NR'"):
        Header(b"transaction_id;user_id;amount;timestamp", MAPPING)


@pytest.mark.parametrize(
    "number", ["4111111111110030", "4111111111110030.0", "4.11111111111003E15", "411111111111003e1"]
)
def test_a_card_number_that_is_a_json_number_is_replaced_however_it_is_spelled(number: str) -> None:
    line = (
        f'{{"NR": 1001.0, "KUNDE": "u-1", "CENT": 1.2345E5, "ZEIT": "05.01.2026 13:30", "KARTE": {number}}}'
    )

    row = CLEANER.clean_json(line.encode())

    assert isinstance(row, Published), row
    assert json.loads(row.record) == {
        "transaction_id": "1001",
        "user_id": "u-1",
        "amount": "1234.50",
        "currency": "EUR",
        "timestamp": "2026-01-05T12:30:00Z",
        "card_id": TOKENS.token("4111111111110030"),
    }


def test_a_header_that_fits_may_follow_a_title_and_others_keep_the_reason_of_the_title() -> None:
    title = CLEANER.read_header(b"Umsatz Mai")
    assert isinstance(title, Refused)

    assert isinstance(CLEANER.read_header(HEADER, title), Header)
    assert CLEANER.read_header(b"KUNDE;CENT", title) == Refused("$", title.reason, "KUNDE;CENT")
