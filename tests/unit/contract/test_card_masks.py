"""No card number leaves the contract, and no id is changed by it."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contract.card_masks import is_masked, mask, masked_record, masked_text
from contract.card_numbers import IDS, holds_card_number
from contract.scored import from_history_item, to_history_item
from contract.text import canonical_text
from contract.transaction import Location, Transaction, decode_transaction, encode_transaction
from tests.support.cards import TEST_NUMBERS, scientific_numbers, written_numbers
from tests.support.payments import make_scored, make_transaction
from tests.unit.contract.records import record

VISA = "4111111111111111"
MASK = "card_****1111"
SEARCHED = ("merchant_category", "channel", "card_id")


def decoded(**changes: Any) -> Transaction:
    return decode_transaction(record(**changes))


def printable(text: str) -> bool:
    return text.isprintable() and len(text) <= 128


@pytest.mark.parametrize("field", SEARCHED)
@pytest.mark.parametrize(
    "written", [VISA, "4111 1111 1111 1111", "4111 - 1111/1111.1111", "4.111111111111111E15"]
)
def test_a_card_number_is_masked_in_every_text_and_the_field_is_named(field: str, written: str) -> None:
    transaction = decoded(**{field: written})

    assert getattr(transaction, field) == MASK
    assert transaction.invalid_fields == (field,)


def test_a_card_number_in_a_place_is_masked_and_the_part_is_named() -> None:
    in_text = decoded(location=f"till {VISA}, DE")
    in_parts = decoded(location={"city": VISA, "country": "DE"})
    no_country = decoded(location={"city": "Berlin", "country": f"DE {VISA}"}, ip_address=VISA)

    assert (in_text.location, in_text.invalid_fields) == (f"till {MASK}, DE", ("location",))
    assert (in_parts.location, in_parts.invalid_fields) == (
        Location(city=MASK, country="DE"),
        ("location.city",),
    )
    assert (no_country.location, no_country.ip_address) == (Location(city="Berlin"), None)
    assert no_country.invalid_fields == ("ip_address", "location.country")


@pytest.mark.parametrize(
    "written", ["4.111111111111111E15", "411.1111111111111e13", "4.111111111111111 x10^15"]
)
def test_a_number_with_an_exponent_in_a_place_is_no_coordinate(written: str) -> None:
    assert decoded(location=f"till {written}, DE").location == f"till {MASK}, DE"


def test_several_fields_are_named_in_the_order_of_their_names() -> None:
    transaction = decoded(merchant_category=VISA, card_id=VISA, location=VISA, channel="online")

    assert transaction.invalid_fields == ("card_id", "location", "merchant_category")


@pytest.mark.parametrize("field", sorted(IDS))
@pytest.mark.parametrize("value", [VISA, "1234567890123452", "4111 1111 1111 1111", "4.111111111111111E15"])
def test_an_id_keeps_its_value_whatever_it_looks_like(field: str, value: str) -> None:
    transaction = decoded(**{field: value})

    assert getattr(transaction, field) == value
    assert transaction.invalid_fields == ()


@given(st.sampled_from(SEARCHED), st.one_of(written_numbers(), scientific_numbers()))
def test_whatever_separators_script_and_notation_no_card_number_leaves_the_contract(
    field: str, case: tuple[str, str]
) -> None:
    written = "".join(filter(str.isprintable, case[1]))
    # A place may be a pair of degrees with as many decimals; whoever writes a card number so hides it from himself.
    assume(not re.fullmatch(r"[0-9]{1,3}\.[0-9]+", canonical_text(written)))
    payment = decoded(**{field: written, "user_id": written, "location": written})

    out = json.loads(encode_transaction(payment))

    assert not holds_card_number(str([out[field], out["location"]]))
    assert payment.user_id == written
    assert payment.invalid_fields == tuple(sorted({field, "location"}))


@pytest.mark.parametrize("number", TEST_NUMBERS.values(), ids=TEST_NUMBERS)
def test_a_mask_holds_the_last_four_digits_and_no_others(number: str) -> None:
    masked = decoded(card_id=number).card_id

    assert masked == f"card_****{number[-4:]}"
    assert is_masked(masked)
    assert masked_text("card_id", masked) is masked


@pytest.mark.parametrize(
    "changes",
    [
        {"card_id": "tok_fppmgkmhoghpljmnilchbflc", "channel": "online", "merchant_category": "5411"},
        {"ip_address": "203.113.113.129"},
        {"ip_address": "41.111.111.111"},
        {"ip_address": "2001:db8:4111:1111:1111:1111:0:1"},
        {"ip_address": "::4111:1111:1111:1111"},
        {"location": "48.13743000000001, 11.57549000000001"},
        {"location": "41.11111111111111,-1.0000000000001"},
        {"card_id": "3f2504e0-4f89-11d3-9a0c-0305e82c3301"},
        {
            "card_id": "b3d6b5b2-094d-32de-5f63-834898093048"
        },  # 63-8348...: an issuer's prefix and length, and passes Luhn
        {"merchant_category": "4111111111111112"},
    ],
)
def test_usual_values_stay_and_no_field_is_named(changes: dict[str, str]) -> None:
    transaction = decoded(**changes)

    assert {name: getattr(transaction, name) for name in changes} == changes
    assert transaction.invalid_fields == ()


def test_masked_fields_are_added_to_those_that_are_named_already() -> None:
    assert decoded(invalid_fields=["ip_address"], channel=VISA).invalid_fields == ("channel", "ip_address")
    assert decoded(invalid_fields=["channel"], channel=VISA).invalid_fields == ("channel",)


def test_a_masked_text_is_no_longer_than_the_contract_allows() -> None:
    transaction = decoded(merchant_category=("x" * 116) + TEST_NUMBERS["Maestro of 12 digits"])

    assert len(transaction.merchant_category or "") <= 128
    assert not holds_card_number(transaction.merchant_category or "")


def test_invalid_fields_are_in_the_history_row_and_come_back() -> None:
    scored = make_scored(make_transaction(card_id=MASK, invalid_fields=("card_id",)))

    assert from_history_item(to_history_item(scored, 0)) == scored


def test_a_mask_says_that_it_is_one() -> None:
    assert is_masked(mask(VISA))
    assert not is_masked("card_1111")
    assert not is_masked("card_****11112222")


REFUSED = json.dumps({"user_id": "1234567890123452", "amount": "x", "card": VISA})


@pytest.mark.parametrize(
    ("data", "stored"),
    [
        (f"hello {VISA}".encode(), f"hello {MASK}".encode()),
        (REFUSED.encode(), REFUSED.replace(VISA, MASK).encode()),
        (REFUSED[:-1].encode(), None),  # its id cannot be distinguished from a card
        (b"\xff4111\xa01111\xa01111\xa01111\xff", b"\xffcard_****1111\xff"),
        (f"x {VISA}".encode("utf-16"), f"x {MASK}".encode("utf-16")),
        ("x \uff14\uff11" + VISA[2:], None),
        (f"x {VISA}".encode("utf-16-be"), None),
        (f"x {VISA}".encode("utf-16")[:-1], None),
        (b'{"x": "\\u0034111111111111111"}', b'{"x": "card_****1111"}'),
        (b'{"card_id": 4.111111111111111e15, "amount": {}}', b'{"card_id": card_****1111, "amount": {}}'),
    ],
)
def test_a_record_that_is_no_payment_is_stored_without_its_card_number(
    data: bytes | str, stored: bytes | None
) -> None:
    raw = data.encode("utf-16-le") if isinstance(data, str) else data
    raw = b"\xff\xfe" + raw if isinstance(data, str) else raw

    masked = masked_record(raw)

    assert stored is None or masked == stored
    for codec in ("utf-8", "utf-16", "utf-16-be"):
        text = masked.decode(codec, "replace").replace("\0", "")
        assert VISA not in text
        assert not holds_card_number(text.replace("1234567890123452", ""))


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"\xff\xfe", b"\xff\xfe\x00", b"hello", b"\x00" * 100, "Z\u00fcrich \ud7ff".encode()]
)
def test_a_record_without_a_card_number_is_stored_as_it_came(data: bytes) -> None:
    assert masked_record(data) is data


def test_an_id_that_is_also_the_cards_number_is_masked_in_both() -> None:
    data = json.dumps({"user_id": VISA, "card_id": VISA}).encode()

    assert VISA.encode() not in masked_record(data)


@given(st.binary(max_size=200))
def test_any_bytes_can_be_masked_and_nothing_is_left_for_a_second_time(data: bytes) -> None:
    once = masked_record(data)

    assert masked_record(once) == once


def test_the_schema_of_a_payment_names_its_invalid_fields() -> None:
    assert "invalid_fields" in msgspec.json.schema(Transaction)["$defs"]["Transaction"]["properties"]
