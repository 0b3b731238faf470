"""Honest crowds that look like attacks which cross users, one function for each kind: many people, one payee, shop or address, at one time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from simulator.itinerary import DAY_US, HOUR_US, MINUTE_US

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.crowds.cast import Cast
    from simulator.payments import Payment
    from simulator.people import Person


def utilities(cast: Cast) -> list[Payment]:
    """Utilities are paid on their due date: every month, one payee, a hundred people, some of whom are new there."""
    payee, customers = cast.draws.token("payee"), cast.some(80, 140)
    return _bills(cast, payee, customers, cast.noons()[cast.draws.integer(4, 20) :: 30])


def new_supplier(cast: Cast) -> list[Payment]:
    """A supplier or a tax office has a new account: on one due date a hundred people with old habits pay it for the first time."""
    payee, customers, noons = cast.draws.token("payee"), cast.some(80, 140), cast.noons()
    first = cast.draws.integer(len(noons) // 2, max(len(noons) - 4, len(noons) // 2))
    return _bills(cast, payee, customers, noons[first::30])


def _bills(cast: Cast, payee: str, customers: list[Person], due_us: list[int]) -> list[Payment]:
    draws, found = cast.draws, []
    for noon_us in due_us:
        for one in customers:
            if draws.chance(0.9):
                usd = draws.lognormal(85, 0.35) * one.price_level
                at_us = noon_us + int(draws.uniform(-5, 8) * HOUR_US)
                found.append(cast.paid(one, at_us, cast.transfer(one, payee, usd)))
    return found


def payroll(cast: Cast) -> list[Payment]:
    """A payroll bureau: from one device and address, the wages of thirty small employers are paid every week, within hours."""
    draws, found = cast.draws, []
    bureau = {"device_id": draws.token("device"), "ip_address": cast.address()}
    employers = cast.some(20, 35)
    workers = {one.user_id: [draws.token("payee") for _ in range(draws.integer(1, 3))] for one in employers}
    for noon_us in cast.noons()[draws.integer(0, 6) :: 7]:
        for one in employers:
            at_us = noon_us + int(draws.uniform(-3, 3) * HOUR_US)
            for payee in workers[one.user_id]:
                usd = draws.lognormal(330, 0.1) * one.price_level
                found.append(cast.paid(one, at_us, cast.transfer(one, payee, usd, **bureau)))
                at_us += int(draws.uniform(10, 60) * 1_000_000)
    return found


def airport(cast: Cast) -> list[Payment]:
    """One address for a whole airport: all day long, people who are there once pay online through it."""
    draws, found = cast.draws, []
    city, address = cast.city(), cast.address()
    for noon_us in cast.noons():
        for one in cast.some(6, 14):
            category = draws.choice(("digital_goods", "transport", "online_retail", "entertainment"))
            usd = draws.lognormal(14, 0.6)
            draft = cast.web(one, category, usd, ip_address=address, location=f"{city.name}, {city.country}")
            at_us = noon_us + int(draws.uniform(-6, 8) * HOUR_US)
            found.append(cast.paid(one, at_us, draft))
    return found


def carrier_nat(cast: Cast) -> list[Payment]:
    """One address of a mobile carrier, behind which a hundred customers pay again and again from their phones."""
    draws, found = cast.draws, []
    address, customers = cast.address(), cast.some(60, 120)
    for noon_us in cast.noons():
        for one in draws.distinct(customers, draws.integer(5, 15)):
            category = draws.choice(("digital_goods", "transport", "restaurant", "online_retail"))
            draft = cast.web(one, category, draws.lognormal(11, 0.7) * one.price_level, ip_address=address)
            found.append(cast.paid(one, noon_us + int(draws.uniform(-5, 9) * HOUR_US), draft))
    return found


def vending(cast: Cast) -> list[Payment]:
    """A vending machine in a station or an office: micro amounts, most of them in the breaks, by people who come again."""
    draws, found = cast.draws, []
    city, shop, customers = cast.city(), draws.token("vending"), cast.some(40, 80)
    near = [one for one in cast.people if one.home.country == city.country] or customers
    regulars = draws.distinct(near, len(customers))
    for noon_us in cast.noons():
        for _ in range(draws.integer(5, 16)):
            one = draws.choice(regulars)
            pause_us = draws.choice((-2 * HOUR_US, 0, 0, 3 * HOUR_US))
            at_us = noon_us + pause_us + int(draws.uniform(0, 20) * MINUTE_US)
            draft = cast.shop(one, "vending", draws.uniform(0.8, 1.9), city, merchant_id=shop, location=None)
            found.append(cast.paid(one, at_us, draft))
    return found


def charity_appeal(cast: Cast) -> list[Payment]:
    """An appeal on television: within hours a hundred people give small round sums to a payee that nobody paid before."""
    draws, at_us, found = cast.draws, cast.begin_us(), []
    payee, shop = draws.token("payee"), draws.token("shop")
    by_card = draws.chance(0.5)
    for one in cast.some(70, 140):
        usd = draws.choice((2.0, 5.0, 5.0, 10.0, 10.0, 20.0, 50.0))
        draft = cast.web(one, "charity", usd, merchant_id=shop) if by_card else cast.transfer(one, payee, usd)
        found.append(cast.paid(one, at_us, draft))
        at_us += int(draws.uniform(5, 300) * 1_000_000)
    return found


def ticket_sale(cast: Cast) -> list[Payment]:
    """A concert's tickets go on sale: a hundred people pay one shop within a quarter of an hour, several of them for friends too."""
    draws, begin_us, found = cast.draws, cast.begin_us(), []
    shop, price = f"entertainment-web-{draws.integer(0, 79):02d}", draws.uniform(45, 130)
    for one in cast.some(80, 160):
        usd = price * draws.choice((1, 2, 2, 2, 4))
        at_us = begin_us + int(draws.uniform(0, 1) ** 2 * 15 * MINUTE_US)
        found.append(cast.paid(one, at_us, cast.web(one, "entertainment", usd, merchant_id=shop)))
    return found


def new_shop(cast: Cast) -> list[Payment]:
    """A new shop that becomes popular at once: nobody knows it, and within a week forty people a day pay there."""
    draws, begin_us, found = cast.draws, cast.begin_us(0.4, 0.8), []
    shop = draws.token("shop")
    for day in range(12):
        for one in cast.some(2 + 4 * min(day, 9), 6 + 5 * min(day, 9)):
            at_us = begin_us + day * DAY_US + int(draws.uniform(0, 14) * HOUR_US)
            usd = draws.lognormal(29, 0.6) * one.price_level
            draft = cast.web(one, "clothing", usd, merchant_id=shop)
            if at_us <= cast.calendar.ends_us:
                found.append(cast.paid(one, at_us, draft))
    return found


CROWDS: Final[dict[str, Callable[[Cast], list[Payment]]]] = {
    "utilities": utilities,
    "payroll": payroll,
    "airport": airport,
    "carrier_nat": carrier_nat,
    "vending": vending,
    "charity_appeal": charity_appeal,
    "ticket_sale": ticket_sale,
    "new_shop": new_shop,
    "new_supplier": new_supplier,
}
"""Every kind of honest crowd, by the name that ``Truth.oddness`` and reports use."""
