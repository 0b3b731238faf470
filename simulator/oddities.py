"""Honest people who look odd, one function for each kind of oddness. Each returns what such a person pays besides their everyday payments.

A detector that knows only fraud flags all of them. So a red team's report counts beside the thieves' money what these people suffer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from simulator.itinerary import DAY_US, HOUR_US, MINUTE_US, travel_us
from simulator.payments import Draft, in_shop, ip_address, online, random_address, to_payee, usual_usd
from simulator.world import CITIES, COUNTRIES, City, cities_between, currency_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.draws import Draws
    from simulator.people import Person


class OddPayment(msgspec.Struct, frozen=True):
    """A payment out of the ordinary, before it has a user and an id."""

    arrives_us: int
    draft: Draft
    delay_us: int = 0
    """The payment is dated so much before it arrives; negative for a time ahead."""
    omitted: tuple[str, ...] = ()
    """Fields of the record that are left out."""
    changed: tuple[tuple[str, object], ...] = ()
    """Fields of the record that are written otherwise."""


class Odd:
    """A person, the days of the oddness, and what the functions below need to make payments.

    Parameters
    ----------
    person : Person
        Who pays; lives at home in these days.
    starts_us, ends_us : int
        The days, us since the epoch.
    draws : Draws
        For this person only.

    Attributes
    ----------
    away : list[tuple[int, int]]
        From when to when the person is not at home, so that everyday payments at home do not happen; us since the epoch.
    """

    def __init__(self, person: Person, starts_us: int, ends_us: int, draws: Draws) -> None:
        self.person = person
        self.starts_us = starts_us
        self.ends_us = ends_us
        self.draws = draws
        self.away: list[tuple[int, int]] = []
        self.address = ip_address(person.home, 7 * person.index)
        self.currency = currency_of(person.home)

    def days(self, share: float = 1.0) -> list[int]:
        """Local midnights of the days, a share of them drawn; us since the epoch."""
        offset_us = int(self.person.home.utc_offset_hours * HOUR_US)
        first = -(-(self.starts_us + offset_us) // DAY_US)
        last = (self.ends_us + offset_us) // DAY_US
        return [day * DAY_US - offset_us for day in range(first, last) if self.draws.chance(share)]

    def some_day(self) -> int:
        """Draw one of the days but the last; its local midnight."""
        return self.draws.choice(self.days()[:-1])

    def early_day(self) -> int:
        """Draw one of the first half of the days."""
        days = self.days()
        return self.draws.choice(days[: len(days) // 2])

    def shop(
        self, category: str, usd: float | None = None, city: City | None = None, **options: Any
    ) -> Draft:
        """Pay in a shop, at home by default."""
        where = city or self.person.home
        shift = self.person.home_shift if where is self.person.home else (0.0, 0.0)
        usd = self.usual(category, where) if usd is None else usd
        return in_shop(self.draws, where, shift, category, usd, self.person.cards[0], **options)

    def web(self, category: str, usd: float | None = None, **options: Any) -> Draft:
        """Pay online, from home and with the person's phone by default."""
        usual: dict[str, Any] = {"device": self.person.phone, "address": self.address}
        city = options.pop("city", self.person.home)
        usd = self.usual(category, self.person.home) if usd is None else usd
        return online(
            self.draws, city, category, usd, self.currency, card=self.person.cards[0], **usual | options
        )

    def transfer(self, payee: str, usd: float, **options: Any) -> Draft:
        """Transfer from home and with the person's phone by default."""
        usual: dict[str, Any] = {"device": self.person.phone, "address": self.address}
        city = options.pop("city", self.person.home)
        return to_payee(self.draws, city, usd, self.currency, payee, **usual | options)

    def usual(self, category: str, city: City) -> float:
        """Draw an amount that this person usually pays, US dollars."""
        is_home = city is self.person.home
        level = self.person.price_level if is_home else COUNTRIES[city.country].price_level
        return usual_usd(self.draws, category, level)


