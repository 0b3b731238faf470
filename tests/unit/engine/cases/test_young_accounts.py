"""Attacks on accounts with a short history, by the default rules: without a norm of its own, the population's counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contract.scored import Decision
from contract.transaction import Location
from tests.support.customers import THIEF, Customer, described, is_flagged

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
