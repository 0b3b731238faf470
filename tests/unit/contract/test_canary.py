"""Whose payments are a canary's, and that nobody else gains anything by the canary's names."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.canary import (
    CANARY_TURNS,
    RESERVED,
    canary_payment,
    canary_users,
    check_user,
    is_canary,
    is_flagged_canary,
)
from contract.errors import InvalidTransactionError
from contract.transaction import decode_transaction, encode_transaction
from tests.support.payments import NOW, make_transaction

if TYPE_CHECKING:
    from datetime import datetime

any_times = st.integers(0, 10**15).map(lambda us: NOW + timedelta(microseconds=us))


@given(at=any_times)
def test_a_canary_s_payment_passes_the_wire_and_is_believed_if_its_feed_is_declared(at: datetime) -> None:
    for user_id in canary_users(at):
        sent = canary_payment(user_id, at)

        received = decode_transaction(encode_transaction(sent))

        assert received == sent
        check_user(received, is_declared=True)


@pytest.mark.parametrize("user_id", ["canary-0", "canary-19", "canary-flagged-0", "canary-flagged-19"])
def test_a_reserved_user_is_refused_from_any_other_feed(user_id: str) -> None:
    with pytest.raises(InvalidTransactionError, match=f"user_id: {RESERVED}, whose payments") as caught:
        check_user(canary_payment(user_id, NOW), is_declared=False)

    assert user_id not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"amount": Decimal("9900.00")},
        {"amount": Decimal("1.01")},
        {"currency": "EUR"},
        {"payee_id": "mule-1"},
        {"merchant_id": "shop-1"},
        {"card_id": "card_1234567890"},
        {"device_id": "device-1"},
        {"location": "Paris, FR"},
        {"transaction_id": "tx-1"},
        {"timestamp": NOW + timedelta(seconds=1)},
        {"user_id": "canary-flagged-4"},
        {"invalid_fields": ("payee_id",)},
    ],
)
def test_no_other_payment_is_a_canary_s_even_if_its_feed_is_declared(change: dict[str, Any]) -> None:
    payment = msgspec.structs.replace(canary_payment("canary-3", NOW), **change)

    with pytest.raises(InvalidTransactionError, match=f"user_id: {RESERVED}, which pays one dollar"):
        check_user(payment, is_declared=True)


@pytest.mark.parametrize("is_declared", [True, False])
@pytest.mark.parametrize(
    "user_id",
    ["user-1", "canary", "canary-", "canary-20", "canary-07", "Canary-7", "canary-7 ", "canary-flagged"],
)
def test_a_user_who_only_sounds_like_a_canary_is_any_user(user_id: str, *, is_declared: bool) -> None:
    check_user(make_transaction(user_id=user_id), is_declared=is_declared)

    assert not is_canary(user_id)
    assert not is_flagged_canary(user_id)


def test_a_flagged_canary_is_a_canary_and_the_other_kind_is_not_flagged() -> None:
    plain, flagged = canary_users(NOW)

    assert is_canary(plain)
    assert is_canary(flagged)
    assert is_flagged_canary(flagged)
    assert not is_flagged_canary(plain)


@given(at=any_times, delays=st.lists(st.integers(-59, 59), min_size=12, max_size=12))
def test_with_a_payment_every_five_minutes_no_user_pays_twice_within_an_alert_window(
    at: datetime, delays: list[int]
) -> None:
    """Each payment is up to a minute early or late; users alike are at least 15 minutes apart."""
    times = [at + timedelta(minutes=5 * turn, seconds=delay / 2) for turn, delay in enumerate(delays)]

    by_user: dict[str, list[datetime]] = {}
    for each in times:
        by_user.setdefault(canary_users(each)[1], []).append(each)

    for paid in by_user.values():
        assert all(later - earlier >= timedelta(minutes=15) for earlier, later in pairwise(paid))


def test_the_turns_are_those_of_a_payment_every_five_minutes() -> None:
    users = {canary_users(NOW + timedelta(minutes=minute))[0] for minute in range(60)}

    assert len(users) == CANARY_TURNS
