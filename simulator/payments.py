"""One payment before it has a time and an id, and the ways to make it: in a shop, online, at an ATM, to a payee.

Legitimate people and criminals pay through the same four functions, so that no form of a record gives fraud away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from contract.truth import Record
from simulator.records import money, place, timestamp_text
from simulator.world import (
    CATEGORY_BY_NAME,
    CITIES,
    MERCHANTS_ONLINE,
    MERCHANTS_PER_CITY,
    USD_RATES,
    City,
    currency_of,
    shop_in,
    shop_online,
)

if TYPE_CHECKING:
    from simulator.draws import Draws

Ending = Literal["any", "price tag", "banknotes", "round"]
"""What an amount ends with: any cent, .99, what an ATM gives out, a round figure."""

_PRICE_TAGS: Final = frozenset({"clothing", "online_retail", "electronics", "furniture", "jewellery"})

_ADDRESSES_PER_CITY: Final = 2_730
"""So many of the 131,072 addresses of 198.18.0.0/15 belong to each city; RFC 2544 keeps them off the Internet."""


class Draft(msgspec.Struct, frozen=True):
    """A payment that needs only a time, a user and an id."""

    usd: float
    currency: str
    channel: str
    location: dict[str, object] | str | None = None
    merchant_id: str | None = None
    category: str | None = None
    card_id: str | None = None
    device_id: str | None = None
    ip_address: str | None = None
    payee_id: str | None = None


class Payment(msgspec.Struct, frozen=True):
    """A payment with its time, as the simulation sorts it."""

    at_us: int
    record: Record
    """Complete but for the id, whose place is taken by an empty text."""
    amount_base: float
    scenario: str | None = None
    incident: int | None = None


def ip_address(city: City, number: int) -> str:
    """Give an address that belongs to a city; ``number`` tells the city's addresses apart."""
    host = CITIES.index(city) * _ADDRESSES_PER_CITY + number % _ADDRESSES_PER_CITY
    return f"198.{18 + host // 65_536}.{host // 256 % 256}.{host % 256}"


def random_address(draws: Draws, city: City) -> str:
    """Draw one of a city's addresses."""
    return ip_address(city, int(_ADDRESSES_PER_CITY * draws.unit()))


def ending(draws: Draws, category: str) -> Ending:
    """Draw what an amount of this category ends with."""
    if category == "cash":
        return "banknotes"
    if category in _PRICE_TAGS and draws.chance(0.6):
        return "price tag"
    return "round" if category == "transfer" and draws.chance(0.4) else "any"


def rounded_usd(usd: float, currency: str, how: Ending) -> float:
    """Bring an amount to a usual figure of its own currency, and give it back in dollars."""
    if how == "any":
        return usd
    rate = USD_RATES[currency]
    # One "unit" is what ten dollars are in round figures: 10 EUR, 100 MXN, 1,000 JPY, 10,000 KRW.
    unit = 10.0
    while unit * 4 < rate * 10:
        unit *= 10
    local = usd * rate
    if how == "banknotes":
        return max(1, round(local / (2 * unit))) * 2 * unit / rate
    if how == "round":
        return max(1, round(local / unit)) * unit / rate
    return (max(1, round(local / (unit / 10))) * (unit / 10) - unit / 1000) / rate


def in_shop(
    draws: Draws,
    city: City,
    shift: tuple[float, float],
    category: str,
    usd: float,
    card: str,
    shop: int | None = None,
) -> Draft:
    """Pay with a card in a shop: in the currency of the place, located to a few hundred metres."""
    currency = currency_of(city)
    number = int(MERCHANTS_PER_CITY * draws.unit()) if shop is None else shop
    where = place(city, shift[0] + draws.uniform(-0.02, 0.02), shift[1] + draws.uniform(-0.02, 0.02))
    return Draft(
        usd=rounded_usd(usd, currency, ending(draws, category)),
        currency=currency,
        channel="atm" if category == "cash" else "pos",
        location=where,
        merchant_id=shop_in(category, city, number),
        category=category,
        card_id=card,
    )


def online(
    draws: Draws, city: City | None, category: str, usd: float, currency: str, *,
    card: str, device: str | None, address: str | None, shop: int | None = None,
) -> Draft:  # fmt: skip
    """Pay online with a card: located by the network address, to a city; ``city`` None where that is not known."""
    number = int(MERCHANTS_ONLINE * draws.unit()) if shop is None else shop
    return Draft(
        usd=rounded_usd(usd, currency, ending(draws, category)),
        currency=currency,
        channel="online",
        location=None if city is None else place(city, 0.0, 0.0),
        merchant_id=shop_online(category, number),
        category=category,
        card_id=card,
        device_id=device,
        ip_address=address,
    )


def to_payee(
    draws: Draws,
    city: City,
    usd: float,
    currency: str,
    payee: str,
    *,
    device: str,
    address: str,
    is_exact: bool = False,
) -> Draft:
    """Transfer money from an account: the app sends coordinates, the web bank only a city's name."""
    return Draft(
        usd=usd if is_exact else rounded_usd(usd, currency, ending(draws, "transfer")),
        currency=currency,
        channel="transfer",
        location=f"{city.name}, {city.country}" if draws.chance(0.35) else place(city, 0.0, 0.0),
        category="transfer",
        device_id=device,
        ip_address=address,
        payee_id=payee,
    )


def usual_usd(draws: Draws, category: str, level: float) -> float:
    """Draw what somebody pays in a category at a price level, US dollars."""
    kind = CATEGORY_BY_NAME[category]
    return draws.lognormal(kind.median_usd * level, kind.sigma)


def paid(
    draft: Draft, user_id: str, at_us: int, scenario: str | None = None, incident: int | None = None
) -> Payment:
    """Make the wire's record of a draft, its id still empty."""
    amount, amount_base = money(draft.usd, draft.currency)
    record: Record = {
        "transaction_id": "",
        "user_id": user_id,
        "amount": amount,
        "currency": draft.currency,
        "timestamp": timestamp_text(at_us),
    }
    for field, value in (
        ("location", draft.location),
        ("merchant_id", draft.merchant_id),
        ("merchant_category", draft.category),
        ("channel", draft.channel),
        ("card_id", draft.card_id),
        ("device_id", draft.device_id),
        ("ip_address", draft.ip_address),
        ("payee_id", draft.payee_id),
    ):
        if value is not None:
            record[field] = value
    return Payment(at_us, record, amount_base, scenario, incident)
