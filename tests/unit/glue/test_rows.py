"""One row in, one record or one reason out; the contract decides."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.canary import RESERVED, canary_payment
from contract.card_numbers import IDS
from contract.transaction import (
    MAX_RECORD_BYTES,
    SENT_FIELDS,
    Transaction,
    decode_transaction,
    encode_transaction,
)
from glue_scripts.rows import Published, Refused, RowCleaner
from tests.support.landed_rows import CLEANER, TOKENS, VISA, clean, published, refused, row


def test_a_good_row_becomes_the_contracts_record_keyed_by_its_user() -> None:
    outcome = clean()

    assert published(outcome) == row()
    assert isinstance(outcome, Published)
    assert outcome.user_id == "u-1"


def test_names_are_normalised_and_unknown_columns_reported() -> None:
    line = (
        b'{"txnId": 7, "Customer ID": "u-1", "amt": 12.10, "currency": "eur", "event_time": 1767616200123, "MCC": 5411.0,'
        b' "label": true}'
    )

    outcome = CLEANER.clean_json(line)

    assert published(outcome) == {
        "transaction_id": "7",
        "user_id": "u-1",
        "amount": "12.10",
        "currency": "EUR",
        "timestamp": "2026-01-05T12:30:00.123000Z",
        "merchant_category": "5411",
    }
    assert isinstance(outcome, Published)
    assert outcome.dropped == ("label",)


def test_an_amount_never_passes_through_a_binary_float() -> None:
    line = json.dumps(row()).replace('"12.50"', "90071992547409.910000").encode()

    assert published(CLEANER.clean_json(line))["amount"] == "90071992547409.910000"


def test_a_fields_own_name_counts_more_than_its_synonym() -> None:
    outcome = clean(customer="u-2", amt=None)

    assert published(outcome)["user_id"] == "u-1"
    assert isinstance(outcome, Published)
    assert outcome.dropped == ("customer",)


def test_a_blank_column_leaves_its_place_to_a_synonym() -> None:
    assert published(clean(user_id="  ", customer="u-2"))["user_id"] == "u-2"


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_blanks_of_optional_fields_are_left_out(blank: str | None) -> None:
    assert "merchant_id" not in published(clean(merchant_id=blank))


@pytest.mark.parametrize(
    ("columns", "location"),
    [
        ({"location": "Berlin, DE"}, "Berlin, DE"),
        ({"lat": "48.1", "long": 11.5}, {"latitude": 48.1, "longitude": 11.5}),
        ({"country": "DE", "city": "Munich"}, {"country": "DE", "city": "Munich"}),
        ({"location": {"lat": 48.1, "lng": 11.5, "zip": "80331"}}, {"latitude": 48.1, "longitude": 11.5}),
        ({"location": '{"lat": 48.1, "lon": 11.5}'}, {"latitude": 48.1, "longitude": 11.5}),
        (
            {"location": "Berlin, DE", "lat": 52.5, "lon": 13.4},
            {"latitude": 52.5, "longitude": 13.4, "country": "DE", "city": "Berlin"},
        ),
        ({"location": "{Berlin"}, "{Berlin"),
    ],
)
def test_places_of_every_form_become_one(columns: dict[str, object], location: object) -> None:
    assert published(clean(**columns))["location"] == location


def test_unknown_parts_of_a_location_are_reported_with_its_name() -> None:
    outcome = clean(location={"country": "DE", "zip": "80331"})

    assert isinstance(outcome, Published)
    assert outcome.dropped == ("location.zip",)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("card_id", VISA),
        ("card_number", int(VISA)),
        ("merchant_category", f"shop {VISA}"),
        ("channel", "4111 1111 1111 1111"),
        ("location", f"till {VISA}"),
        ("location", {"city": VISA}),
        (f"column {VISA}", "x"),
    ],
)
def test_a_card_number_passes_in_no_field_but_ids(field: str, value: object) -> None:
    outcome = clean(**{field: value})

    assert isinstance(outcome, Published)
    everything = outcome.record.decode() + outcome.user_id + "".join(outcome.dropped)
    assert "1111" not in everything
    assert TOKENS.token(VISA) in everything


@pytest.mark.parametrize(
    ("sent", "published_at"),
    [
        ("2126-01-07T01:00:00Z", "2126-01-07T01:00:00Z"),
        ("9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59.999999Z"),
        ("0001-01-01T00:00:00+12:00", "0001-01-01T00:00:00Z"),
    ],
)
def test_an_absurd_time_is_published_since_nobody_has_to_believe_it(sent: str, published_at: str) -> None:
    assert published(clean(timestamp=sent))["timestamp"] == published_at


def test_a_card_number_in_place_of_an_address_is_left_out() -> None:
    record = published(clean(ip_address="4111-1111-1111-1111"))

    assert record["invalid_fields"] == ["ip_address"]
    assert "1111" not in str(record)


def test_an_escaped_card_number_is_found_too() -> None:
    line = json.dumps(row(channel="M")).replace('"M"', '"\\u0034111111111111111"').encode()

    assert published(CLEANER.clean_json(line))["channel"] == TOKENS.token(VISA)


@pytest.mark.parametrize(
    "number",
    [
        "4.222222222222e12",
        "4.222222222222E+12",
        "42222222222.22e02",
        "422.2222222222E+0010",
        "4222222222222.0",
    ],
)
def test_a_card_number_that_is_a_number_with_an_exponent_is_found_too(number: str) -> None:
    line = json.dumps(row(card_id="C")).replace('"C"', number).encode()

    assert published(CLEANER.clean_json(line))["card_id"] == TOKENS.token("4222222222222")


@pytest.mark.parametrize(
    "line", [f'{{"card": "{VISA}"}}', f'{{"x": "\\u0034{VISA[1:]}"}}', f"garbage {VISA}"]
)
def test_a_refused_row_keeps_everything_but_its_card_numbers(line: str) -> None:
    outcome = refused(CLEANER.clean_json(line.encode()))

    assert outcome.raw == line.replace("\\u0034", "4").replace(VISA, TOKENS.token(VISA))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"transaction_id": ...}, "transaction_id"),
        ({"user_id": ""}, "user_id"),
        ({"user_id": "x" * 10_000}, "user_id"),
        ({"user_id": "a\x00b"}, "user_id"),
        ({"amount": ...}, "amount"),
        ({"amount": "-1", "user_id": ""}, "user_id"),
        ({"amount": "-x"}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"amount": float("inf")}, "$"),
        ({"amount": "1e400"}, "amount"),
        ({"amount": "9" * 30}, "amount"),
        ({"amount": "€5", "currency": "GBP"}, "amount"),
        ({"currency": "XXX"}, "currency"),
        ({"currency": 840}, "currency"),
        ({"timestamp": "2026-01-05T12:30:00"}, "timestamp"),
    ],
)
def test_a_row_that_the_contract_refuses_is_refused_by_its_field(
    changes: dict[str, object], field: str
) -> None:
    outcome = refused(clean(**changes))

    assert outcome.field == field
    assert json.loads(outcome.raw.replace("Infinity", "1")) is not None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"not json", "not JSON"),
        (b"[1]", "JSON, but not an object"),
        (b"null", "JSON, but not an object"),
        (b'{"a": 1} {"b": 2}', "not JSON"),
        (b'{"user_id": "\xc3', "not JSON"),
        (b'{"user_id": "\xc3"}', "not UTF-8"),
        (b'{"user_id": "\\ud800"}', "not JSON"),
        (b'{"amount": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"a": ' + b"[" * 30_000 + b"]" * 30_000 + b"}", "nested too deeply"),
        (b'{"amount": 1e99999999999999999999999}', "a number with an exponent of more than 18 digits"),
        (b'{"unknown": [-1E-99999999999999999999999]}', "a number with an exponent of more than 18 digits"),
        (b"\xff" * (1 << 20), "row of 1048576 bytes; at most 65536"),
    ],
)
def test_garbage_is_a_value_with_its_reason_and_keeps_its_bytes(line: bytes, reason: str) -> None:
    outcome = refused(CLEANER.clean_json(line))

    assert outcome.field == "$"
    assert outcome.reason.startswith(reason)
    assert outcome.raw == line.decode("utf-8", "backslashreplace")


ids = st.text(st.characters(codec="utf-8"), max_size=140)
values = st.one_of(
    ids,
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.lists(st.integers(), max_size=2),
    st.just(VISA),
)
times = st.one_of(
    st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
    st.datetimes().map(str),
    st.integers(-(10**15), 10**15),
    values,
)


@pytest.mark.parametrize(
    "pair", ['"amount": 1', '"am\\u006funt": "1"', '"extra": {"a": 1, "a": 2}', '"user_id": "u-1"']
)
def test_a_line_with_a_key_twice_is_refused(pair: str) -> None:
    line = json.dumps(row())[:-1] + f", {pair}}}"

    outcome = refused(CLEANER.clean_json(line.encode()))

    assert (outcome.field, outcome.reason) == ("$", "an object with the same key twice")


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"latitude": 200, "longitude": 0}, ["location.latitude"]),
        ({"latitude": 48.1}, ["location.latitude"]),
        ({"latitude": "here", "longitude": 0}, ["location.latitude", "location.longitude"]),
        ({"location": [48.1, 11.5]}, ["location"]),
        ({"merchant_id": {"a": [float(1)]}}, ["merchant_id"]),
    ],
)
def test_a_field_that_the_contract_leaves_out_is_named_on_the_topic(
    changes: dict[str, object], names: list[str]
) -> None:
    assert published(clean(**changes))["invalid_fields"] == names


@given(
    st.fixed_dictionaries(
        {
            "transaction_id": ids,
            "user_id": ids,
            "amount": st.one_of(st.decimals().map(str), values),
            "ts": times,
        },
        optional=dict.fromkeys(
            {*SENT_FIELDS, "lat", "lon", "country", "city", "unknown"}
            - {"transaction_id", "user_id", "amount"},
            values,
        ),
    )
)
def test_whatever_is_published_the_contract_accepts_as_it_is(fields: dict[str, object]) -> None:
    outcome = CLEANER.clean_json(json.dumps(fields).encode())

    if isinstance(outcome, Published):
        transaction = decode_transaction(outcome.record)
        assert encode_transaction(transaction) == outcome.record
        assert outcome.user_id == transaction.user_id
        others = {name: value for name, value in json.loads(outcome.record).items() if name not in IDS}
        assert VISA not in str(others)
    elif isinstance(outcome, Refused):
        assert outcome.field
        assert outcome.reason


plain = st.text("abcXYZäß_-., 019", min_size=1, max_size=12).filter(
    lambda text: text == " ".join(text.split())
)


@given(
    st.builds(
        Transaction,
        transaction_id=plain,
        user_id=plain,
        amount=st.decimals(0, 10**9, places=2),
        timestamp=st.datetimes(datetime(1971, 1, 1), datetime(2026, 1, 6), timezones=st.just(UTC)),  # noqa: DTZ001
        currency=st.sampled_from(["USD", "EUR", "JPY"]),
        merchant_id=st.none() | plain,
        location=st.none() | plain,
    )
)
def test_what_the_contract_writes_passes_unchanged(transaction: Transaction) -> None:
    line = encode_transaction(transaction)

    outcome = CLEANER.clean_json(line)

    assert isinstance(outcome, Published)
    assert outcome.record == line


@given(
    st.fixed_dictionaries(
        {"transaction_id": ids, "user_id": ids, "amount": st.decimals().map(str), "timestamp": times}
    )
)
def test_a_row_that_the_contract_would_refuse_is_published_only_with_its_spelling_repaired(
    fields: dict[str, object],
) -> None:
    """The job repairs spelling (blanks, separators, epochs, zones by convention), and nothing else."""
    outcome = CLEANER.clean_json(json.dumps(fields).encode())

    if isinstance(outcome, Published):
        transaction = decode_transaction(outcome.record)
        assert transaction.transaction_id == str(fields["transaction_id"]).strip()
        assert transaction.user_id == str(fields["user_id"]).strip()


def test_a_row_of_the_largest_size_is_still_read() -> None:
    line = json.dumps(row(comment="")).encode()
    padded = line.replace(b'"comment": ""', b'"comment": "%s"' % (b"x" * (MAX_RECORD_BYTES - len(line))))

    assert len(padded) == MAX_RECORD_BYTES
    assert isinstance(CLEANER.clean_json(padded), Published)
    assert refused(CLEANER.clean_json(padded + b" ")).reason.startswith("row of 65537 bytes")


CANARY = canary_payment("canary-7", datetime(2026, 1, 5, 12, 30, tzinfo=UTC))
CANARY_CLEANER = RowCleaner(TOKENS, is_canary_feed=True)


def test_a_canary_s_row_is_published_as_it_is_from_its_own_folder() -> None:
    outcome = CANARY_CLEANER.clean_json(encode_transaction(CANARY))

    assert isinstance(outcome, Published)
    assert outcome.record == encode_transaction(CANARY)


def test_a_row_of_a_reserved_user_is_refused_in_any_other_folder() -> None:
    reason = refused(clean(user_id="canary-flagged-7"))

    assert (reason.field, reason.reason) == (
        "user_id",
        f"{RESERVED}, whose payments come from its own folder",
    )


def test_a_row_of_the_canary_s_folder_that_is_none_of_its_payments_is_refused() -> None:
    other = refused(CANARY_CLEANER.clean_json(json.dumps(row()).encode()))
    larger = refused(CANARY_CLEANER.clean_json(encode_transaction(CANARY).replace(b"1.00", b"9900.00")))

    assert (other.field, other.reason) == ("user_id", "none of the canary's, whose folder this is")
    assert larger.reason.startswith(RESERVED)
