"""Attacks that cross users: each user, or each stolen number, does one small thing. One function for each kind; each makes one incident."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulator.itinerary import DAY_US, HOUR_US, MINUTE_US

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.crowds.cast import Cast
    from simulator.payments import Payment

_CARD_SHOPS: Final = ("digital_goods", "digital_goods", "charity", "entertainment")


def _micro_usd(cast: Cast) -> float:
    return cast.draws.uniform(0.5, 1.9) if cast.draws.chance(0.9) else cast.draws.uniform(1.9, 4.0)


def _numbers(cast: Cast, device: str | None, address: str | None, shops: list[str]) -> list[Payment]:
    """Try stolen numbers, each of an account of its own, some of which are known here; None: another one for each."""
    draws, at_us, found = cast.draws, cast.begin_us(), []
    has_devices = draws.chance(0.7)
    for one in cast.some(25, 60):
        draft = cast.web(
            one,
            "digital_goods",
            _micro_usd(cast),
            device_id=device or (draws.token("device") if has_devices else None),
            ip_address=address or cast.address(),
            merchant_id=draws.choice(shops),
        )
        user_id = None if draws.chance(0.5) else draws.token("user")
        found.append(cast.paid(one, at_us, draft, user_id))
        at_us += int(draws.uniform(3, 100) * 1_000_000)
    return found


def _shops(cast: Cast, low: int, high: int) -> list[str]:
    return [
        f"{cast.draws.choice(_CARD_SHOPS)}-web-{cast.draws.integer(0, 79):02d}"
        for _ in range(cast.draws.integer(low, high))
    ]


def numbers_by_device(cast: Cast) -> list[Payment]:
    """Numbers tried from one device, at several shops, each through another address."""
    return _numbers(cast, cast.draws.token("device"), None, _shops(cast, 2, 6))


def numbers_by_address(cast: Cast) -> list[Payment]:
    """Numbers tried from one address, at several shops; the device is new each time, or not sent."""
    return _numbers(cast, None, cast.address(), _shops(cast, 2, 6))


def numbers_by_merchant(cast: Cast) -> list[Payment]:
    """Numbers tried at one shop that does not check much, from a network of devices and addresses."""
    return _numbers(cast, None, None, _shops(cast, 1, 1))


def mule_payee(cast: Cast) -> list[Payment]:
    """A new payee is fed by many accounts within days: by victims on their own phones, or from the thieves' devices."""
    draws, at_us, found = cast.draws, cast.begin_us(), []
    payee, is_scam = draws.token("payee"), draws.chance(0.5)
    devices = [draws.token("device") for _ in range(draws.integer(2, 4))]
    for one in cast.some(12, 30):
        usd = draws.lognormal(260, 0.5) * one.price_level
        draft = cast.transfer(one, payee, usd)
        if not is_scam:
            draft = cast.transfer(one, payee, usd, device_id=draws.choice(devices), ip_address=cast.address())
        found.append(cast.paid(one, at_us, draft))
        at_us += int(draws.uniform(0.1, 4) * HOUR_US)
    return found


def device_farm(cast: Cast) -> list[Payment]:
    """One device works through many accounts: a few purchases of usual size from each, over some days."""
    draws, begin_us, found = cast.draws, cast.begin_us(), []
    device, address = draws.token("device"), cast.address()
    for one in cast.some(10, 25):
        at_us = begin_us + int(draws.uniform(0, 3) * DAY_US)
        user_id = None if draws.chance(0.6) else draws.token("user")
        for _ in range(draws.integer(1, 4)):
            category = draws.choice(("online_retail", "digital_goods", "electronics"))
            usd = draws.lognormal(45, 0.5) * one.price_level
            draft = cast.web(one, category, usd, device_id=device, ip_address=address)
            found.append(cast.paid(one, at_us, draft, user_id))
            at_us += int(draws.uniform(4, 90) * MINUTE_US)
    return found


def young_accounts(cast: Cast) -> list[Payment]:
    """A burst of accounts that were opened for it, at one merchant, within hours."""
    draws, at_us, found = cast.draws, cast.begin_us(), []
    shop = f"electronics-web-{draws.integer(0, 79):02d}"
    for one in cast.some(20, 40):
        user_id, device = draws.token("user"), draws.token("device")
        usd = draws.lognormal(130, 0.5)
        changes = {"merchant_id": shop, "device_id": device, "ip_address": cast.address()}
        draft = cast.web(one, "electronics", usd, card_id=draws.token("card"), **changes)
        found.append(cast.paid(one, at_us, draft, user_id))
        at_us += int(draws.uniform(0.5, 12) * MINUTE_US)
    return found


def changed_amounts(cast: Cast) -> list[Payment]:
    """A small shop online that suddenly charges its customers' cards with ten times as much, within a day."""
    draws, at_us, found = cast.draws, cast.begin_us(0.6), []
    shop, customers = draws.token("shop"), cast.some(25, 40)
    for one in customers:
        for _ in range(draws.integer(2, 5)):
            earlier_us = int(draws.uniform(cast.calendar.starts_us, at_us))
            draft = cast.web(one, "restaurant", draws.uniform(14, 32) * one.price_level, merchant_id=shop)
            cast.around.append(cast.paid(one, earlier_us, draft))
    for one in draws.distinct(customers, draws.integer(15, 25)):
        draft = cast.web(one, "restaurant", draws.uniform(160, 420) * one.price_level, merchant_id=shop)
        found.append(cast.paid(one, at_us, draft))
        at_us += int(draws.uniform(2, 60) * MINUTE_US)
    return found


ATTACKS: Final[dict[str, Callable[[Cast], list[Payment]]]] = {
    "numbers_by_device": numbers_by_device,
    "numbers_by_address": numbers_by_address,
    "numbers_by_merchant": numbers_by_merchant,
    "mule_payee": mule_payee,
    "device_farm": device_farm,
    "young_accounts": young_accounts,
    "changed_amounts": changed_amounts,
}
"""Every kind of attack that crosses users, by the name that ``Truth.scenario`` and reports use."""
