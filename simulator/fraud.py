"""The simulated attacks, one function for each kind of fraud. Each returns the payments a criminal makes in a victim's name.

Attacks are not easy to detect: amounts overlap with honest ones, some account takeovers come from the victim's own
country, some drains from the victim's own phone. Each follows the order of events that the industry describes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from simulator.draws import Draws
from simulator.payments import (
    Draft,
    in_shop,
    ip_address,
    online,
    random_address,
    to_payee,
)
from simulator.people import Person
from simulator.world import CITIES, City, cities_between, currency_of

if TYPE_CHECKING:
    from collections.abc import Callable


_THRESHOLDS_USD: Final = (1_000.0, 3_000.0, 5_000.0, 10_000.0)
"""Reporting limits; structuring keeps its amounts just below one of them."""


class Scene(msgspec.Struct, frozen=True):
    """The victim and the circumstances at the time of the attack."""

    person: Person
    city: City
    """Where the victim is."""
    phone: str
    draws: Draws

    @property
    def level(self) -> float:
        """The victim's price level; a criminal keeps amounts plausible for this account."""
        return self.person.price_level

    @property
    def currency(self) -> str:
        """Currency of the victim's account, ISO 4217."""
        return currency_of(self.person.home)

    def far_city(self, low_km: float = 1_500.0) -> City:
        """Draw a city at least ``low_km`` from the victim."""
        return self.draws.choice(cities_between(self.city, low_km, 25_000))


class Step(msgspec.Struct, frozen=True):
    """One payment of an attack."""

    after_s: float
    """Seconds since the attack began."""
    draft: Draft


def card_testing(scene: Scene) -> list[Step]:
    """Try a stolen number with micro amounts at many small shops, then pay a large amount."""
    draws, city = scene.draws, scene.far_city() if scene.draws.chance(0.5) else None
    device = draws.token("device") if draws.chance(0.6) else None
    address = random_address(draws, city or draws.choice(CITIES))
    card = draws.choice(scene.person.cards)
    steps, after = [], 0.0

    def buy(category: str, usd: float) -> Draft:
        return online(draws, city, category, usd, scene.currency, card=card, device=device, address=address)

    for _ in range(draws.integer(6, 13)):
        category = draws.choice(("digital_goods", "charity", "digital_goods", "entertainment"))
        usd = draws.uniform(0.4, 1.9) if draws.chance(0.88) else draws.uniform(1.9, 4.0)
        steps.append(Step(after, buy(category, usd)))
        after += draws.uniform(15, 110)
    for _ in range(draws.integer(1, 2)):
        after += draws.uniform(120, 1_200)
        steps.append(Step(after, buy("electronics", draws.lognormal(420 * scene.level, 0.4))))
    return steps


def account_takeover(scene: Scene) -> list[Step]:
    """Log in from a new device, mostly from abroad, and transfer large amounts to a new payee."""
    draws = scene.draws
    abroad = draws.choice(tuple(city for city in CITIES if city.country != scene.person.home.country))
    city = abroad if draws.chance(0.7) else draws.choice(cities_between(scene.person.home, 50, 900))
    device, payee, address = draws.token("device"), draws.token("payee"), random_address(draws, city)
    usd = draws.lognormal(850 * scene.level, 0.5)
    steps, after = [], 0.0
    for _ in range(draws.integer(1, 3)):
        draft = to_payee(draws, city, usd, scene.currency, payee, device=device, address=address)
        steps.append(Step(after, draft))
        after += draws.uniform(90, 2_400)
        usd *= draws.uniform(0.7, 1.6)
    return steps


def impossible_travel(scene: Scene) -> list[Step]:
    """Pay with a cloned card in a far city, 10 to 70 minutes after the victim paid in a shop."""
    draws, city = scene.draws, scene.far_city(1_800)
    shift = (draws.uniform(-0.05, 0.05), draws.uniform(-0.05, 0.05))
    steps, after = [], draws.uniform(600, 4_200)
    for _ in range(draws.integer(1, 3)):
        category = draws.choice(("electronics", "clothing", "jewellery", "cash", "grocery", "fuel"))
        usd = draws.lognormal(140 * scene.level, 0.6)
        steps.append(Step(after, in_shop(draws, city, shift, category, usd, scene.person.cards[0])))
        after += draws.uniform(240, 1_800)
    return steps


def velocity_burst(scene: Scene) -> list[Step]:
    """Pay with a stolen number as often as possible before it is blocked."""
    draws = scene.draws
    city = scene.city if draws.chance(0.5) else scene.far_city(300)
    device = draws.token("device") if draws.chance(0.5) else scene.phone
    address, card = random_address(draws, city), draws.choice(scene.person.cards)
    steps, after = [], 0.0
    for _ in range(draws.integer(7, 13)):
        category = draws.choice(
            ("online_retail", "digital_goods", "electronics", "clothing", "online_retail")
        )
        usd = draws.lognormal(60 * scene.level, 0.6)
        steps.append(
            Step(
                after,
                online(draws, city, category, usd, scene.currency, card=card, device=device, address=address),
            )
        )
        after += draws.uniform(20, 150)
    return steps