def taps(odd: Odd) -> list[OddPayment]:
    """Transport: each tap at a gate is a payment; often three or four within ten minutes."""
    draws, found = odd.draws, []
    category = draws.choice(("transport", "transport", "4111", "transit"))
    fare = draws.uniform(1.2, 1.9) * odd.person.price_level
    for midnight in odd.days(0.6):
        for hour in (7.5, 17.5):
            at_us = midnight + int(draws.uniform(hour, hour + 1) * HOUR_US)
            for _ in range(draws.integer(1, 4)):
                draft = msgspec.structs.replace(odd.shop("transport", fare, shop=3), category=category)
                found.append(OddPayment(at_us, draft))
                at_us += int(draws.uniform(2, 7) * MINUTE_US)
    return found


def traveller(odd: Odd) -> list[OddPayment]:
    """A tour of three or four countries, with hotels, cash, souvenirs and a flight between them."""
    draws, found, here = odd.draws, [], odd.person.home
    leaves_us = at_us = odd.early_day() + int(draws.uniform(8, 14) * HOUR_US)
    for _ in range(draws.integer(3, 4)):
        abroad = [city for city in cities_between(here, 300, 12_000) if city.country != here.country]
        there = draws.choice(abroad or CITIES)
        at_us += travel_us(here, there)
        here = there
        level = COUNTRIES[here.country].price_level
        found.append(OddPayment(at_us, odd.shop("hotel", draws.lognormal(290, 0.4) * level, here)))
        for _ in range(draws.integer(4, 9)):
            at_us += int(draws.uniform(0.4, 9) * HOUR_US)
            category = draws.choice(("restaurant", "coffee", "cash", "clothing", "jewellery", "transport"))
            found.append(OddPayment(at_us, odd.shop(category, city=here)))
        at_us += int(draws.uniform(2, 9) * HOUR_US)
    odd.away.append((leaves_us, at_us + travel_us(here, odd.person.home)))
    return [each for each in found if each.arrives_us < odd.ends_us]


def vpn(odd: Odd) -> list[OddPayment]:
    """A VPN all day: every payment online seems to come from another city."""
    draws, found = odd.draws, []
    for midnight in odd.days(0.6):
        at_us = midnight + int(draws.uniform(8, 22) * HOUR_US)
        city = draws.choice(CITIES)
        category = draws.choice(("online_retail", "digital_goods", "entertainment", "clothing"))
        draft = odd.web(category, city=city, address=random_address(draws, city))
        found.append(OddPayment(at_us, draft))
    return found


def shared_device(odd: Odd) -> list[OddPayment]:
    """The tablet of a family of four: people with neighbouring numbers pay on it."""
    family, draws, found = odd.person.index // 4, odd.draws, []
    for midnight in odd.days(0.3):
        at_us = midnight + int(draws.uniform(9, 22) * HOUR_US)
        category = draws.choice(("online_retail", "digital_goods", "entertainment"))
        found.append(OddPayment(at_us, odd.web(category, device=f"device-family-{family:x}")))
    return found


def shared_address(odd: Odd) -> list[OddPayment]:
    """An office: a hundred people pay for their lunch and their shopping from one address."""
    office, draws, found = odd.person.index // 100, odd.draws, []
    address = f"198.51.100.{office % 254 + 1}"
    for midnight in odd.days(0.5):
        at_us = midnight + int(draws.uniform(11.5, 14) * HOUR_US)
        category = draws.choice(("restaurant", "grocery", "online_retail"))
        found.append(OddPayment(at_us, odd.web(category, address=address)))
    return found


