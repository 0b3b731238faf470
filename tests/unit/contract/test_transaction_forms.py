"""What is derived from a payment, and that its forms lose nothing."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.transaction import Transaction, decode_transaction, encode_transaction
from tests.support.payments import make_transaction
from tests.unit.contract.records import VALID, outcome, transactions


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("12.5", "USD", 1250),
        ("12.345", "USD", 1234),
        ("12.355", "USD", 1236),
        ("500", "JPY", 500),
        ("0.5", "JPY", 0),
        ("1.5", "JPY", 2),
        ("1.234", "KWD", 1234),
    ],
)
def test_minor_units_are_rounded_half_to_even(amount: str, currency: str, minor: int) -> None:
    assert make_transaction(amount=Decimal(amount), currency=currency).amount_minor == minor


@given(transactions)
def test_what_is_written_to_the_topic_is_read_back_the_same(transaction: Transaction) -> None:
    again = decode_transaction(encode_transaction(transaction))

    assert again == transaction
    assert again.amount.as_tuple() == transaction.amount.as_tuple()


@given(st.binary(max_size=200) | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*VALID, "location", "x"]), inner)).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_any_bytes_are_a_payment_or_a_refusal_and_nothing_else(data: bytes) -> None:
    read = outcome(data)

    assert isinstance(read, Transaction) or (read.field and read.problem)
