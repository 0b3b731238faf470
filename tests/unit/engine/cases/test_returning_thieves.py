"""Thieves who are patient or come back after they were stopped, by the default rules; and the victim, who goes on with their life."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contract.scored import Decision
from tests.support.customers import BERN, THIEF, Customer, described, established, is_flagged

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
AT_HOME: dict[str, Any] = {
    "device_id": "thiefs-laptop",
    "merchant_id": None,
    "payee_id": "mule",
    "location": BERN,
    "channel": "transfer",
}
"""A transfer that seems to come from the victim's town."""


def blocked() -> Customer:
    """A customer of whom a thief's payment was just blocked."""
    customer = established()
    taken = customer.pay("1500", **THIEF)
    assert taken.decision is Decision.BLOCK, described(taken)
    return customer


@pytest.mark.parametrize("small", [2, 3, 5])
@pytest.mark.parametrize("amount", ["300", "900", "2500"])
def test_large_transfer_to_a_payee_of_days_is_flagged_after_small_ones(small: int, amount: str) -> None:
    customer = established()
    for _ in range(small):
        assert not is_flagged(customer.pay("9", DAY, **AT_HOME))

    taken = customer.pay(amount, DAY, **AT_HOME)

    assert is_flagged(taken), described(taken)


def test_escalating_purchases_from_a_device_of_days_are_flagged_before_they_become_the_norm() -> None:
    customer = established()
    online: dict[str, Any] = {"device_id": "thiefs-laptop", "location": BERN, "channel": "online"}
    for number in range(3):
        customer.pay("9", DAY, merchant_id=f"shop-{number}", **online)

    taken = [
        customer.pay(str(350 + 50 * number), 8 * HOUR, merchant_id=f"shop-{number}", **online)
        for number in range(6)
    ]

    assert any(map(is_flagged, taken)), described(*taken)


@pytest.mark.parametrize("later", [HOUR, DAY, 6 * DAY, 20 * DAY])
@pytest.mark.parametrize("changed", [{"device_id": "other-laptop"}, {"location": BERN}, {"channel": "app"}])
def test_whoever_was_blocked_is_flagged_with_a_smaller_amount_too(
    later: timedelta, changed: dict[str, Any]
) -> None:
    customer = blocked()

    taken = customer.pay("240", later, **THIEF | changed)

    assert is_flagged(taken), described(taken)


def test_whoever_was_blocked_is_flagged_from_the_owners_own_phone() -> None:
    customer = blocked()

    taken = customer.pay(
        "240", 10 * MINUTE, device_id="own-phone", merchant_id="thiefs-shop", channel="online"
    )

    assert is_flagged(taken), described(taken)


def test_the_victim_of_a_theft_goes_on_with_everyday_payments() -> None:
    customer = blocked()

    taken = [customer.pay(amount, 3 * HOUR) for amount in ("38", "12", "51", "70")]

    assert not any(map(is_flagged, taken)), described(*taken)


def test_the_victim_pays_the_usual_landlord_from_a_new_phone() -> None:
    rent: dict[str, Any] = {"payee_id": "landlord", "merchant_id": None, "channel": "transfer"}
    customer = established()
    for _ in range(2):
        customer.pay("700", 30 * DAY, **rent)
    customer.pay("1500", DAY, **THIEF)

    taken = customer.pay("700", 29 * DAY, device_id="new-phone", **rent)

    assert "stopped_then_other_device" not in described(taken)