def new_payee_drain(scene: Scene) -> list[Step]:
    """Empty an account in several transfers to one new payee, often from the phone of a victim who was talked into it."""
    draws = scene.draws
    is_own_phone = draws.chance(0.6)
    device = scene.phone if is_own_phone else draws.token("device")
    city = scene.city if is_own_phone else draws.choice(cities_between(scene.person.home, 50, 2_000))
    address = (
        ip_address(scene.person.home, 7 * scene.person.index) if is_own_phone else random_address(draws, city)
    )
    payee = draws.token("payee")
    steps, after = [], 0.0
    for _ in range(draws.integer(3, 6)):
        usd = draws.lognormal(480 * scene.level, 0.5)
        draft = to_payee(draws, city, usd, scene.currency, payee, device=device, address=address)
        steps.append(Step(after, draft))
        after += draws.uniform(120, 1_500)
    return steps


def dormant_awakened(scene: Scene) -> list[Step]:
    """Spend from an account that has had no payments for months."""
    draws = scene.draws
    city = scene.city if draws.chance(0.4) else scene.far_city(200)
    device = draws.token("device") if draws.chance(0.7) else scene.phone
    address, card = random_address(draws, city), draws.choice(scene.person.cards)
    steps, after = [], 0.0
    for _ in range(draws.integer(2, 4)):
        category = draws.choice(("electronics", "online_retail", "jewellery", "clothing"))
        usd = draws.lognormal(330 * scene.level, 0.5)
        steps.append(
            Step(
                after,
                online(draws, city, category, usd, scene.currency, card=card, device=device, address=address),
            )
        )
        after += draws.uniform(300, 7_200)
    return steps


def structuring(scene: Scene) -> list[Step]:
    """Move a large sum in several transfers, each just below a reporting limit."""
    draws = scene.draws
    limit = _THRESHOLDS_USD[draws.weighted((6, 9, 10) if scene.level > 0.6 else (9, 10))]
    payees = [draws.token("payee") for _ in range(draws.integer(1, 2))]
    address = ip_address(scene.person.home, 7 * scene.person.index)
    steps, after = [], 0.0
    for _ in range(draws.integer(3, 6)):
        usd = limit * draws.uniform(0.958, 0.995)
        draft = to_payee(
            draws, scene.city, usd, scene.currency, draws.choice(payees),
            device=scene.phone, address=address, is_exact=True,
        )  # fmt: skip
        steps.append(Step(after, draft))
        after += draws.uniform(1_800, 50_000)
    return steps


def stolen_card(scene: Scene) -> list[Step]:
    """Pay with a stolen card in shops that its owner does not use: a small amount first, then larger ones."""
    draws = scene.draws
    city = scene.city if draws.chance(0.35) else draws.choice(cities_between(scene.city, 60, 700))
    shift = (draws.uniform(-0.08, 0.08), draws.uniform(-0.08, 0.08))
    card = draws.choice(scene.person.cards)
    steps = [Step(0.0, in_shop(draws, city, shift, "fuel", draws.uniform(8, 40) * scene.level, card))]
    after, usd = 0.0, draws.uniform(110, 280) * scene.level
    for _ in range(draws.integer(3, 6)):
        after += draws.uniform(300, 2_700)
        category = draws.choice(("electronics", "clothing", "jewellery", "cash", "electronics"))
        steps.append(Step(after, in_shop(draws, city, shift, category, usd, card)))
        usd *= draws.uniform(0.9, 1.8)
    return steps


def high_amount(scene: Scene) -> list[Step]:
    """Pay once, far more than the victim usually pays."""
    draws = scene.draws
    card = draws.choice(scene.person.cards)
    category = draws.choice(("electronics", "jewellery", "furniture"))
    usd = draws.lognormal(1_900 * scene.level, 0.5)
    if draws.chance(0.35):
        return [Step(0.0, in_shop(draws, scene.city, (0.0, 0.0), category, usd, card))]
    device = draws.token("device") if draws.chance(0.6) else scene.phone
    address = random_address(draws, scene.city)
    draft = online(
        draws, scene.city, category, usd, scene.currency, card=card, device=device, address=address
    )
    return [Step(0.0, draft)]


SCENARIOS: Final[dict[str, Callable[[Scene], list[Step]]]] = {
    "card_testing": card_testing,
    "account_takeover": account_takeover,
    "impossible_travel": impossible_travel,
    "velocity_burst": velocity_burst,
    "new_payee_drain": new_payee_drain,
    "dormant_awakened": dormant_awakened,
    "structuring": structuring,
    "stolen_card": stolen_card,
    "high_amount": high_amount,
}
"""Every kind of fraud, by the name that ``Truth.scenario`` and reports use."""
