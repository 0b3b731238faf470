"""Attacks of which each user shows one small thing, and the honest crowds that look like them, by the default rules.

F: numbers are tried, each under a user id of its own. G: accounts that were taken over, or their deceived owners, pay one new payee.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.customers import described, is_flagged
from tests.support.town import RESIDENTS, WEB_SHOPS, Town, home_address, resident, warm_town

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.decide import Assessment

    Payment = Callable[[Town, int], Assessment]
    """Makes one payment of a crowd, given its number."""

FOUND_BY: Final = 6
"""The payment of an attack from which on all are flagged, at the latest."""
PAYMENTS: Final = 20
SECONDS: Final = timedelta(seconds=20)
MINUTES: Final = timedelta(minutes=10)
HALF_AN_HOUR: Final = timedelta(minutes=30)
DEVICE: Final = "thiefs-phone"
ADDRESS: Final = "203.0.114.7"


@pytest.fixture
def town() -> Town:
    """At two in the afternoon."""
    found = warm_town()
    found.now += timedelta(hours=14)
    return found


def stolen(number: int) -> str:
    """Name a user of whom nothing is known: a stolen number in an account that was opened for it."""
    return f"victim-{number}"


def elsewhere(number: int) -> str:
    """An address that nobody else has, in a network that nobody else is in."""
    return f"198.51.{number}.{7 * number % 250}"


def web_shop(number: int) -> str:
    return WEB_SHOPS[number % len(WEB_SHOPS)]


NUMBERS_TRIED: dict[str, Payment] = {
    "one device, one address, one merchant": lambda town, number: town.pay(
        stolen(number), "1.50", SECONDS, device_id=DEVICE, ip_address=ADDRESS, merchant_id="games"
    ),
    "the numbers of residents": lambda town, number: town.pay(
        resident(number), "1.50", SECONDS, device_id=DEVICE, ip_address=ADDRESS, merchant_id="games"
    ),
    "one device alone": lambda town, number: town.pay(
        stolen(number), "1.50", SECONDS, device_id=DEVICE, ip_address=elsewhere(number), merchant_id=web_shop(number)
    ),
    "one device alone, larger amounts": lambda town, number: town.pay(
        stolen(number), "3.50", SECONDS, device_id=DEVICE, ip_address=elsewhere(number), merchant_id=web_shop(number)
    ),
    "one device, and no channel or address named": lambda town, number: town.pay(
        stolen(number), "1.50", SECONDS, device_id=DEVICE, ip_address=None, channel=None, merchant_id=web_shop(number)
    ),
    "one address, a new device each": lambda town, number: town.pay(
        stolen(number), "1.50", SECONDS, device_id=f"new-{number}", ip_address=ADDRESS, merchant_id=web_shop(number)
    ),
    "one address, no device": lambda town, number: town.pay(
        stolen(number), "1.50", SECONDS, device_id=None, ip_address=ADDRESS, merchant_id=web_shop(number)
    ),
    "addresses of one /24": lambda town, number: town.pay(
        stolen(number), "1.50", SECONDS,
        device_id=f"new-{number}", ip_address=f"203.0.114.{number}", merchant_id=web_shop(number),
    ),
    "addresses of one /48": lambda town, number: town.pay(
        stolen(number), "1.50", SECONDS,
        device_id=f"new-{number}", ip_address=f"2001:db8:7:{number:x}::1", merchant_id=web_shop(number),
    ),
    "one merchant": lambda town, number: town.pay(
        stolen(number), "1.50", SECONDS,
        device_id=f"new-{number}", ip_address=elsewhere(number), merchant_id="games",
    ),
    "one merchant, and nothing else named": lambda town, number: town.pay(
        stolen(number), "1.50", SECONDS, device_id=None, ip_address=None, merchant_id="games"
    ),
    "one merchant that nobody knew": lambda town, number: town.pay(
        stolen(number), "1.50", SECONDS, device_id=None, ip_address=None, merchant_id="front"
    ),
    "one merchant, ten minutes between": lambda town, number: town.pay(
        stolen(number), "1.50", MINUTES,
        device_id=f"new-{number}", ip_address=elsewhere(number), merchant_id="games",
    ),
    "in yen": lambda town, number: town.pay(
        stolen(number), "210", SECONDS,
        currency="JPY", device_id=f"new-{number}", ip_address=elsewhere(number), merchant_id="games",
    ),
    "half an hour between": lambda town, number: town.pay(
        stolen(number), "1.50", HALF_AN_HOUR, device_id=DEVICE, ip_address=ADDRESS, merchant_id="games"
    ),
    "half an hour between, one address": lambda town, number: town.pay(
        stolen(number), "1.50", HALF_AN_HOUR,
        device_id=f"new-{number}", ip_address=ADDRESS, merchant_id=web_shop(number),
    ),
}  # fmt: skip


MONEY_COLLECTED: dict[str, Payment] = {
    "one device": lambda town, number: town.transfer(
        resident(number), "mule", "40", SECONDS, device_id=DEVICE, ip_address=ADDRESS
    ),
    "one device, half an hour between": lambda town, number: town.transfer(
        resident(number), "mule", "40", HALF_AN_HOUR, device_id=DEVICE, ip_address=ADDRESS
    ),
    "one device, an address each": lambda town, number: town.transfer(
        resident(number), "mule", "40", SECONDS, device_id=DEVICE, ip_address=elsewhere(number)
    ),
    "one device, a payee each": lambda town, number: town.transfer(
        resident(number), f"mule-{number}", "40", SECONDS, device_id=DEVICE, ip_address=ADDRESS
    ),
    "own phones, more than usual": lambda town, number: town.transfer(
        resident(number), "mule", "250", MINUTES
    ),
    "own phones, more than usual, hours between": lambda town, number: town.transfer(
        resident(number), "mule", "400", timedelta(hours=2)
    ),
    "own phones, more than usual, in euros": lambda town, number: town.transfer(
        resident(number), "mule", "220", MINUTES, currency="EUR"
    ),
    "no device or address named, more than usual": lambda town, number: town.transfer(
        resident(number), "mule", "250", MINUTES, device_id=None, ip_address=None
    ),
    "one address, no device": lambda town, number: town.transfer(
        resident(number), "mule", "60", SECONDS, device_id=None, ip_address=ADDRESS
    ),
    "one address, a new device each": lambda town, number: town.transfer(
        resident(number), "mule", "60", SECONDS, device_id=f"new-{number}", ip_address=ADDRESS
    ),
    "one address, a new device and a payee each": lambda town, number: town.transfer(
        resident(number), f"mule-{number}", "60", SECONDS, device_id=f"new-{number}", ip_address=ADDRESS
    ),
    "addresses of one /24, a new device each": lambda town, number: town.transfer(
        resident(number), "mule", "60", SECONDS,
        device_id=f"new-{number}", ip_address=f"203.0.114.{number}",
    ),
    "a new device and address each": lambda town, number: town.transfer(
        resident(number), "mule", "60", MINUTES, device_id=f"new-{number}", ip_address=elsewhere(number)
    ),
}  # fmt: skip


def first_of_all_flagged(taken: list[Assessment]) -> int:
    """The payment from which on all are flagged, counted from 1; one more than there are if the last is not."""
    approved = [number for number, each in enumerate(taken, 1) if not is_flagged(each)]
    return max(approved, default=0) + 1


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