def family_on_card(odd: Odd) -> list[OddPayment]:
    """A second person pays with a card of the same account, some days in another town while its owner pays at home."""
    draws, found = odd.draws, []
    town = draws.choice(cities_between(odd.person.home, 60, 700))
    for midnight in odd.days(0.3):
        city = town if draws.chance(0.5) else odd.person.home
        at_us = midnight + int(draws.uniform(8, 18) * HOUR_US)
        for _ in range(draws.integer(1, 4)):
            category = draws.choice(("grocery", "restaurant", "fuel", "pharmacy", "clothing"))
            found.append(OddPayment(at_us, odd.shop(category, city=city)))
            at_us += int(draws.uniform(15, 120) * MINUTE_US)
    return found


def sale(odd: Odd) -> list[OddPayment]:
    """A sale that ends at midnight: eight orders in many shops within two hours, each larger than usual."""
    draws, found = odd.draws, []
    at_us = odd.some_day() + int(draws.uniform(19, 21) * HOUR_US)
    for _ in range(draws.integer(5, 10)):
        category = draws.choice(("online_retail", "clothing", "electronics", "furniture", "online_retail"))
        usd = odd.usual(category, odd.person.home) * draws.uniform(1, 2)
        found.append(OddPayment(at_us, odd.web(category, usd)))
        at_us += int(draws.uniform(3, 22) * MINUTE_US)
    return found


def night_subscriptions(odd: Odd) -> list[OddPayment]:
    """Subscriptions that are all charged in one night, within minutes, without a device."""
    draws, found = odd.draws, []
    prices = [draws.choice((0.99, 1.99, 4.99, 9.99, 12.99, 29.0)) for _ in range(draws.integer(3, 6))]
    for midnight in (odd.some_day(), odd.some_day()):
        at_us = midnight + int(draws.uniform(1, 4) * HOUR_US)
        for number, usd in enumerate(prices):
            draft = odd.web("digital_goods", usd, city=None, device=None, address=None, shop=number)
            draft = msgspec.structs.replace(draft, category="subscription")
            found.append(OddPayment(at_us, draft))
            at_us += int(draws.uniform(0.2, 6) * MINUTE_US)
    return found


def wrong_clock(odd: Odd) -> list[OddPayment]:
    """A shop's terminal with a wrong clock: hours off, on the first day of 2020, or offline for two days."""
    draws, found = odd.draws, []
    at_us = odd.days()[0]
    delay_us = draws.choice(
        (-11 * HOUR_US, 5 * HOUR_US, at_us - 1_577_836_800_000_000, 2 * DAY_US, -2 * DAY_US)
    )
    for midnight in odd.days(0.5):
        at_us = midnight + int(draws.uniform(8, 20) * HOUR_US)
        found.append(OddPayment(at_us, odd.shop("grocery", shop=5), delay_us=delay_us))
    return found


def new_phone(odd: Odd) -> list[OddPayment]:
    """A new phone, on which everything is tried at once: a transfer to a friend, apps, an order, the rent."""
    draws, person = odd.draws, odd.person
    at_us = odd.some_day() + int(draws.uniform(10, 19) * HOUR_US)
    usd = draws.uniform(60, 300) * person.price_level
    drafts = [
        odd.transfer(person.friends[0], usd, device=person.next_phone),
        odd.web("digital_goods", device=person.next_phone),
        odd.web("clothing", device=person.next_phone),
        *(
            odd.transfer(bill.to, bill.usd, device=person.next_phone)
            for bill in person.subscriptions
            if bill.is_transfer
        ),
    ]
    found = []
    for draft in draws.distinct(drafts, len(drafts)):
        found.append(OddPayment(at_us, draft))
        at_us += int(draws.uniform(0.2, 30) * HOUR_US)
    return found


