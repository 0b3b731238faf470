"""Where the payment is made, and whether one person can have been there.

It is compared with the last usual payment's place: one that was reviewed or blocked moves nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contract.transaction import Location, Transaction
from engine.features.definition import boolean, double
from engine.features.windows import rounded
from engine.geo import Fix, distance_km, implied_speed_kmh

if TYPE_CHECKING:
    from contract.scored import FeatureValue
    from engine.features.windows import Windows
    from engine.profile import Profile
    from engine.profile.facts import PaymentFacts

FEATURES: Final = (
    boolean("is_location_known", "The payment has coordinates."),
    double(
        "distance_from_last_km",
        "km",
        "Great-circle distance from the last known place; 0 where one is unknown.",
        2,
    ),
    double(
        "implied_speed_kmh",
        "km/h",
        "Speed that explains both places, after the uncertainty of city-level positions; 0 where unknown.",
        2,
    ),
    boolean(
        "is_location_change", "Another place than the last usual payment's; false for a late payment.", 2
    ),
    boolean(
        "is_country_change", "Another country than the last usual payment's; false for a late payment.", 2
    ),
)


def compute(facts: PaymentFacts, profile: Profile, _windows: Windows) -> dict[str, FeatureValue]:
    """Compute :data:`FEATURES`, by name, in their order."""
    here, there = _fix(facts.transaction, facts.at_ms), profile.last_place
    apart_km = speed_kmh = 0.0
    if here is not None and there is not None:
        apart_km = distance_km(there, here)
        speed_kmh = implied_speed_kmh(there, here, apart_km)
    return {
        "is_location_known": here is not None,
        "distance_from_last_km": rounded(apart_km),
        "implied_speed_kmh": rounded(speed_kmh),
        "is_location_change": _is_location_change(facts, profile),
        "is_country_change": _is_country_change(facts, profile),
    }


def _fix(transaction: Transaction, at_ms: int) -> Fix | None:
    location = transaction.location
    if not isinstance(location, Location) or location.latitude is None or location.longitude is None:
        return None
    return Fix(location.latitude, location.longitude, at_ms)


def _is_location_change(facts: PaymentFacts, profile: Profile) -> bool:
    if facts.at_ms < profile.taught_at_ms:
        return False  # the profile knows the place of the latest payment only
    return bool(facts.place_hash and profile.last_place_hash and facts.place_hash != profile.last_place_hash)


def _is_country_change(facts: PaymentFacts, profile: Profile) -> bool:
    if facts.at_ms < profile.taught_at_ms:
        return False
    before = profile.last_country_hash
    return bool(before and facts.country_hash and before != facts.country_hash)
