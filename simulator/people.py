"""Who pays: homes, habits, devices, cards, payees. A person depends only on the seed and the person's number."""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate
from typing import Final, Literal

import msgspec

from simulator.draws import Draws
from simulator.world import CATEGORIES, CITIES, COUNTRIES, MERCHANTS_ONLINE, MERCHANTS_PER_CITY, City

_HOME_WEIGHTS: Final = tuple(
    accumulate(
        COUNTRIES[city.country].home_weight / sum(other.country == city.country for other in CITIES)
        for city in CITIES
    )
)

HOURS: Final[tuple[tuple[int, ...], ...]] = (
    (1, 1, 0, 0, 0, 1, 4, 9, 10, 7, 6, 8, 12, 10, 7, 7, 9, 13, 14, 11, 8, 5, 3, 2),
    (1, 0, 0, 0, 1, 4, 9, 10, 9, 10, 11, 11, 11, 9, 9, 9, 9, 9, 7, 5, 3, 2, 1, 1),
    (9, 7, 5, 3, 1, 0, 0, 1, 2, 3, 5, 7, 9, 9, 8, 8, 8, 9, 10, 11, 12, 13, 13, 12),
)
"""How often people pay in each hour of local time, relative: commuters, early risers, night owls."""

Dormancy = Literal["active", "asleep", "wakes"]
"""``asleep``: stops paying for the rest of the span; ``wakes``: pays again near its end."""


class Habit(msgspec.Struct, frozen=True):
    """Shops where someone usually pays in one category, by number."""

    shops: tuple[int, ...]
    online_shops: tuple[int, ...]


class Subscription(msgspec.Struct, frozen=True):
    """A monthly payment on a fixed day, to a merchant or a payee: a subscription, rent, utilities."""

    category: str
    to: str
    usd: float
    day: int
    is_transfer: bool


class Person(msgspec.Struct, frozen=True):
    """One user: everything that their payments depend on."""

    index: int
    user_id: str
    home: City
    home_shift: tuple[float, float]
    """Degrees of latitude and longitude from the city's centre to the person's part of town."""
    hours: int
    """Which row of ``HOURS``."""
    activity: float
    """How often this person pays, relative to others."""
    spending: float
    """How much this person spends, relative to the price level at home."""
    online_bias: float
    """Added to a category's share of online payments; -0.3 to 0.3."""
    category_weights: tuple[float, ...]
    """Running sums, in the order of ``CATEGORIES``."""
    habits: tuple[Habit, ...]
    """In the order of ``CATEGORIES``."""
    cards: tuple[str, ...]
    phone: str
    next_phone: str
    laptop: str | None
    changes_phone_at: float | None
    """Share of the span after which ``next_phone`` is used; None if the phone stays."""
    salary_day: int
    subscriptions: tuple[Subscription, ...]
    moves_at: float | None
    """Share of the span after which the rent goes to ``next_landlord``; None if it never does."""
    next_landlord: str
    friends: tuple[str, ...]
    trips: int
    """Holidays or business trips in a span of 90 days."""
    dormancy: Dormancy
    uses_vpn: bool

    @property
    def price_level(self) -> float:
        """How much this person pays at home for the same kind of thing, relative to price level 1."""
        return COUNTRIES[self.home.country].price_level * self.spending


@lru_cache(maxsize=100_000)
def person(seed: int, index: int) -> Person:
    """Make the person with this number in the world of this seed.

    Returns
    -------
    Person
        The same for the same arguments, whichever other people are made.
    """
    draws = Draws("person", seed, index)
    user_id = f"user-{seed:x}x{index:05d}"
    home = CITIES[draws.weighted(_HOME_WEIGHTS)]
    price_level = COUNTRIES[home.country].price_level
    spending = draws.lognormal(1.0, 0.35)
    return Person(
        index=index,
        user_id=user_id,
        home=home,
        home_shift=(draws.uniform(-0.06, 0.06), draws.uniform(-0.06, 0.06)),
        hours=draws.weighted((6, 9, 10)),
        activity=draws.lognormal(1.0, 0.6),
        spending=spending,
        online_bias=draws.uniform(-0.3, 0.3),
        category_weights=tuple(
            accumulate(category.weight * draws.uniform(0.3, 1.7) for category in CATEGORIES)
        ),
        habits=tuple(_habit(draws) for _ in CATEGORIES),
        cards=tuple(draws.token("card") for _ in range(1 if draws.chance(0.65) else 2)),
        phone=draws.token("device"),
        next_phone=draws.token("device"),
        laptop=draws.token("device") if draws.chance(0.55) else None,
        changes_phone_at=draws.uniform(0.2, 0.98) if draws.chance(0.14) else None,
        salary_day=draws.choice((1, 1, 15, 25, 25, 28)),
        subscriptions=_subscriptions(draws, price_level * spending),
        moves_at=draws.uniform(0.3, 0.95) if draws.chance(0.05) else None,
        next_landlord=draws.token("payee"),
        friends=tuple(draws.token("payee") for _ in range(draws.integer(1, 5))),
        trips=draws.weighted((62, 90, 100)),
        dormancy=_DORMANCIES[draws.weighted((93, 98, 100))],
        uses_vpn=draws.chance(0.04),
    )


_DORMANCIES: Final[tuple[Dormancy, ...]] = ("active", "asleep", "wakes")


def _habit(draws: Draws) -> Habit:
    unit = draws.unit
    return Habit(
        shops=tuple(int(MERCHANTS_PER_CITY * unit()) for _ in range(1 + int(3 * unit()))),
        online_shops=tuple(int(MERCHANTS_ONLINE * unit()) for _ in range(1 + int(2 * unit()))),
    )


def _subscriptions(draws: Draws, level: float) -> tuple[Subscription, ...]:
    found = []
    if draws.chance(0.45):
        rent = round(draws.lognormal(700, 0.3) * level, -1)
        found.append(Subscription("rent", draws.token("payee"), rent, draws.integer(1, 5), is_transfer=True))
    if draws.chance(0.8):
        bill = draws.lognormal(85, 0.3) * level
        found.append(
            Subscription("utilities", draws.token("payee"), bill, draws.integer(5, 20), is_transfer=True)
        )
    for _ in range(draws.integer(0, 2)):
        shop = f"subscription-web-{draws.integer(0, 19):02d}"
        price = draws.choice((4.99, 9.99, 12.99, 15.99, 29.0))
        found.append(Subscription("subscription", shop, price, draws.integer(1, 28), is_transfer=False))
    return tuple(found)