def move_abroad(odd: Odd) -> list[OddPayment]:
    """A move to another country: a deposit to a new landlord, furniture, then daily life there, in another currency."""
    draws, person = odd.draws, odd.person
    there = draws.choice([city for city in CITIES if city.country != person.home.country])
    level = COUNTRIES[there.country].price_level * person.spending
    at_us = odd.days()[0] + int(draws.uniform(9, 18) * HOUR_US)
    landlord, address = draws.token("payee"), random_address(draws, there)
    found = [OddPayment(at_us, odd.transfer(landlord, 2 * 700 * level))]
    odd.away.append((at_us, odd.ends_us + DAY_US))
    at_us += travel_us(person.home, there)
    for _ in range(draws.integer(2, 4)):
        at_us += int(draws.uniform(2, 30) * HOUR_US)
        found.append(OddPayment(at_us, odd.shop("furniture", draws.lognormal(260, 0.5) * level, there)))
    while at_us < odd.ends_us:
        at_us += int(draws.uniform(2, 40) * HOUR_US)
        category = draws.choice(("grocery", "grocery", "restaurant", "coffee", "transport", "pharmacy"))
        found.append(OddPayment(at_us, odd.shop(category, city=there)))
        if draws.chance(0.2):
            found.append(OddPayment(at_us + HOUR_US, odd.web("online_retail", city=there, address=address)))
    return [each for each in found if each.arrives_us < odd.ends_us]


def salary_day(odd: Odd) -> list[OddPayment]:
    """The day the salary comes: rent, bills, savings and money sent home, all within some hours, then the week's shopping."""
    draws, person, found = odd.draws, odd.person, []
    level = person.price_level
    payees = [bill.to for bill in person.subscriptions if bill.is_transfer] + list(person.friends)
    at_us = odd.some_day() + int(draws.uniform(7, 11) * HOUR_US)
    for payee in [*payees[:4], draws.token("payee")]:
        found.append(OddPayment(at_us, odd.transfer(payee, draws.lognormal(190, 0.6) * level)))
        at_us += int(draws.uniform(1, 40) * MINUTE_US)
    for category in ("cash", "grocery", "clothing", "fuel"):
        at_us += int(draws.uniform(10, 90) * MINUTE_US)
        usd = odd.usual(category, person.home) * draws.uniform(1.2, 2.5)
        found.append(OddPayment(at_us, odd.shop(category, usd)))
    return found


def foreign_shop(odd: Odd) -> list[OddPayment]:
    """A shop in another country, online, while its customer pays in shops at home; its bank writes no channel or an unknown one."""
    draws, found = odd.draws, []
    for midnight in odd.days(0.25):
        at_us = midnight + int(draws.uniform(10, 20) * HOUR_US)
        city = draws.choice([city for city in CITIES if city.country != odd.person.home.country])
        draft = odd.web("online_retail", city=city, device=None, address=None)
        channel = draws.choice((None, "Online", "CNP-7", "???"))
        found.append(OddPayment(at_us, odd.shop("coffee")))
        found.append(
            OddPayment(
                at_us + int(draws.uniform(5, 50) * MINUTE_US),
                draft,
                omitted=("channel",) if channel is None else (),
                changed=() if channel is None else (("channel", channel),),
            )
        )
    return found


def large_purchase(odd: Odd) -> list[OddPayment]:
    """A car, a kitchen, a tax bill: once, many times what the person usually pays, with the usual phone."""
    draws = odd.draws
    at_us = odd.some_day() + int(draws.uniform(9, 19) * HOUR_US)
    usd = draws.lognormal(2_200, 0.5) * odd.person.price_level
    if draws.chance(0.5):
        return [OddPayment(at_us, odd.transfer(draws.token("payee"), usd))]
    return [OddPayment(at_us, odd.shop("furniture", usd))]


ODDITIES: Final[dict[str, Callable[[Odd], list[OddPayment]]]] = {
    "taps": taps,
    "traveller": traveller,
    "vpn": vpn,
    "shared_device": shared_device,
    "shared_address": shared_address,
    "family_on_card": family_on_card,
    "sale": sale,
    "night_subscriptions": night_subscriptions,
    "wrong_clock": wrong_clock,
    "new_phone": new_phone,
    "move_abroad": move_abroad,
    "salary_day": salary_day,
    "foreign_shop": foreign_shop,
    "large_purchase": large_purchase,
}
"""Every kind of oddness, by the name that ``Truth.oddness`` and reports use."""
