"""A field that cannot be used is left out and named; the payment is scored without it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.channels import Channel
from contract.errors import InvalidTransactionError
from contract.scored import from_history_item, to_history_item
from contract.transaction import Location, Transaction, decode_transaction, encode_transaction
from tests.support.payments import make_scored, make_transaction
from tests.unit.contract.records import OPTIONAL_TEXTS, outcome, record

ZURICH = {"latitude": 47.37, "longitude": 8.54, "country": "CH", "city": "Zürich"}


def _read(**changes: Any) -> Transaction:
    return decode_transaction(record(**changes))


@pytest.mark.parametrize("field", OPTIONAL_TEXTS)
@pytest.mark.parametrize(
    "value", ["x" * 129, "a\x00b", "a\x1bb", "\ud83d", "a\ue000", True, ["x"], {"id": "x"}, 1e300]
)
def test_an_optional_field_that_cannot_be_used_is_left_out_and_named(field: str, value: object) -> None:
    payment = _read(**{field: value})

    assert getattr(payment, field) is None
    assert payment.invalid_fields == (field,)
    assert payment.amount == Decimal("12.50")


@pytest.mark.parametrize("field", OPTIONAL_TEXTS)
@pytest.mark.parametrize("value", ["", " ", "\u00a0\t", None])
def test_a_blank_field_is_absent_and_not_invalid(field: str, value: object) -> None:
    payment = _read(**{field: value})

    assert getattr(payment, field) is None
    assert payment.invalid_fields == ()


@pytest.mark.parametrize(
    ("field", "sent", "kept"),
    [
        ("merchant_id", "Café\u00a0de Flore", "Café de Flore"),
        ("merchant_id", "m\uff0d1", "m\uff0d1"),
        ("merchant_category", 5411, "5411"),
        ("merchant_category", 5411.0, "5411"),
        ("merchant_category", "Gro\u00adcery\u200b ", "Grocery"),
        ("channel", "\uff30\uff2f\uff33", "POS"),
        ("device_id", 8_234_567_890_123_456_789, "8234567890123456789"),
        ("payee_id", "Cafe\u0301", "Cafe\u0301"),
        ("card_id", " tok_\uff11\uff12 ", "tok_12"),
        ("ip_address", "203.0.113.9:443", "203.0.113.9"),
    ],
)
def test_a_field_is_kept_in_its_canonical_form(field: str, sent: object, kept: str) -> None:
    payment = _read(**{field: sent})

    assert getattr(payment, field) == kept
    assert payment.invalid_fields == ()


def test_several_invalid_fields_are_named_in_order() -> None:
    payment = _read(
        payee_id=[], ip_address="phone", location={**ZURICH, "country": "Narnia", "latitude": 200}
    )

    assert payment.invalid_fields == ("ip_address", "location.country", "location.latitude", "payee_id")
    assert payment.location == Location(city="Zürich")


@pytest.mark.parametrize(
    ("location", "invalid", "kept"),
    [
        ({"latitude": 90.0001, "longitude": 0.5}, ("location.latitude",), None),
        ({"latitude": -90.02, "longitude": 95}, ("location.latitude",), None),
        ({"latitude": 0, "longitude": 180.5}, ("location.longitude",), None),
        ({"latitude": 200, "longitude": 200}, ("location.latitude",), None),
        ({"latitude": "north", "longitude": 2, "city": "Paris"}, ("location.latitude", "location.longitude"), Location(city="Paris")),
        ({"latitude": 48}, ("location.latitude",), None),
        ({"longitude": 2, "country": "FR"}, ("location.longitude",), Location(country="FR")),
        ({"country": "Narnia", "city": "X"}, ("location.country",), Location(city="X")),
        ({"country": "x" * 65}, ("location.country",), None),
        ({"city": True, "country": "FR"}, ("location.city",), Location(country="FR")),
        ({"city": "x" * 129}, ("location.city",), None),
        ("x" * 257, ("location",), None),
        ("a\x00b", ("location",), None),
        (["Paris"], ("location",), None),
        (48.85, ("location",), None),
        ({"country": ""}, (), None),
        ({"city": "\u200b", "country": "France"}, (), Location(country="FR")),
        ({"latitude": "47.37", "longitude": " 8.54 "}, (), Location(47.37, 8.54)),
        ({"latitude": None, "longitude": ""}, (), None),
        ({"elevation": 5}, (), None),
        ("\u202d", (), None),
        (" Zürich,\u00a0CH ", (), "Zürich, CH"),
        ({"city": "\u0642\u0627\u0626\u0645\u200c\u0634\u0647\u0631", "country": "ir"}, (), Location(country="IR", city="\u0642\u0627\u0626\u0645\u0634\u0647\u0631")),
    ],
)  # fmt: skip
def test_a_location_keeps_what_can_be_used(location: object, invalid: tuple[str, ...], kept: object) -> None:
    payment = _read(location=location)

    assert (payment.location, payment.invalid_fields) == (kept, invalid)


@pytest.mark.parametrize(("latitude", "longitude"), [(0, 0), (0.0, -0.0), (1e-12, -1e-300), ("0", "0.00")])
def test_nothing_north_and_nothing_east_is_no_place(latitude: object, longitude: object) -> None:
    payment = _read(location={"latitude": latitude, "longitude": longitude, "city": "Berlin"})

    assert payment.location == Location(city="Berlin")
    assert payment.invalid_fields == ()


@pytest.mark.parametrize(("latitude", "longitude"), [(0, 6.1), (5.5, 0), (-0.001, 0.001)])
def test_a_place_on_the_equator_or_in_greenwich_is_one(latitude: float, longitude: float) -> None:
    assert _read(location={"latitude": latitude, "longitude": longitude}).location == Location(
        latitude, longitude
    )


@pytest.mark.parametrize(
    ("latitude", "longitude", "place"),
    [
        (139.69, 35.69, (35.69, 139.69)),
        (-122.4, 37.8, (37.8, -122.4)),
        (179.9, -41, (-41, 179.9)),
        (35.69, 139.69, (35.69, 139.69)),
        (8.54, 47.37, (8.54, 47.37)),  # fits as it is: nobody can say that it is meant the other way round
    ],
)
def test_coordinates_that_fit_only_the_other_way_round_are_exchanged(
    latitude: float, longitude: float, place: tuple[float, float]
) -> None:
    assert _read(location={"latitude": latitude, "longitude": longitude}).location == Location(*place)


@pytest.mark.parametrize("currency", [None, "", " ", ..., "\u200b"])
def test_a_missing_currency_is_assumed_and_said_to_be(currency: object) -> None:
    payment = _read(currency=currency)

    assert (payment.currency, payment.is_currency_assumed) == ("USD", True)


@pytest.mark.parametrize("currency", ["USD", "usd", " USD", "Usd\u00a0", "\uff35\uff33\uff24"])
def test_a_named_currency_is_not_assumed(currency: str) -> None:
    payment = _read(currency=currency)

    assert (payment.currency, payment.is_currency_assumed) == ("USD", False)
    assert b'"currency":"USD"' in encode_transaction(payment)


@pytest.mark.parametrize(
    ("currency", "at", "is_invalid"),
    [
        ("HRK", "2022-06-01T12:00:00Z", False),
        ("HRK", "2023-01-14T12:00:00Z", False),
        ("HRK", "2026-02-01T12:00:00Z", True),
        ("DEM", "1999-06-01T12:00:00Z", False),
        ("YUD", "1985-06-01T12:00:00Z", False),
        ("LTL", "2020-06-01T12:00:00Z", True),
    ],
)
def test_a_withdrawn_currency_is_named_only_after_its_end(currency: str, at: str, is_invalid: bool) -> None:
    payment = _read(currency=currency, timestamp=at)

    assert payment.currency == currency
    assert payment.invalid_fields == (("currency",) if is_invalid else ())


@pytest.mark.parametrize(
    "names", [["channel", "location.city"], ["channel", 5, "location.city", "password", "channel"]]
)
def test_what_the_ingestion_job_left_out_stays_named(names: list[object]) -> None:
    assert _read(invalid_fields=names).invalid_fields == ("channel", "location.city")


@pytest.mark.parametrize("names", ["channel", {"channel": 1}, 7, None])
def test_a_list_of_invalid_fields_that_is_none_is_not_read(names: object) -> None:
    assert _read(invalid_fields=names).invalid_fields == ()


def test_a_row_keeps_what_was_invalid() -> None:
    payment = make_transaction(invalid_fields=("channel", "ip_address"), is_currency_assumed=True)

    row = to_history_item(make_scored(payment), 1_900_000_000)

    assert from_history_item(row).transaction == payment


def test_a_usual_row_has_no_room_for_what_was_not_invalid() -> None:
    detail = msgspec.json.decode(to_history_item(make_scored(), 1_900_000_000)["detail"]["S"])

    assert not {"u", "x"} & detail["t"].keys()


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("pos", Channel.IN_PERSON),
        ("Online", Channel.ONLINE),
        ("carrier pigeon", Channel.UNKNOWN),
        (None, Channel.UNKNOWN),
        (7, Channel.UNKNOWN),
    ],
)
def test_the_senders_word_is_kept_beside_the_channel_that_it_means(word: object, kind: Channel) -> None:
    payment = _read(channel=word)

    assert payment.channel == (None if word is None else str(word))
    assert payment.channel_kind is kind


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["latitude", "longitude", "country", "city"]), inner)
    ),
    max_leaves=4,
)


@given(
    st.dictionaries(
        st.sampled_from([*OPTIONAL_TEXTS, "location", "invalid_fields", "is_currency_assumed"]), json_values
    )
)
def test_no_value_of_an_optional_field_refuses_a_payment(fields: dict[str, object]) -> None:
    payment = outcome(record(**fields))

    assert not isinstance(payment, InvalidTransactionError)
    assert decode_transaction(encode_transaction(payment)) == payment
