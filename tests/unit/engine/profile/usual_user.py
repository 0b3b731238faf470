"""A user with ten usual payments, and payments in which everything is new to that user."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from contract.transaction import Location
from engine.exchange_rates import ExchangeRates
from engine.features.catalogue import compute_features
from engine.profile.pending_payments import RELEASE_AFTER_MS
from tests.support.histories import DAY_S, approved, facts_at

if TYPE_CHECKING:
    from contract.scored import FeatureValue
    from contract.verdict import Verdict
    from engine.profile import Profile
    from engine.profile.facts import PaymentFacts
    from engine.profile.outcome import Lessons

RATES = ExchangeRates({"EUR": 1.0, "USD": 0.5})
OSLO = Location(latitude=59.91, longitude=10.75, country="NO", city="Oslo")
USUAL = approved(*(facts_at(number * DAY_S, f"usual-{number}", payee_id="p") for number in range(10)))
STRANGE_S = 10 * DAY_S
RELEASE_S = STRANGE_S + RELEASE_AFTER_MS // 1000


def strange(name: str = "strange", at_s: float = STRANGE_S, **changes: object) -> PaymentFacts:
    """A large payment with everything new."""
    fields: dict[str, object] = {
        "amount": Decimal(900),
        "currency": "USD",
        "merchant_id": "m-new",
        "device_id": "d-new",
        "payee_id": "p-new",
        "channel": "c-new",
        "location": OSLO,
    }
    return facts_at(at_s, name, **fields | changes)


def features_at(
    profile: Profile, at_s: float, name: str = "now", **changes: object
) -> dict[str, FeatureValue]:
    return compute_features(strange(name, at_s, **changes), profile, RATES)


def habits_of(profile: Profile) -> list[object]:
    """All that says what is normal."""
    return [
        *(list(c) for part in (profile.habits, profile.habit_days, profile.seen) for c in part.columns()),
        bytes(profile.hour_of_week),
        (profile.habit_count, profile.taught_at_ms, profile.placed_at_ms, profile.placed_key_hash),
        (profile.last_place, profile.last_place_hash, profile.last_country_hash),
    ]


def after_lessons(profile: Profile, at_s: float, *verdicts: Verdict) -> Lessons:
    """Learn what is due at a payment at ``at_s``; return what its row would name."""
    lessons = profile.lessons(facts_at(at_s, "now"), verdicts)
    profile.learn(lessons)
    return lessons
