"""Attacks of which each user shows one small thing, and the honest crowds that look like them, by the default rules.

F: numbers are tried, each under a user id of its own. G: accounts that were taken over, or their deceived owners, pay one new payee.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.crossing_attacks import (
    ADDRESS,
    FOUND_BY,
    MINUTES,
    MONEY_COLLECTED,
    NUMBERS_TRIED,
    PAYMENTS,
    SECONDS,
    first_of_all_flagged,
    stolen,
    web_shop,
)
from tests.support.customers import described, is_flagged
from tests.support.town import RESIDENTS, Town, home_address, resident, warm_town

if TYPE_CHECKING:
    from tests.support.crossing_attacks import Payment


@pytest.fixture
def town() -> Town:
    """At two in the afternoon."""
    found = warm_town()
    found.now += timedelta(hours=14)
    return found


@pytest.mark.parametrize("variant", NUMBERS_TRIED)
def test_numbers_tried_under_many_user_ids_are_flagged_from_the_sixth_on_at_the_latest(
    town: Town, variant: str
) -> None:
    taken = [NUMBERS_TRIED[variant](town, number) for number in range(PAYMENTS)]

    assert first_of_all_flagged(taken) <= FOUND_BY, described(*taken)


@pytest.mark.parametrize("variant", MONEY_COLLECTED)
def test_money_collected_from_many_accounts_is_flagged_from_the_sixth_on_at_the_latest(
    town: Town, variant: str
) -> None:
    taken = [MONEY_COLLECTED[variant](town, number) for number in range(PAYMENTS)]

    assert first_of_all_flagged(taken) <= FOUND_BY, described(*taken)


APPEAL: Final = ("2", "5", "1", "10", "10", "20", "50")

HONEST: dict[str, Payment] = {
    "a vending machine": lambda town, number: town.in_shop(resident(number), "vending", "1.50", SECONDS),
    "a vending machine that is paid by an app": lambda town, number: town.pay(
        resident(number), "1.50", SECONDS, merchant_id="vending"
    ),
    "an airport": lambda town, number: town.pay(
        resident(number), ("14", "1.80", "25", "60")[number % 4], SECONDS,
        ip_address=ADDRESS, merchant_id=web_shop(number),
    ),
    "an airport of people who never paid before": lambda town, number: town.pay(
        stolen(number), ("14", "6", "25", "60")[number % 4], SECONDS,
        ip_address=ADDRESS, merchant_id=web_shop(number),
    ),
    "transfers from a hotel": lambda town, number: town.transfer(
        resident(number), f"landlord-of-{number}", "95", MINUTES, ip_address=ADDRESS
    ),
    "the power company": lambda town, number: town.transfer(
        resident(number), "power-company", "85", SECONDS
    ),
    "a power company that is new": lambda town, number: town.transfer(
        resident(number), "water-company", "85", SECONDS
    ),
    "a power company that is new, to which some pay from a new phone": lambda town, number: town.transfer(
        resident(number), "water-company", "85", SECONDS,
        device_id=f"phone-of-{resident(number)}" if number % 5 else f"new-{number}",
    ),
    "a power company that is new, whose first customers have large bills": lambda town, number: town.transfer(
        resident(number), "water-company", ("150", "180", "210", "150")[number] if number < 4 else "75", MINUTES
    ),
    "an appeal": lambda town, number: town.pay(
        resident(number), APPEAL[number % 7], SECONDS, merchant_id="appeal"
    ),
    "an appeal for transfers": lambda town, number: town.transfer(
        resident(number), "appeal", APPEAL[number % 7], SECONDS
    ),
    "tickets for a concert": lambda town, number: town.pay(
        resident(number), "95", SECONDS, merchant_id="tickets"
    ),
    "a new shop": lambda town, number: town.pay(resident(number), "30", MINUTES, merchant_id="new-shop"),
    "a new canteen in an office": lambda town, number: town.pay(
        resident(number), "4.50", SECONDS, merchant_id="canteen", ip_address=ADDRESS
    ),
}  # fmt: skip


@pytest.mark.parametrize("crowd", HONEST)
def test_an_honest_crowd_is_approved(town: Town, crowd: str) -> None:
    taken = [HONEST[crowd](town, number) for number in range(RESIDENTS)]

    assert not any(map(is_flagged, taken)), described(*taken)


def test_a_family_of_four_may_share_a_new_tablet_at_home(town: Town) -> None:
    home = home_address(resident(0))

    taken = [
        town.pay(
            resident(number % 4),
            ("20", "35", "8")[number % 3],
            timedelta(hours=5),
            device_id="tablet",
            ip_address=home,
            merchant_id=web_shop(number),
        )
        for number in range(24)
    ]

    assert not any(map(is_flagged, taken)), described(*taken)


def test_life_goes_on_after_an_attack(town: Town) -> None:
    """What the attack touched is used by honest people, too; nobody is flagged for being a customer of the same shop."""
    for variant in ("one merchant", "one address, a new device each"):
        for number in range(PAYMENTS):
            NUMBERS_TRIED[variant](town, number)

    taken = town.live(3)

    assert not any(map(is_flagged, taken)), described(*filter(is_flagged, taken))


def test_before_two_weeks_have_passed_nobody_knows_what_is_usual() -> None:
    town = Town()
    town.live(3)

    taken = [NUMBERS_TRIED["one address, no device"](town, number) for number in range(PAYMENTS)]

    assert not any(map(is_flagged, taken)), described(*taken)
