"""No row stops the job, and no card number passes it, however it is written."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.card_tokens import CardTokens
from contract.transaction import decode_transaction, encode_transaction
from glue_scripts import rows
from glue_scripts.rows import CleanedRow, Header, Published, Refused, RowCleaner

NOW = datetime(2026, 1, 6, tzinfo=UTC)
TOKENS = CardTokens(b"a key for these tests")
CLEANER = RowCleaner(TOKENS)
VISA = "4111111111111111"
GOOD = {"transaction_id": "t-1", "user_id": "u-1", "amount": "12.50", "timestamp": "2026-01-05T12:30:00Z"}


def refused(outcome: CleanedRow) -> Refused:
    assert isinstance(outcome, Refused), outcome
    return outcome


EXPONENTS = [
    *("", "e0", "E+17", "e18", "e-18", "e28", "e308", "e-400", "e9999", "e9999999", "e-9999999"),
    *("e999999999999999999", "e-999999999999999999", "e1000000000000000000", f"e{'9' * 40}", f"E-{'9' * 40}"),
]
odd_numbers = st.builds(
    lambda sign, whole, fraction, exponent: f"{sign}{whole}{fraction}{exponent}",
    st.sampled_from(["", "-"]),
    st.sampled_from(["0", "1", "48", "1767616200", "9" * 40, "9" * 400]),
    st.sampled_from(["", ".0", ".5", f".{'0' * 400}1"]),
    st.sampled_from(EXPONENTS),
)
NUMERIC = [
    "transaction_id",
    "amount",
    "timestamp",
    "latitude",
    "longitude",
    "location",
    "merchant_id",
    "unknown",
]


@given(st.dictionaries(st.sampled_from(NUMERIC), odd_numbers), st.booleans())
def test_a_number_of_any_exponent_is_published_or_refused_for_what_it_is(
    numbers: dict[str, str], nested: bool
) -> None:
    texts = {name: json.dumps(value) for name, value in GOOD.items()} | numbers
    if nested:
        texts["location"] = f'{{"lat": {numbers.get("latitude", 1)}, "lon": {numbers.get("longitude", 1)}}}'
    line = "{" + ", ".join(f'"{name}": {text}' for name, text in texts.items()) + "}"
    cells = ['"' + text.strip('"').replace('"', '""') + '"' for text in texts.values()]

    as_json = CLEANER.clean_json(line.encode())
    as_csv = CLEANER.clean_csv(",".join(cells).encode(), Header(",".join(texts).encode()))

    for outcome in (as_json, as_csv):
        if isinstance(outcome, Published):
            assert encode_transaction(decode_transaction(outcome.record)) == outcome.record
        elif isinstance(outcome, Refused):
            assert not outcome.reason.startswith("internal")


@pytest.mark.parametrize(
    ("location", "field"),
    [
        ('{"lat":1e99999999999999999999999,"lon":1}', "location"),
        ('{"lat":1e9999999,"lon":1}', "location.latitude"),
    ],
)
def test_a_cell_that_holds_an_impossible_place_is_left_out_and_named(location: str, field: str) -> None:
    header = Header(b"transaction_id;user_id;amount;timestamp;location")

    outcome = CLEANER.clean_csv(f"t-1;u-1;5;2026-01-05 12:30:00;{location}".encode(), header)

    assert isinstance(outcome, Published)
    assert json.loads(outcome.record)["invalid_fields"] == [field]


@pytest.mark.parametrize("number", ["1e9999999", "-1e9999999", "1e999999999999999999"])
def test_degrees_beyond_the_decimal_context_are_left_out_and_named(number: str) -> None:
    line = json.dumps(GOOD | {"latitude": 1, "longitude": "L"}).replace('"L"', number).encode()

    outcome = CLEANER.clean_json(line)

    assert isinstance(outcome, Published)
    assert json.loads(outcome.record)["invalid_fields"] == ["location.latitude", "location.longitude"]


def test_a_row_that_our_own_code_fails_on_is_quarantined_whole_but_for_its_card_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_data: bytes) -> None:
        raise TypeError

    monkeypatch.setattr(rows, "decode_transaction", fail)
    line = json.dumps(GOOD | {"card_id": VISA})
    cells = ",".join([*GOOD.values(), VISA])
    header = Header(",".join([*GOOD, "card_id"]).encode())

    as_json = refused(CLEANER.clean_json(line.encode()))
    as_csv = refused(CLEANER.clean_csv(cells.encode(), header))

    token = TOKENS.token(VISA)
    assert as_json == Refused("$", "internal: TypeError", line.replace(VISA, token))
    assert as_csv == Refused("$", "internal: TypeError", cells.replace(VISA, token))


WRITTEN = [
    "4111.1111.1111.1111",
    "4111\u00a01111\u00a01111\u00a01111",
    "4111\u20091111\u20091111\u20091111",
    "".join(chr(0xFF10 + int(digit)) for digit in VISA),
    "".join(chr(0x1D7CE + int(digit)) for digit in VISA),
]


@pytest.mark.parametrize("written", WRITTEN, ids=ascii)
@pytest.mark.parametrize("escaped", [True, False])
def test_a_card_number_in_any_writing_passes_neither_to_the_topic_nor_to_quarantine(
    written: str, escaped: bool
) -> None:
    good = json.dumps(GOOD | {"card_id": written, f"x {written}": 1}, ensure_ascii=escaped)
    bad = json.dumps({"card_id": written}, ensure_ascii=escaped)

    outcome = CLEANER.clean_json(good.encode())
    raw = refused(CLEANER.clean_json(bad.encode())).raw

    token = TOKENS.token(VISA)
    assert isinstance(outcome, Published)
    assert json.loads(outcome.record) == GOOD | {"card_id": token}
    assert outcome.dropped == (f"x {token}",)
    assert raw == json.dumps({"card_id": token})


def test_a_card_number_is_found_in_a_refused_line_of_windows() -> None:
    line = "Müller;4111\u00a01111\u00a01111\u00a01111".encode("cp1252")

    assert refused(CLEANER.clean_json(line)).raw == f"M\\xfcller;{TOKENS.token(VISA)}"


def test_other_escapes_of_a_refused_line_stay() -> None:
    line = r'{"city": "M\u00fcnchen \ud83d\ude00 \ud83d \n", "x": "4\u0031\uff111\u00a0111111111111"}'

    raw = refused(CLEANER.clean_json(line.encode())).raw

    assert raw == line.replace(r"4\u0031\uff111\u00a0111111111111", TOKENS.token(VISA))


@pytest.mark.parametrize(
    "number", ["4.111111111111111E15", "4111111111111.111e3", r"4.\u003111111111111111E15"]
)
def test_a_card_number_with_an_exponent_is_not_in_quarantine_in_clear(number: str) -> None:
    as_json = refused(CLEANER.clean_json(f'{{"card_id": {number}}}'.encode())).raw
    as_csv = refused(CLEANER.clean_csv(f"a,{number}".encode(), Header(b"user_id,card_id"))).raw

    token = TOKENS.token(VISA)
    assert (as_json, as_csv) == (f'{{"card_id": {token}}}', f"a,{token}")
