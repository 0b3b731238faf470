"""Where a person is at any time: at home, in another city, or travelling, when they cannot pay."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

import msgspec

from simulator.world import CITIES, City, cities_between, distance_km

if TYPE_CHECKING:
    from simulator.draws import Draws
    from simulator.people import Person

MINUTE_US: Final = 60_000_000
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US

_CRUISING_KMH: Final = 780.0
"""Approximate speed of an airliner from gate to gate."""

_MAX_TRAIN_KM: Final = 600.0
"""Up to this distance people take the train, at 150 km/h, and pay nothing on it. Beyond it they fly."""


class Trip(msgspec.Struct, frozen=True):
    """One journey: there, a stay, and back."""

    to: City
    leaves_us: int
    arrives_us: int
    returns_us: int
    """Departure for home."""
    back_us: int
    """Arrival at home."""
    booked_us: int
    """When the ticket is paid for; may be before the span."""

    @property
    def is_flight(self) -> bool:
        """Whether the journey is by air, from its travel time."""
        return self.arrives_us - self.leaves_us > (_MAX_TRAIN_KM / 150 + 1) * HOUR_US


class Itinerary:
    """A person's trips in a span, none of which overlap.

    Parameters
    ----------
    home : City
        Where the person is between trips.
    trips : list[Trip]
        In the order of time.
    """

    __slots__ = ("_leaves", "home", "trips")

    def __init__(self, home: City, trips: list[Trip]) -> None:
        self.home = home
        self.trips = trips
        self._leaves = [trip.leaves_us for trip in trips]

    def city_at(self, at_us: int) -> City | None:
        """Return the city where the person is at this time; None while travelling."""
        after = bisect_right(self._leaves, at_us)
        if after == 0:
            return self.home
        trip = self.trips[after - 1]
        if trip.arrives_us <= at_us < trip.returns_us:
            return trip.to
        return self.home if at_us >= trip.back_us else None


def travel_us(start: City, end: City) -> int:
    """Time from door to door, microseconds: by train up to 600 km, beyond that by air, time at the airports included."""
    distance = distance_km(start, end)
    hours = 1 + distance / 150 if distance <= _MAX_TRAIN_KM else 4 + distance / _CRUISING_KMH
    return int(hours * 3600) * 1_000_000


def plan(person: Person, draws: Draws, starts_us: int, ends_us: int) -> Itinerary:
    """Plan a person's trips within a span; each trip ends at least a day before the span does.

    Returns
    -------
    Itinerary
        Without trips if the span is shorter than 30 days, or if the person's ``dormancy`` is not ``active``.
    """
    days = (ends_us - starts_us) / DAY_US
    if days < 30 or person.dormancy != "active":
        return Itinerary(person.home, [])
    trips: list[Trip] = []
    free_from_us = starts_us + 2 * DAY_US
    count = int(person.trips * days / 90 + draws.unit())
    for number in range(count):
        # The rest of the span is divided evenly among the trips not yet planned.
        share_us = (ends_us - DAY_US - free_from_us) // (count - number)
        is_holiday = draws.chance(0.6)
        near = cities_between(person.home, 80, 800)
        to = draws.choice([city for city in CITIES if city is not person.home] if is_holiday else near)
        travel = travel_us(person.home, to)
        stay = int(draws.uniform(3, 11) * DAY_US) if is_holiday else int(draws.uniform(0.4, 3) * DAY_US)
        room = share_us - stay - 2 * travel
        if room <= 0:
            continue
        leaves = free_from_us + int(room * draws.unit())
        returns = leaves + travel + stay
        booked = leaves - int(draws.uniform(1, 40) * DAY_US)
        trips.append(Trip(to, leaves, leaves + travel, returns, returns + travel, booked))
        free_from_us = returns + travel + DAY_US
    return Itinerary(person.home, trips)
