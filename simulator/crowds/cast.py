"""The people of attacks and crowds that span users, and how they pay."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, Any, Final

import msgspec

from simulator.draws import Draws
from simulator.honest import Calendar, Life
from simulator.itinerary import DAY_US, HOUR_US
from simulator.payments import Draft, Payment, in_shop, ip_address, online, paid, random_address, to_payee
from simulator.people import Person, person
from simulator.world import CITIES, City, currency_of

if TYPE_CHECKING:
    from collections.abc import Iterable

JOURNEY_US: Final = 12 * HOUR_US
"""Between two countries."""

FIRST_EXTRA: Final = 2_000_000
"""Number of the first of the further users: beyond those of every other simulation of the seed."""


class Cast:
    """Further users of a simulation, as one attack or crowd sees them.

    Parameters
    ----------
    people : list[Person]
        All of them.
    calendar : Calendar
        The span.
    draws : Draws
        For this attack or crowd only.

    Attributes
    ----------
    around : list[Payment]
        Ordinary payments that an attack needs around it, such as the usual business of a shop.
    """

    def __init__(self, people: list[Person], calendar: Calendar, draws: Draws) -> None:
        self.people = people
        self.calendar = calendar
        self.draws = draws
        self.around: list[Payment] = []

    def some(self, low: int, high: int) -> list[Person]:
        """Draw between ``low`` and ``high`` of the people."""
        return self.draws.distinct(self.people, self.draws.integer(low, high))

    def begin_us(self, low: float = 0.4, high: float = 0.93) -> int:
        """Draw a time between two shares of the span: by default not before there are habits and usual rates."""
        return self.calendar.share_us(self.draws.uniform(low, high))

    def noons(self) -> list[int]:
        """Noons of the span in UTC, us since the epoch."""
        first, last = -(-self.calendar.starts_us // DAY_US), self.calendar.ends_us // DAY_US
        return [day * DAY_US + 12 * HOUR_US for day in range(first, last)]

    def city(self) -> City:
        """Draw a city."""
        return self.draws.choice(CITIES)

    def address(self) -> str:
        """Draw an address anywhere."""
        return random_address(self.draws, self.city())

    def web(self, one: Person, category: str, usd: float, **changes: Any) -> Draft:
        """Buy online with a person's card, phone and address; ``changes`` name other values of the draft's fields."""
        draft = online(
            self.draws, one.home, category, usd, currency_of(one.home), card=one.cards[0], device=one.phone,
            address=ip_address(one.home, 7 * one.index),
        )  # fmt: skip
        return msgspec.structs.replace(draft, **changes)

    def shop(self, one: Person, category: str, usd: float, city: City, **changes: Any) -> Draft:
        """Pay in a shop."""
        draft = in_shop(self.draws, city, (0.0, 0.0), category, usd, one.cards[0])
        return msgspec.structs.replace(draft, **changes)

    def transfer(self, one: Person, payee: str, usd: float, **changes: Any) -> Draft:
        """Transfer with a person's phone."""
        draft = to_payee(
            self.draws, one.home, usd, currency_of(one.home), payee, device=one.phone,
            address=ip_address(one.home, 7 * one.index),
        )  # fmt: skip
        return msgspec.structs.replace(draft, **changes)

    def paid(self, one: Person, at_us: int, draft: Draft, user_id: str | None = None) -> Payment:
        """Make a payment of this person, or of another user."""
        return paid(draft, user_id or one.user_id, at_us)


class Whereabouts:
    """Where people pay in honest life. Nobody is in two countries within hours, so whoever pays elsewhere is not in the crowd.

    Parameters
    ----------
    payments : Iterable[Payment]
        Their everyday payments.
    """

    def __init__(self, payments: Iterable[Payment]) -> None:
        self._known: dict[object, list[tuple[int, str]]] = {}
        for payment in payments:
            self.admits(payment)

    def admits(self, payment: Payment) -> bool:
        """Whether the user can have made a payment, as far as is known; if so, it is known from now on."""
        country = _country(payment)
        if country is None:
            return True
        known = self._known.setdefault(payment.record["user_id"], [])
        first = bisect_left(known, (payment.at_us - JOURNEY_US, ""))
        if any(there != country for at_us, there in known[first:] if at_us <= payment.at_us + JOURNEY_US):
            return False
        insort(known, (payment.at_us, country))
        return True


def _country(payment: Payment) -> str | None:
    match payment.record.get("location"):
        case {"country": str(country)}:
            return country
        case str(text):
            return text.rpartition(", ")[2]
        case _:
            return None


def further_people(seed: int, count: int) -> list[Person]:
    """Make people who are in no other simulation of this seed, and pay during the whole span."""
    found: list[Person] = []
    index = FIRST_EXTRA
    while len(found) < count:
        one = person(seed, index)
        index += 1
        if one.dormancy == "active":
            found.append(one)
    return found


def everyday(people: list[Person], seed: int, calendar: Calendar, payments: int) -> list[Payment]:
    """Make everyday payments, so many of each person."""
    return [
        payment
        for one in people
        for payment in Life(one, calendar, Draws("life", seed, one.index), settled=False).payments(payments)
    ]
