"""Single payments and the ways to pay: in a shop, at an ATM, online, to a payee.

Honest people and criminals pay through the same functions, so that the form of a record never reveals fraud.
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
"""How an amount ends: on any cent, on .99, on a sum that an ATM pays out, on a round figure."""

_PRICE_TAGS: Final = frozenset({"clothing", "online_retail", "electronics", "furniture", "jewellery"})

_ADDRESSES_PER_CITY: Final = 2_730
"""Addresses of each city, out of the 131,072 of 198.18.0.0/15. RFC 2544 reserves these, so nobody on the Internet has one."""


class Draft(msgspec.Struct, frozen=True):
    """A payment without a user, a time and an id."""

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
    """A payment with its time, before the simulation gives it an id."""

    at_us: int
    record: Record
    """Complete except for the id, which is empty text."""
    amount_base: float
    """In US dollars, to the cent."""
    scenario: str | None = None
    incident: int | None = None
    """Number of the attack within the simulation; None for an honest payment."""


def ip_address(city: City, number: int) -> str:
    """Return the city's IP address with this number."""
    host = CITIES.index(city) * _ADDRESSES_PER_CITY + number % _ADDRESSES_PER_CITY
    return f"198.{18 + host // 65_536}.{host // 256 % 256}.{host % 256}"


def random_address(draws: Draws, city: City) -> str:
    """Draw one of a city's IP addresses."""
    return ip_address(city, int(_ADDRESSES_PER_CITY * draws.unit()))


def ending(draws: Draws, category: str) -> Ending:
    """Draw how an amount of this category ends."""
    if category == "cash":
        return "banknotes"
    if category in _PRICE_TAGS and draws.chance(0.6):
        return "price tag"
    return "round" if category == "transfer" and draws.chance(0.4) else "any"


def rounded_usd(usd: float, currency: str, how: Ending) -> float:
    """Round an amount in the way usual for its currency; takes and returns US dollars."""
    if how == "any":
        return usd
    rate = USD_RATES[currency]
    # One "unit" is about ten dollars in round figures: 10 EUR, 100 MXN, 1,000 JPY, 10,000 KRW.
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
    """Pay with a card in a shop or at an ATM, in the local currency, at a place within about 2 km of the shift."""
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
    """Pay online with a card. The location is the city of the IP address; ``city`` is None where that is not known."""
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
    """Transfer money from an account. Some transfers have coordinates (the app), some only a city's name (the web bank)."""
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
    """Draw an amount that is usual in a category at a price level, US dollars."""
    kind = CATEGORY_BY_NAME[category]
    return draws.lognormal(kind.median_usd * level, kind.sigma)


def paid(
    draft: Draft, user_id: str, at_us: int, scenario: str | None = None, incident: int | None = None
) -> Payment:
    """Turn a draft into a record as on the wire; its id is still empty."""
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
