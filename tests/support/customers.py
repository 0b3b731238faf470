"""Customers who pay, one payment after the other, judged by the default rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from contract.clock import EPOCH, MILLISECOND, times_of
from contract.scored import Decision, Position
from contract.transaction import Location, Transaction
from engine.decide import decide
from engine.profile import Profile
from engine.profile.facts import PaymentFacts
from engine.rules.ruleset import parse_ruleset
from tests.support.kafka_events import TOPIC

if TYPE_CHECKING:
    from engine.decided import Assessment

RULES: Final = parse_ruleset(Path("rules/default.yaml").read_text(), "rules/default.yaml")
FIRST_DAY: Final = datetime(2026, 9, 7, tzinfo=UTC)
NO_TIME: Final = timedelta(0)
BERN: Final = Location(latitude=46.948, longitude=7.447, country="CH", city="Bern")
SAO_PAULO: Final = Location(latitude=-23.55, longitude=-46.63, country="BR", city="São Paulo")
THIEF: Final[dict[str, Any]] = {
    "device_id": "thiefs-laptop",
    "merchant_id": "thiefs-shop",
    "location": SAO_PAULO,
    "channel": "online",
}
"""A new device, merchant and country."""
SEVERITY: Final = {Decision.APPROVE: 0, Decision.REVIEW: 1, Decision.BLOCK: 2}


class Customer:
    """One user whose payments arrive in order. A payment is 40 USD in a shop in Bern with the customer's own phone."""

    def __init__(self, now: datetime = FIRST_DAY) -> None:
        self.now = now
        self.profile = Profile()
        self.payments = 0

    def pay(
        self, amount: str = "40", after: timedelta = NO_TIME, dated: timedelta = NO_TIME, **changes: Any
    ) -> Assessment:
        """Pay, and learn what is decided.

        Parameters
        ----------
        amount : str
            In ``currency``, USD by default.
        after : timedelta
            How long after the payment before it arrives.
        dated : timedelta
            How far the event time that the sender claims is behind the arrival; negative for a time ahead.
        changes
            Other fields of the payment.
        """
        self.now += after
        usual: dict[str, Any] = {
            "transaction_id": f"t-{self.payments}",
            "user_id": "victim",
            "amount": Decimal(amount),
            "currency": "USD",
            "timestamp": self.now - dated,
            "location": BERN,
            "merchant_id": "bakery",
            "channel": "pos",
            "card_id": "tok_000000004711",
            "device_id": "own-phone",
        }
        payment = Transaction(**usual | changes)
        facts = PaymentFacts.of(
            payment, times_of(payment.timestamp, (self.now - EPOCH) // MILLISECOND, is_trusted=False)
        )
        decided = decide(facts, self.profile, RULES)
        self.profile.fold(facts, decided.outcome, Position(TOPIC, 0, self.payments))
        self.payments += 1
        return decided.assessment


AMOUNTS: Final = ("32", "38", "45", "40", "51", "36", "41", "29", "44", "48")
SHOPS: Final = ("bakery", "grocer", "pharmacy", "kiosk", "cinema", "hardware")


def established() -> Customer:
    """A customer with 60 payments of about 40 USD, one phone, in Bern, in five weeks; all are approved. It is the next noon."""
    customer = Customer()
    for day in range(35):
        for hour in (9, 17) if day < 25 else (17,):
            customer.now = FIRST_DAY + timedelta(days=day, hours=hour, minutes=day)
            number = customer.payments
            taken = customer.pay(
                AMOUNTS[number % len(AMOUNTS)], merchant_id=SHOPS[number * number % len(SHOPS)]
            )
            if taken.decision is not Decision.APPROVE:
                raise AssertionError(f"payment {number} of an honest customer: {described(taken)}")
    customer.now = FIRST_DAY + timedelta(days=35, hours=12)
    return customer


def described(*taken: Assessment) -> str:
    """What was decided, with the points and the rules that gave them."""
    return "; ".join(
        f"{each.decision.value} {each.points} "
        + " ".join(f"{reason.rule_id}:{reason.points}" for reason in each.reasons)
        for each in taken
    )


def is_flagged(taken: Assessment) -> bool:
    """Whether people are alerted to the payment."""
    return taken.decision is not Decision.APPROVE
