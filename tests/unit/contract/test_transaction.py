"""Every rule that makes a payment acceptable, and the field that each refusal names."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from contract.currency import MINOR_UNIT_EXPONENT
from contract.errors import InvalidTransactionError
from contract.transaction import (
    MAX_RECORD_BYTES,
    Location,
    Transaction,
    decode_transaction,
)
from tests.unit.contract.records import OPTIONAL_TEXTS, outcome, record, refused


def test_smallest_record_is_accepted_with_defaults() -> None:
    transaction = decode_transaction(record())

    assert transaction == Transaction(
        transaction_id="tx-1",
        user_id="user-1",
        amount=Decimal("12.50"),
        timestamp=datetime(2026, 3, 1, 11, 59, tzinfo=UTC),
        currency="USD",
        is_currency_assumed=True,
    )


def test_unknown_fields_are_dropped() -> None:
    assert decode_transaction(record(label="fraud", nested={"a": [1]})) == decode_transaction(record())


@pytest.mark.parametrize("field", ["transaction_id", "user_id", "amount", "timestamp"])
def test_required_field_that_is_missing_is_named(field: str) -> None:
    error = refused(record(**{field: ...}))

    assert (error.field, error.problem) == (field, "missing")


@pytest.mark.parametrize("field", ["transaction_id", "user_id", "amount", "timestamp"])
def test_required_field_that_is_null_is_named(field: str) -> None:
    assert refused(record(**{field: None})).field == field


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "not JSON"),
        (b"not json", "not JSON"),
        (b'{"transaction_id": "tx-1"', "not JSON"),
        (record() + b"{}", "not JSON"),
        (record(user_id="caf\u00e9").replace(b"\\u00e9", b"\xc3"), "not JSON in UTF-8"),
        (record()[:-20] + b"\xff\xfe", "not JSON"),
        (b"[]", "JSON, but not an object"),
        (b"null", "JSON, but not an object"),
        (b'"text"', "JSON, but not an object"),
        (b"\x00" * 100, "not JSON"),
        (b"[" * 900, "not JSON"),
        (b'{"a":' * 30_000, "record of 150000 bytes"),
        (b"x" * 1024 * 1024, "record of 1048576 bytes"),
    ],
)
def test_what_is_no_json_object_is_refused_as_a_whole(data: bytes, problem: str) -> None:
    error = refused(data)

    assert error.field == "$"
    assert error.problem.startswith(problem)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
@pytest.mark.parametrize("depth", [1_000, 10_000])
def test_bomb_in_an_unknown_field_is_refused_or_dropped_but_never_crashes(opening: bytes, depth: int) -> None:
    closing = b"]" if opening == b"[" else b"}"
    bomb = opening * depth + b"1" + closing * depth
    data = record()[:-1] + b', "bomb": ' + bomb + b"}"

    read = outcome(data)

    if isinstance(read, InvalidTransactionError):
        assert (read.field, read.problem) == ("$", "nested too deeply")
    else:
        assert read == decode_transaction(record())


def test_record_of_the_largest_size_is_read_and_one_byte_more_is_not() -> None:
    data = record(padding="")
    largest = data.replace(b'"padding": ""', b'"padding": "' + b"x" * (MAX_RECORD_BYTES - len(data)) + b'"')
    one_more = largest.replace(b"xx", b"xxx", 1)

    assert len(largest) == MAX_RECORD_BYTES
    assert decode_transaction(largest).transaction_id == "tx-1"
    assert refused(one_more).field == "$"


@pytest.mark.parametrize("field", ["transaction_id", "user_id"])
@pytest.mark.parametrize("value", ["", " ", "x" * 129, "x" * 10_000, 1.5, True, ["x"], {"id": "x"}])
def test_id_that_is_not_1_to_128_characters_of_text_is_named(field: str, value: object) -> None:
    assert refused(record(**{field: value})).field == field


def test_ids_of_128_characters_of_any_script_are_accepted() -> None:
    transaction = decode_transaction(record(transaction_id="ж" * 128, user_id="支" * 128))

    assert (transaction.transaction_id, transaction.user_id) == ("ж" * 128, "支" * 128)


@pytest.mark.parametrize(
    ("literal", "text"), [(b"12", "12"), (b"1234567890123452000", "1234567890123452000"), (b"007", None)]
)
def test_id_that_is_a_whole_number_is_its_digits(literal: bytes, text: str | None) -> None:
    data = record(user_id="ID").replace(b'"ID"', literal)

    if text is None:
        assert refused(data).field == "$"
    else:
        assert decode_transaction(data).user_id == text


@pytest.mark.parametrize("literal", [b"3.51238E+15", b"1e3", b"12.0", b"-7"])
def test_id_that_is_a_number_without_all_of_its_digits_is_refused(literal: bytes) -> None:
    assert refused(record(user_id="ID").replace(b'"ID"', literal)).field == "user_id"


@pytest.mark.parametrize("field", ["transaction_id", "user_id"])
@pytest.mark.parametrize(
    "bad",
    ["\n", "\x00", "\x1b", "\x7f", "\u202e", "\u200b", "\u2028", "\ud800", "\ue000", "\u00a0", "\ufeff"],
)
def test_control_format_and_surrogate_characters_are_refused_in_an_identity(field: str, bad: str) -> None:
    assert refused(record(**{field: f"a{bad}b"})).field == field


@pytest.mark.parametrize("field", ["amount", "timestamp"])
@pytest.mark.parametrize("bad", ["\ud800", "12.50\udfff"])
def test_half_of_a_surrogate_pair_is_refused_in_amount_and_time(field: str, bad: str) -> None:
    assert refused(record(**{field: bad})).field == field


@pytest.mark.parametrize(
    "other", [" user-1", "user-1 ", "USER-1", "user\uff0d1", "us\u00e9r-1", "use\u0301r-1"]
)
def test_two_users_whose_ids_look_alike_stay_two(other: str) -> None:
    assert decode_transaction(record(user_id=other)).user_id == other


@pytest.mark.parametrize("field", OPTIONAL_TEXTS)
def test_optional_text_may_be_null(field: str) -> None:
    assert getattr(decode_transaction(record(**{field: None})), field) is None


@pytest.mark.parametrize(
    "literal",
    [
        "-1",
        "-0.01",
        '"-5"',
        "NaN",
        '"NaN"',
        '"sNaN"',
        "Infinity",
        '"Infinity"',
        '"-Infinity"',
        "1e400",
        '"1e400"',
        '"1e999999999999"',
        "9" * 30,
        '"' + "9" * 30 + '"',
        '"0.' + "1" * 30 + '"',
        '"1e-400"',
        '"1e-999999999"',
        "true",
        '""',
        '" "',
        '"12,50"',
        '"0x10"',
        "{}",
        "[]",
        "null",
    ],
)
def test_amount_that_is_no_sum_of_money_is_refused(literal: str) -> None:
    error = refused(record(amount="AMOUNT").replace(b'"AMOUNT"', literal.encode()))

    assert error.field == ("$" if error.problem.startswith("not JSON") else "amount")


@pytest.mark.parametrize("literal", ["0", "-0", "0.0", '"0"', "1e3", '"1E+3"', "12.5", '"012.50"', "0.1"])
def test_amount_is_read_exactly_from_number_or_text(literal: str) -> None:
    transaction = decode_transaction(record(amount="AMOUNT").replace(b'"AMOUNT"', literal.encode()))

    assert transaction.amount == Decimal(literal.strip('"'))


@pytest.mark.parametrize("currency", ["USD", "JPY", "KWD", "CLF"])
def test_amount_may_be_2_to_the_53_minor_units_and_not_one_more(currency: str) -> None:
    scale = MINOR_UNIT_EXPONENT[currency]
    largest, one_more = (Decimal(minor).scaleb(-scale) for minor in (2**53, 2**53 + 1))

    accepted = decode_transaction(record(amount=str(largest), currency=currency))

    assert accepted.amount_minor == 2**53
    assert refused(record(amount=str(one_more), currency=currency)).field == "amount"


@pytest.mark.parametrize(
    "currency", ["XXX", "XTS", "XAU", "BTC", "US", "USDX", "ZZZ", "U S D", "$", True, ["USD"], {}]
)
def test_code_that_iso_4217_never_had_is_refused(currency: object) -> None:
    assert refused(record(currency=currency)).field == "currency"


@pytest.mark.parametrize(
    "timestamp",
    [
        "2026-03-01T11:59:00",  # no zone
        "2026-03-01",
        "11:59",
        "yesterday",
        "",
        "2026-02-30T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "0000-12-31T00:00:00Z",
        "2026-03-01T25:00:00Z",
        1772366340,
        None,
    ],
)
def test_timestamp_that_is_no_time_with_a_zone_is_refused(timestamp: object) -> None:
    assert refused(record(timestamp=timestamp)).field == "timestamp"


@pytest.mark.parametrize(
    ("timestamp", "in_utc"),
    [
        ("2999-03-02T13:00:00Z", datetime(2999, 3, 2, 13, tzinfo=UTC)),
        ("1969-12-31T23:59:59Z", datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("0001-01-01T13:00:00+12:00", datetime(1, 1, 1, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00+12:00", datetime.min.replace(tzinfo=UTC)),  # in UTC, before year 1
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("9999-12-31T23:59:59-12:00", datetime.max.replace(tzinfo=UTC)),  # in UTC, year 10000
    ],
)
def test_absurd_time_makes_no_payment_invalid(timestamp: str, in_utc: datetime) -> None:
    transaction = decode_transaction(record(timestamp=timestamp))

    assert transaction.timestamp == in_utc
    assert transaction.timestamp.tzinfo == UTC


@pytest.mark.parametrize("zone", ["Z", "+00:00", "-00:00", "+05:30", "-11:00", "+14:00"])
def test_timestamp_of_any_zone_becomes_utc(zone: str) -> None:
    transaction = decode_transaction(record(timestamp=f"2026-02-28T10:00:00.123456{zone}"))

    written = datetime.fromisoformat(f"2026-02-28T10:00:00.123456{zone.replace('Z', '+00:00')}")
    assert transaction.timestamp == written
    assert transaction.timestamp.tzinfo == UTC


@pytest.mark.parametrize(
    ("location", "country"),
    [
        ("Paris, FR", "FR"),
        ("Paris", None),
        ("FR", "FR"),
        ("Paris, France", "FR"),
        ("Paris, fr", "FR"),
        ("Paris,FR ", "FR"),
        ({"latitude": 48.85, "longitude": 2.35}, None),
        ({"latitude": 90, "longitude": -180, "country": "FR"}, "FR"),
        ({"country": "FR", "city": "Paris"}, "FR"),
        ({}, None),
        (None, None),
    ],
)
def test_both_forms_of_a_location_are_accepted(location: object, country: str | None) -> None:
    assert decode_transaction(record(location=location)).country == country


@pytest.mark.parametrize("tiny", ["1e-200", "-5e-324", "-0.0", "1e-10"])
def test_a_coordinate_that_no_store_could_hold_is_0(tiny: str) -> None:
    data = record(location={"latitude": 1.5, "longitude": 6.1}).replace(b"1.5", tiny.encode())

    assert decode_transaction(data).location == Location(latitude=0.0, longitude=6.1)


def test_refusal_never_quotes_the_value() -> None:
    secret = "4111111111111111"
    bad_records = [
        record(currency=secret),
        record(amount=secret + "x"),
        record(timestamp=secret),
        record(transaction_id=[secret]),
        record(user_id=secret + "\n"),
        secret.encode() + b"x",
    ]

    assert all(secret not in str(refused(data)) for data in bad_records)
