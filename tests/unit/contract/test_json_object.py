"""Records are read exactly, and no key may be in an object twice."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import InvalidTransactionError
from contract.json_object import DUPLICATE_KEYS, JsonNumber, has_unique_keys, read_object
from contract.transaction import decode_transaction, encode_transaction
from tests.support.payments import make_transaction
from tests.unit.contract.records import outcome, record, refused

GOOD = record(currency="EUR", channel="online", location={"country": "FR", "city": "Paris"})


def _with(pair: bytes, *, data: bytes = GOOD) -> bytes:
    return data[:-1] + b"," + pair + b"}"


@pytest.mark.parametrize(
    "data",
    [
        _with(b'"amount":1'),
        _with(b'"amount" : 1'),
        _with(b'"am\\u006funt":1'),
        _with(b'"\\u0061mount":1'),
        _with(b'"user_id":"user-1"'),
        _with(b'"currency":"EUR"'),
        _with(b'"channel":null'),
        _with(b'"extra":1,"extra":1'),
        _with(b'"extra":{"x":1,"x":2}'),
        _with(b'"extra":[{"x":1,"x":2}]'),
        GOOD.replace(b'"city"', b'"country"'),
        _with(b'"amount":1', data=encode_transaction(make_transaction())),
        _with(b'"note":"a \\"amount\\" b","amount":1'),
        _with(b'"amount"\n:\n1'),
        _with('"zürich":1,"z\\u00fcrich":1'.encode()),
        b'{"amount":9000,' + GOOD[1:],
    ],
)
def test_a_record_with_a_key_twice_is_refused(data: bytes) -> None:
    error = refused(data)

    assert (error.field, error.problem) == ("$", DUPLICATE_KEYS)


@pytest.mark.parametrize(
    "pair",
    [
        b'"merchant_id":"amount"',
        b'"merchant_id":":","merchant_category":":"',
        b'"merchant_id":"x","payee_id":"x"',
        b'"extra":{"amount":1}',
        b'"note":"\\"amount\\":1"',
        b'"Amount":1,"AMOUNT":2',
        b'"note":"\\u00fc","other":"\\u00FC"',
    ],
)
def test_a_value_like_a_key_and_a_key_in_another_object_are_no_repetition(pair: bytes) -> None:
    assert decode_transaction(_with(pair)).amount == decode_transaction(GOOD).amount


keys = st.sampled_from(["amount", "user_id", "x", "é", 'a"b', "a:"]) | st.text(max_size=3)
values = st.recursive(
    st.none() | st.booleans() | st.text(max_size=4) | keys,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=5,
)


@given(
    st.lists(st.tuples(keys, values), max_size=6),
    st.booleans(),
    st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " : ")]),
)
def test_exactly_records_without_equal_keys_have_unique_keys(
    pairs: list[tuple[str, object]], is_escaped: bool, separators: tuple[str, str]
) -> None:
    def written(value: object) -> str:
        return json.dumps(value, ensure_ascii=is_escaped, separators=separators)

    text = (
        "{"
        + separators[0].join(f"{written(key)}{separators[1]}{written(value)}" for key, value in pairs)
        + "}"
    )
    data = text.encode("utf-8", "surrogatepass")

    assert has_unique_keys(data) == (len({key for key, _ in pairs}) == len(pairs))


@given(st.lists(st.tuples(keys, st.text(max_size=3)), max_size=3), st.booleans())
def test_the_quick_look_at_a_record_is_as_exact(pairs: list[tuple[str, str]], is_escaped: bool) -> None:
    body = ",".join(f"{json.dumps(key, ensure_ascii=is_escaped)}:{json.dumps(value)}" for key, value in pairs)
    data = json.dumps(json.loads(GOOD), separators=(",", ":"))[:-1] + ("," + body if body else "") + "}"
    names = [*json.loads(GOOD), *(key for key, _ in pairs)]

    read = outcome(data.encode("utf-8", "surrogatepass"))

    is_refused = isinstance(read, InvalidTransactionError) and read.problem == DUPLICATE_KEYS
    assert is_refused == (len(set(names)) != len(names))


def test_numbers_keep_their_digits() -> None:
    read = read_object(b'{"a": 4.222222222222E12, "b": 12345678901234567890123, "c": "1", "d": 1e400}')

    assert read == {"a": "4.222222222222E12", "b": "12345678901234567890123", "c": "1", "d": "1e400"}
    assert [isinstance(value, JsonNumber) for value in read.values()] == [True, True, False, True]


@pytest.mark.parametrize(
    "data", [b"", b"[]", b'{"a": NaN}', b'{"a": Infinity}', b'{"a": 1', b'\xff{"a": 1}', b"{}{}"]
)
def test_what_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidTransactionError) as caught:
        read_object(data)

    assert caught.value.field == "$"


def test_a_byte_order_mark_is_no_part_of_a_record() -> None:
    assert decode_transaction(b"\xef\xbb\xbf" + GOOD) == decode_transaction(GOOD)
