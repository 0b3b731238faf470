"""What honest people pay: by the hour of the day and the days since the salary, bills, trips, sales, new phones.

Some honest payments look like fraud on purpose, because a detector meets such payments: a sofa at ten times the usual
amount, five shops within an hour, a new landlord's deposit, coffee in Tokyo, an account that was unused for months.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import accumulate, cycle, islice
from typing import TYPE_CHECKING, Final

from simulator.itinerary import DAY_US, HOUR_US, Itinerary, plan
from simulator.payments import (
    Draft,
    Payment,
    in_shop,
    ip_address,
    online,
    paid,
    random_address,
    rounded_usd,
    to_payee,
    usual_usd,
)
from simulator.people import HOURS
from simulator.world import CATEGORIES, CITIES, COUNTRIES, City, currency_of

if TYPE_CHECKING:
    from simulator.draws import Draws
    from simulator.people import Person, Subscription

_ABROAD_WEIGHTS: Final = tuple(accumulate(category.abroad_weight for category in CATEGORIES))
_CATEGORY_INDEX: Final = {category.name: index for index, category in enumerate(CATEGORIES)}
_BIG_TICKET: Final = ("electronics", "furniture", "jewellery", "health")
_TOUR: Final = ("clothing", "clothing", "grocery", "coffee", "pharmacy", "restaurant", "electronics")
_FAIR: Final = ("vending", "vending", "coffee", "transport", "restaurant")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Calendar:
    """The span of a simulation, hour by hour, and how much is spent in each.

    Parameters
    ----------
    starts_us, ends_us : int
        Microseconds since the epoch, both included.
    """

    def __init__(self, starts_us: int, ends_us: int) -> None:
        self.starts_us = starts_us
        self.ends_us = ends_us
        self.hours = max(1, -(-(ends_us - starts_us) // HOUR_US))
        self._starts = _EPOCH + timedelta(microseconds=starts_us)
        self._rhythms: dict[int, list[float]] = {}

    def share_us(self, share: float) -> int:
        """Time at which this share of the span, 0 to 1, has passed."""
        return self.starts_us + int((self.ends_us - self.starts_us) * share)

    def rhythm(self, salary_day: int) -> list[float]:
        """Give every hour of the span a weight, by weekday and by the days since the salary was paid.

        Returns
        -------
        list[float]
            One weight, above 0, for each of ``hours``.
        """
        if salary_day not in self._rhythms:
            at = self._starts
            weights = []
            for _ in range(self.hours):
                since_salary = (at.day - salary_day) % 30
                flush = (
                    1.5
                    if since_salary < 4
                    else 1.1
                    if since_salary < 11
                    else 0.8
                    if since_salary > 21
                    else 1.0
                )
                weights.append(flush * (1.25 if at.weekday() >= 5 else 1.0))
                at += timedelta(hours=1)
            # The last hour may be shorter: the span ends within it.
            weights[-1] *= (self.ends_us - self.starts_us - (self.hours - 1) * HOUR_US) / HOUR_US or 1.0
            self._rhythms[salary_day] = weights
        return self._rhythms[salary_day]

    def months(self) -> list[datetime]:
        """First midnight of each month of the span, also of the month in which the span starts."""
        at = self._starts.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        found = []
        while at <= _EPOCH + timedelta(microseconds=self.ends_us):
            found.append(at)
            at = (at + timedelta(days=32)).replace(day=1)
        return found


class Life:
    """One person's honest payments over a span.

    Parameters
    ----------
    person : Person
        Who pays.
    calendar : Calendar
        The span.
    draws : Draws
        Used for this person and this simulation only.
    settled : bool
        True if the person's changes (a new phone, a move) happened before the span.
    """

    def __init__(self, person: Person, calendar: Calendar, draws: Draws, *, settled: bool) -> None:
        self.person = person
        self.itinerary: Itinerary = plan(person, draws, calendar.starts_us, calendar.ends_us)
        self._calendar = calendar
        self._draws = draws
        self._home_currency = currency_of(person.home)
        self._home_address = ip_address(person.home, 7 * person.index)
        never = calendar.ends_us + 1
        self._new_phone_us = self._change_us(person.changes_phone_at, settled, never)
        moves_at = person.moves_at if person.dormancy == "active" else None
        self._moves_us = self._change_us(moves_at, settled, never)

    def payments(self, count: int) -> list[Payment]:
        """Make exactly ``count`` payments in the order of time; ``count`` >= 0."""
        planned = self._planned()[: count // 2]
        planned += self._outings(count - len(planned))[: count - len(planned)]
        if count > len(planned):
            cumulative = self._hour_weights()
            planned += [self._everyday(self._time(cumulative)) for _ in range(count - len(planned))]
        planned.sort(key=lambda payment: payment.at_us)
        return planned

    def phone_at(self, at_us: int) -> str:
        """Return the phone that the person uses at this time."""
        return self.person.next_phone if at_us >= self._new_phone_us else self.person.phone

    def city_at(self, at_us: int) -> City:
        """Return the city where the person is; while travelling, their home city."""
        return self.itinerary.city_at(at_us) or self.person.home

    def _change_us(self, share: float | None, settled: bool, never: int) -> int:
        if share is None:
            return never
        return self._calendar.starts_us if settled else self._calendar.share_us(share)

    def _hour_weights(self) -> list[float]:
        calendar, person = self._calendar, self.person
        first_hour = int(calendar.starts_us // HOUR_US + person.home.utc_offset_hours) % 24
        by_hour = islice(cycle(HOURS[person.hours]), first_hour, first_hour + calendar.hours)
        weights = [
            flush * (hour + 0.05)
            for flush, hour in zip(calendar.rhythm(person.salary_day), by_hour, strict=True)
        ]
        for trip in self.itinerary.trips:
            for start_us, end_us in ((trip.leaves_us, trip.arrives_us), (trip.returns_us, trip.back_us)):
                first, last = self._hour(start_us), self._hour(end_us)
                weights[first : last + 1] = [0.0] * (last + 1 - first)
        self._sleep(weights)
        return list(accumulate(weights))

    def _sleep(self, weights: list[float]) -> None:
        # A dormant account pays nothing for weeks; a span under 50 days is too short for that.
        if self.person.dormancy == "active" or self._calendar.hours < 50 * 24:
            return
        sleeps = max(1, int(len(weights) * 0.35))
        wakes = int(len(weights) * 0.93) if self.person.dormancy == "wakes" else len(weights)
        weights[sleeps:wakes] = [0.0] * (wakes - sleeps)

    def _hour(self, at_us: int) -> int:
        return min(self._calendar.hours - 1, max(0, (at_us - self._calendar.starts_us) // HOUR_US))

    def _time(self, cumulative: list[float]) -> int:
        start_us = self._calendar.starts_us + self._draws.weighted(cumulative) * HOUR_US
        return start_us + int(
            (min(start_us + HOUR_US, self._calendar.ends_us) - start_us) * self._draws.unit()
        )

    def _everyday(self, at_us: int) -> Payment:
        city = self.city_at(at_us)
        is_home = city is self.person.home
        index = self._draws.weighted(self.person.category_weights if is_home else _ABROAD_WEIGHTS)
        return self._pay(at_us, city, CATEGORIES[index].name)

    def _pay(self, at_us: int, city: City, category: str, usd: float | None = None) -> Payment:
        draws, person = self._draws, self.person
        if usd is None:
            level = COUNTRIES[city.country].price_level if city is not person.home else person.price_level
            usd = usual_usd(draws, category, level)
            if category in _BIG_TICKET and draws.chance(0.06):
                usd *= draws.uniform(4, 12)
        if category == "transfer":
            draft = self._transfer(at_us, city, usd)
        elif draws.chance(self._online_share(category)):
            draft = self._online(at_us, city, category, usd)
        else:
            shops = person.habits[_CATEGORY_INDEX[category]].shops
            shop = draws.choice(shops) if city is person.home and draws.chance(0.85) else None
            shift = person.home_shift if city is person.home else (0.0, 0.0)
            draft = in_shop(draws, city, shift, category, usd, self._card(), shop)
        return paid(draft, person.user_id, at_us)

    def _online_share(self, category: str) -> float:
        share = CATEGORIES[_CATEGORY_INDEX[category]].online_share
        return share + self.person.online_bias if 0 < share < 1 else share

    def _card(self) -> str:
        cards = self.person.cards
        return cards[0] if len(cards) == 1 or self._draws.chance(0.75) else cards[1]

    def _address(self, city: City) -> str:
        return self._home_address if city is self.person.home else random_address(self._draws, city)

    def _device(self, at_us: int, city: City) -> str:
        laptop = self.person.laptop
        if laptop is not None and city is self.person.home and self._draws.chance(0.4):
            return laptop
        return self.phone_at(at_us)

    def _online(self, at_us: int, city: City, category: str, usd: float) -> Draft:
        draws, person = self._draws, self.person
        located_in: City | None = city
        address = self._address(city)
        if person.uses_vpn and draws.chance(0.1):
            located_in = draws.choice(CITIES)
            address = random_address(draws, located_in)
        elif draws.chance(0.2):
            located_in = None
        habit = person.habits[_CATEGORY_INDEX[category]]
        return online(
            draws,
            located_in,
            category,
            usd,
            self._home_currency if draws.chance(0.94) else draws.choice(("USD", "EUR")),
            card=self._card(),
            device=self._device(at_us, city),
            address=address,
            shop=draws.choice(habit.online_shops) if draws.chance(0.7) else None,
        )

    def _transfer(self, at_us: int, city: City, usd: float, payee: str | None = None) -> Draft:
        draws, person = self._draws, self.person
        if payee is None:
            payee = draws.choice(person.friends)
            if draws.chance(0.09):
                payee = f"payee-{int(draws.unit() * 2**40):010x}"
        return to_payee(
            draws, city, usd, self._home_currency, payee,
            device=self._device(at_us, city), address=self._address(city),
        )  # fmt: skip

    def _planned(self) -> list[Payment]:
        """Payments with a date of their own: bills, tickets, hotels, a new landlord's deposit."""
        found = [payment for bill in self.person.subscriptions for payment in self._bills(bill)]
        for trip in self.itinerary.trips:
            if trip.is_flight and trip.booked_us >= self._calendar.starts_us:
                usd = self._draws.lognormal(280, 0.45)
                found.append(self._booked(trip.booked_us, "airline", usd))
            hotel_us = trip.arrives_us + int(self._draws.uniform(0.5, 6) * HOUR_US)
            nights = max(1, (trip.returns_us - trip.arrives_us) // DAY_US)
            usd = nights * self._draws.lognormal(95, 0.35) * COUNTRIES[trip.to.country].price_level
            if hotel_us < trip.returns_us and self._draws.chance(0.8):
                draft = in_shop(self._draws, trip.to, (0.0, 0.0), "hotel", usd, self.person.cards[0])
                found.append(paid(draft, self.person.user_id, hotel_us))
        if self._calendar.starts_us < self._moves_us < self._calendar.ends_us:
            usd = self._draws.uniform(1.5, 3) * 700 * self.person.price_level
            draft = self._transfer(
                self._moves_us, self.city_at(self._moves_us), usd, self.person.next_landlord
            )
            found.append(paid(draft, self.person.user_id, self._moves_us))
        return self._draws.distinct(found, len(found))

    def _bills(self, bill: Subscription) -> list[Payment]:
        if self.person.dormancy != "active":
            return []
        found = []
        for month in self._calendar.months():
            hour = self._draws.uniform(5, 20)
            at_us = (month + timedelta(days=bill.day - 1) - _EPOCH) // timedelta(microseconds=1) + int(
                hour * HOUR_US
            )
            if not self._calendar.starts_us <= at_us <= self._calendar.ends_us:
                continue
            if bill.is_transfer:
                landlord = self.person.next_landlord if at_us >= self._moves_us else bill.to
                to = landlord if bill.category == "rent" else bill.to
                usd = bill.usd if bill.category == "rent" else bill.usd * self._draws.uniform(0.85, 1.2)
                draft = self._transfer(
                    at_us, self.person.home, rounded_usd(usd, self._home_currency, "any"), to
                )
                found.append(paid(draft, self.person.user_id, at_us))
            else:
                found.append(self._booked(at_us, bill.category, bill.usd, bill.to))
        return found

    def _booked(self, at_us: int, category: str, usd: float, merchant: str | None = None) -> Payment:
        """Pay by card in advance or by standing order; the payment has no location."""
        draft = Draft(
            usd=usd,
            currency=self._home_currency,
            channel="online",
            merchant_id=merchant or f"{category}-web-{self._draws.integer(0, 19):02d}",
            category=category,
            card_id=self.person.cards[0],
            device_id=None if merchant else self._device(at_us, self.person.home),
            ip_address=None if merchant else self._home_address,
        )
        return paid(draft, self.person.user_id, at_us)

    def _outings(self, count: int) -> list[Payment]:
        """Shopping tours and fairs: several payments within an hour or two, in many shops or of small amounts."""
        found: list[Payment] = []
        if count < 12 or self._calendar.hours < 72 or self.person.dormancy != "active":
            return found
        cumulative = self._hour_weights()
        for _ in range(count // 60 + self._draws.chance(count % 60 / 60)):
            at_us = self._time(cumulative)
            stops = _TOUR if self._draws.chance(0.6) else _FAIR
            for _ in range(self._draws.integer(3, 6)):
                city = self.itinerary.city_at(at_us)
                if city is None or at_us > self._calendar.ends_us:
                    break
                found.append(self._pay(at_us, city, self._draws.choice(stops)))
                at_us += int(self._draws.uniform(4, 25) * 60) * 1_000_000
        return found
