"""Attacks that cross users, variant by variant: each is a function that makes one of its payments in a town."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from tests.support.customers import is_flagged
from tests.support.town import WEB_SHOPS, Town, resident

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.decided import Assessment

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
