"""A town whose customers pay at the same shops, with the same utility and behind the same addresses, judged by the default rules.

Each payment is decided with what is known of its user and, across users, of its card, device, address, merchant and payee.
"""

from __future__ import annotations

import pickle
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any, Final

from contract.clock import EPOCH, MILLISECOND, times_of
from contract.entity_ids import entity_ids
from contract.scored import Decision, Position
from contract.transaction import Transaction
from engine.decide import decide
from engine.entities.book import EntityBook
from engine.profile import Profile
from engine.profile.facts import PaymentFacts
from tests.support.customers import BERN, FIRST_DAY, NO_TIME, RULES, described
from tests.support.kafka_events import TOPIC

if TYPE_CHECKING:
    from engine.decided import Assessment

RESIDENTS: Final = 40
WARM_UP_DAYS: Final = 24
WEB_SHOPS: Final = ("bookshop", "music", "games", "shoes", "garden", "tickets")
SHOPS: Final = ("bakery", "grocer", "pharmacy", "kiosk", "cinema")


class Town:
    """Customers who share shops, payees and addresses. Payments arrive one after the other.

    Attributes
    ----------
    now : datetime
        When the last payment arrived.
    """

    def __init__(self) -> None:
        self.now: datetime = FIRST_DAY
        self._book = EntityBook()
        self._profiles: dict[str, Profile] = {}
        self._payments = 0

    def pay(self, user_id: str, amount: str = "40", after: timedelta = NO_TIME, **changes: Any) -> Assessment:
        """Pay, and learn what is decided. By default it is 40 USD online at the bookshop, from the user's own phone and address.

        Parameters
        ----------
        user_id : str
            A resident (:func:`resident`), or anybody else.
        amount : str
            In ``currency``, USD by default.
        after : timedelta
            How long after the payment before it arrives.
        changes
            Other fields of the payment.
        """
        self.now += after
        usual: dict[str, Any] = {
            "transaction_id": f"t-{self._payments}",
            "user_id": user_id,
            "amount": Decimal(amount),
            "currency": "USD",
            "timestamp": self.now,
            "location": BERN,
            "merchant_id": "bookshop",
            "channel": "online",
            "card_id": f"card-of-{user_id}",
            "device_id": f"phone-of-{user_id}",
            "ip_address": home_address(user_id),
        }
        payment = Transaction(**usual | changes)
        appended_at_ms = (self.now - EPOCH) // MILLISECOND
        facts = PaymentFacts.of(payment, times_of(self.now, appended_at_ms, is_trusted=False))
        profile = self._profiles.setdefault(user_id, Profile())
        ids = entity_ids(payment)
        known = self._book.read(ids, facts.clock_ms // 1000)
        decided = decide(facts, profile, RULES, entities=known)
        profile.fold(facts, decided.outcome, Position(TOPIC, 0, self._payments))
        self._book.fold(ids, decided.sighting)
        self._book.settle()  # each payment is a batch of its own
        self._payments += 1
        return decided.assessment

    def live(self, days: int) -> list[Assessment]:
        """Let everyday life go on until the noon so many days later, and give what is decided about it."""
        random, found = Random(f"{self.now}"), []
        begin = self.now
        for day in range(days):
            times = sorted((random.uniform(0, 24), number) for number in range(RESIDENTS) for _ in range(2))
            for hour, number in times:
                self.now = begin + timedelta(days=day, hours=hour)
                found.append(self._everyday(resident(number), random))
            if day % 30 == 9:
                found += self.utility_bills()
            found += [
                self.transfer(
                    resident(number), f"landlord-of-{number}", f"{90 + number}", timedelta(minutes=5)
                )
                for number in range(RESIDENTS)
                if number % 12 == day % 15
            ]
        self.now = begin + timedelta(days=days)
        return found

    def utility_bills(self) -> list[Assessment]:
        """All residents pay the power company, within some hours."""
        return [
            self.transfer(resident(number), "power-company", f"{70 + number}", timedelta(minutes=9))
            for number in range(RESIDENTS)
        ]

    def transfer(
        self, user_id: str, payee: str, amount: str, after: timedelta = NO_TIME, **changes: Any
    ) -> Assessment:
        """Transfer to a payee."""
        fields = {"merchant_id": None, "card_id": None, "channel": "transfer", "payee_id": payee}
        return self.pay(user_id, amount, after, **fields | changes)

    def in_shop(
        self, user_id: str, shop: str, amount: str, after: timedelta = NO_TIME, **changes: Any
    ) -> Assessment:
        """Pay at a terminal, which has no address and does not name the phone."""
        fields = {"merchant_id": shop, "channel": "pos", "device_id": None, "ip_address": None}
        return self.pay(user_id, amount, after, **fields | changes)

    def _everyday(self, user_id: str, random: Random) -> Assessment:
        amount = f"{random.lognormvariate(3.4, 0.5):.2f}"
        if random.random() < 0.5:
            return self.in_shop(user_id, random.choice(SHOPS), amount)
        if random.random() < 0.04:
            amount = f"{random.uniform(0.9, 1.9):.2f}"
        return self.pay(user_id, amount, merchant_id=random.choice(WEB_SHOPS))


def resident(number: int) -> str:
    """Name one of the :data:`RESIDENTS`."""
    return f"resident-{number}"


def home_address(user_id: str) -> str:
    """An address of the user's own, in a network of few."""
    number = Random(user_id).randrange(256 * 200)
    return f"198.18.{number % 200}.{number // 200}"


@cache
def _warm() -> bytes:
    town = Town()
    flagged = [described(each) for each in town.live(WARM_UP_DAYS) if each.decision is not Decision.APPROVE]
    if flagged:
        raise AssertionError(f"everyday life of the town is flagged: {flagged}")
    return pickle.dumps(town)


def warm_town() -> Town:
    """A town after :data:`WARM_UP_DAYS` of everyday life, all of which was approved. It is midnight."""
    town: Town = pickle.loads(_warm())
    return town
