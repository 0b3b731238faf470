"""Attacks that cross users and are made to look like what is exempt: in person, from old addresses, to old payees, by new accounts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.crossing_attacks import (
    ADDRESS,
    FOUND_BY,
    HALF_AN_HOUR,
    MINUTES,
    MONEY_COLLECTED,
    NUMBERS_TRIED,
    PAYMENTS,
    SECONDS,
    elsewhere,
    first_of_all_flagged,
    stolen,
    web_shop,
)
from tests.support.customers import NO_TIME, described, is_flagged
from tests.support.town import RESIDENTS, Town, home_address, resident, warm_town

if TYPE_CHECKING:
    from engine.decided import Assessment
    from tests.support.crossing_attacks import Payment


class InPerson(Town):
    """A town in which all payments are said to be made in person."""

    channel: str = "pos"

    def pay(self, user_id: str, amount: str = "40", after: timedelta = NO_TIME, **changes: Any) -> Assessment:
        """Pay on that channel, whatever the payment says."""
        return super().pay(user_id, amount, after, **changes | {"channel": self.channel})


@pytest.fixture
def town() -> Town:
    """At two in the afternoon."""
    found = warm_town()
    found.now += timedelta(hours=14)
    return found


LOOKS_LIKE_A_TERMINAL: Final = {
    "one device, one address, one merchant",
    "the numbers of residents",
    "one address, no device",
    "one merchant, and nothing else named",
    "one merchant that nobody knew",
    "half an hour between",
}
"""Micro amounts at one merchant from one device or none: a vending machine. They cost nobody more than these."""


@pytest.mark.parametrize("channel", ["pos", "atm"])
@pytest.mark.parametrize("variant", sorted({*NUMBERS_TRIED, *MONEY_COLLECTED} - LOOKS_LIKE_A_TERMINAL))
def test_the_claim_to_pay_in_person_hides_no_attack_that_no_terminal_makes(
    town: Town, variant: str, channel: str
) -> None:
    town.__class__ = InPerson
    town.channel = channel  # type: ignore[attr-defined]
    payment = (NUMBERS_TRIED | MONEY_COLLECTED)[variant]

    taken = [payment(town, number) for number in range(PAYMENTS)]

    assert first_of_all_flagged(taken) <= FOUND_BY, described(*taken)


YOUNG_ACCOUNTS: dict[str, Payment] = {
    "to one payee": lambda town, number: town.transfer(
        stolen(number), "mule", "1900", MINUTES, device_id=f"new-{number}", ip_address=elsewhere(number)
    ),
    "to one payee, hours between": lambda town, number: town.transfer(
        stolen(number), "mule", "900", timedelta(hours=3), device_id=None, ip_address=None
    ),
    "behind one address": lambda town, number: town.pay(
        stolen(number), "1900", MINUTES,
        device_id=f"new-{number}", ip_address=ADDRESS, merchant_id=web_shop(number),
    ),
    "behind one address, said to be in person": lambda town, number: town.pay(
        stolen(number), "1900", MINUTES,
        device_id=f"new-{number}", ip_address=ADDRESS, merchant_id=web_shop(number), channel="pos",
    ),
    "at one new merchant": lambda town, number: town.pay(
        stolen(number), "1900", MINUTES,
        device_id=f"new-{number}", ip_address=elsewhere(number), merchant_id="front",
    ),
}  # fmt: skip


@pytest.mark.parametrize("variant", YOUNG_ACCOUNTS)
def test_large_first_payments_of_accounts_opened_for_stolen_numbers_are_flagged(
    town: Town, variant: str
) -> None:
    taken = [YOUNG_ACCOUNTS[variant](town, number) for number in range(PAYMENTS)]

    assert first_of_all_flagged(taken) <= FOUND_BY, described(*taken)


@pytest.mark.parametrize("amount", ["600", "900", "1400"])
def test_a_record_amount_of_each_customer_at_a_shop_opened_for_it_is_flagged(town: Town, amount: str) -> None:
    taken = [town.in_shop(resident(number), "front", amount, MINUTES) for number in range(PAYMENTS)]

    assert first_of_all_flagged(taken) <= FOUND_BY, described(*taken)


def test_a_new_ipv6_address_for_each_payment_hides_no_takeovers(town: Town) -> None:
    taken = [
        town.transfer(
            resident(number),
            f"mule-{number}",
            "70",
            timedelta(minutes=20),
            device_id=f"new-{number}",
            ip_address=f"2001:db8:7:1::{number + 1:x}",
        )
        for number in range(PAYMENTS)
    ]

    assert first_of_all_flagged(taken) <= FOUND_BY, described(*taken)


def test_an_address_that_paid_once_days_ago_hides_no_takeovers() -> None:
    town = warm_town()
    town.pay("throwaway", "2", ip_address=ADDRESS)
    town.live(4)

    taken = [
        town.pay(resident(number), "140", HALF_AN_HOUR, device_id=f"new-{number}", ip_address=ADDRESS)
        for number in range(PAYMENTS)
    ]

    assert first_of_all_flagged(taken) <= FOUND_BY, described(*taken)


def test_an_address_that_paid_once_days_ago_hides_no_numbers_that_are_tried_slowly() -> None:
    town = warm_town()
    town.pay("throwaway", "2", ip_address=ADDRESS)
    town.live(4)
    payment = NUMBERS_TRIED["half an hour between, one address"]

    taken = [payment(town, number) for number in range(PAYMENTS)]

    assert first_of_all_flagged(taken) <= FOUND_BY, described(*taken)


@pytest.mark.parametrize("prepared", [1, 3])
@pytest.mark.parametrize(
    "variant",
    [
        "own phones, more than usual",
        "a new device and address each",
        "no device or address named, more than usual",
    ],
)
def test_a_payee_that_was_paid_a_little_two_weeks_ago_collects_no_more_than_a_new_one(
    variant: str, prepared: int
) -> None:
    town = warm_town()
    for _ in range(prepared):
        town.transfer("throwaway", "mule", "2", SECONDS)
    town.live(15)

    taken = [MONEY_COLLECTED[variant](town, number) for number in range(PAYMENTS)]

    assert first_of_all_flagged(taken) <= FOUND_BY, described(*taken)


HONEST: dict[str, Payment] = {
    "a new terminal that is named as a device": lambda town, number: town.in_shop(
        resident(number), "new-shop", "18", MINUTES, device_id="till-1", ip_address=ADDRESS
    ),
    "a new vending machine whose terminal is named": lambda town, number: town.in_shop(
        resident(number), "vending", "1.50", SECONDS, device_id="till-1", ip_address=ADDRESS
    ),
    "a new cash machine, at no merchant": lambda town, number: town.in_shop(
        resident(number), "", "100", MINUTES, channel="atm", merchant_id=None, device_id="machine", ip_address=ADDRESS
    ),
    "strangers at the terminal of a new shop": lambda town, number: town.in_shop(
        stolen(number), "bakery", "150", MINUTES, device_id="till-2", ip_address=ADDRESS
    ),
    "a new shop for bicycles": lambda town, number: town.in_shop(
        resident(number), "bicycles", ("35", "480", "90", "420", "18")[number % 5], HALF_AN_HOUR
    ),
    "an appeal for transfers to people who never paid before": lambda town, number: town.transfer(
        stolen(number), "appeal", ("2", "50", "100", "10")[number % 4], SECONDS
    ),
    "a bill of the power company that some pay for the first time": lambda town, number: town.transfer(
        resident(number) if number % 8 else stolen(number), "power-company", "140", MINUTES
    ),
    "own phones at a friend's home": lambda town, number: town.pay(
        resident(number), "25", HALF_AN_HOUR, ip_address=home_address(resident(0))
    ),
}  # fmt: skip


@pytest.mark.parametrize("crowd", HONEST)
def test_an_honest_crowd_that_looks_like_them_is_approved(town: Town, crowd: str) -> None:
    taken = [HONEST[crowd](town, number) for number in range(RESIDENTS)]

    assert not any(map(is_flagged, taken)), described(*filter(is_flagged, taken))
