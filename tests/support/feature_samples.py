"""Payments before a payment, and the features that follow from them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from contract.scored import FeatureValue, Position
from contract.transaction import Location, Transaction
from engine.exchange_rates import ExchangeRates
from engine.features.catalogue import compute_features
from engine.profile import Profile
from tests.support.kafka_events import TOPIC
from tests.support.payments import APPROVED, NOW, make_grocery_payment, trusted_facts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.profile.outcome import Outcome

PARIS = Location(latitude=48.8566, longitude=2.3522, country="FR", city="Paris")
POTSDAM = Location(latitude=52.3906, longitude=13.0645, country="DE", city="Potsdam")
TYPES = {"double": float, "int": int, "bool": bool, "string": str}
RATES = ExchangeRates({"EUR": 1.0, "USD": 0.5, "GBP": 1.1742})


def features_of(
    now: Transaction, *earlier: Transaction, outcome: Outcome = APPROVED
) -> dict[str, FeatureValue]:
    """The features of ``now``, of a trusted feed, after ``earlier`` payments that all had one outcome."""
    profile = Profile()
    for offset, transaction in enumerate(earlier):
        profile.fold(trusted_facts(transaction), outcome, Position(TOPIC, 0, offset))
    return compute_features(trusted_facts(now), profile, RATES)[0]


def before(minutes: float, **changes: object) -> Transaction:
    return make_grocery_payment(
        transaction_id=f"before-{minutes}", timestamp=NOW - timedelta(minutes=minutes), **changes
    )


def now(**changes: object) -> Transaction:
    return make_grocery_payment(transaction_id="now", timestamp=NOW, **changes)


def monthly(amounts: Sequence[int]) -> list[Transaction]:
    return [before(60 * 24 * (day + 1), amount=Decimal(amount)) for day, amount in enumerate(amounts)]
