"""Attacks on accounts with a short history, by the default rules: without a norm of its own, the population's counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contract.scored import Decision
from contract.transaction import Location
from tests.support.customers import BERN, THIEF, Customer, described, is_flagged

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TRANSFER: dict[str, Any] = {
    "device_id": "thiefs-laptop",
    "payee_id": "mule",
    "merchant_id": None,
    "location": THIEF["location"],
    "channel": "transfer",
}
"""A new device, a new payee and a new country."""


def young(payments: int, every: timedelta = DAY, **changes: Any) -> Customer:
    """A customer with a few payments of 30."""
    customer = Customer()
    for _ in range(payments):
        taken = customer.pay("30", every, **changes)
        assert taken.decision is Decision.APPROVE, described(taken)
    return customer


# H: a large payment before there is a norm


def test_large_transfer_after_nine_small_payments_is_flagged() -> None:
    taken = young(9).pay("9400", DAY, **TRANSFER)

    assert is_flagged(taken), described(taken)


@pytest.mark.parametrize(
    "changes", [{}, TRANSFER, THIEF, {"channel": "online"}, {"channel": "transfer", "payee_id": "p"}]
)
def test_large_first_payment_is_flagged(changes: dict[str, Any]) -> None:
    taken = Customer().pay("9400", **changes)

    assert is_flagged(taken), described(taken)


@pytest.mark.parametrize("payments", [1, 2, 4, 5, 9, 10, 11, 19, 20])
@pytest.mark.parametrize("every", [HOUR, DAY, 6 * DAY])
def test_large_transfer_is_flagged_after_any_small_number_of_payments(
    payments: int, every: timedelta
) -> None:
    taken = young(payments, every).pay("9400", every, **TRANSFER)

    assert is_flagged(taken), described(taken)


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("9400", "EUR"), ("8300", "CHF"), ("1400000", "JPY"), ("4900", "USD"), ("12000", "USD")],
)
def test_large_transfer_is_flagged_in_any_currency(amount: str, currency: str) -> None:
    taken = young(9).pay(amount, DAY, **TRANSFER, currency=currency)

    assert is_flagged(taken), described(taken)


@pytest.mark.parametrize(
    "kept",
    [
        {"device_id": "own-phone"},
        {"location": BERN},
        {"payee_id": None, "merchant_id": "bakery", "channel": "pos"},
        {"location": Location(country="BR")},
        {"location": None},
        {"device_id": None},
    ],
    ids=["own phone", "at home", "known shop", "country alone", "no place", "no device"],
)
def test_large_payment_after_nine_small_ones_is_flagged_where_only_a_part_is_new(
    kept: dict[str, Any],
) -> None:
    taken = young(9).pay("9400", DAY, **TRANSFER | kept)

    assert is_flagged(taken), described(taken)


@pytest.mark.parametrize("after", [timedelta(minutes=1), HOUR, DAY, 4 * DAY, 40 * DAY])
def test_large_transfer_that_was_flagged_is_flagged_again(after: timedelta) -> None:
    customer = young(9)

    taken = [customer.pay("9400", after, **TRANSFER) for _ in range(3)]

    assert all(map(is_flagged, taken)), described(*taken)


def test_large_first_payment_that_was_flagged_is_flagged_again_the_next_days() -> None:
    customer = Customer()

    taken = [customer.pay("9400", DAY) for _ in range(3)]

    assert all(map(is_flagged, taken)), described(*taken)


@pytest.mark.parametrize("dated", [23 * HOUR, 61 * DAY, -9 * timedelta(minutes=1), -30 * DAY])
@pytest.mark.parametrize("every", [HOUR, 3 * DAY])
def test_large_transfer_of_a_young_account_is_flagged_however_it_is_dated(
    dated: timedelta, every: timedelta
) -> None:
    """Dated before all that is usual, it has nothing to be compared with."""
    taken = young(9, every).pay("9400", every, dated, **TRANSFER)

    assert is_flagged(taken), described(taken)


def test_large_sum_in_slices_from_a_young_account_is_flagged_before_9400_are_gone() -> None:
    customer = young(9)

    taken = [customer.pay("1880", HOUR, **TRANSFER) for _ in range(5)]

    assert any(map(is_flagged, taken)), described(*taken)


@pytest.mark.parametrize(
    ("payments", "amount", "changes"),
    [
        (0, "30", {}),
        (0, "400", {"channel": "online"}),
        (3, "180", {"merchant_id": "supermarket"}),
        (9, "350", {"merchant_id": "furniture"}),
        (9, "60", {"device_id": "new-phone"}),
        (9, "120", {"payee_id": "landlord", "channel": "transfer", "merchant_id": None}),
        (9, "45", {"location": Location(latitude=45.46, longitude=9.19, country="IT", city="Milan")}),
    ],
)
def test_ordinary_payment_of_a_young_account_is_approved(
    payments: int, amount: str, changes: dict[str, Any]
) -> None:
    taken = young(payments).pay(amount, DAY, **changes)

    assert taken.decision is Decision.APPROVE, described(taken)
