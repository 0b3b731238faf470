"""Where the payment is made, and whether one person can have been there.

It is compared with the place where the user was last: that of the last usual payment whose place was not doubted. One that was reviewed or
blocked moves nobody, and neither does one sighting far away from a device that is not the user's (:func:`is_doubted`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contract.channels import Channel
from engine.features.definition import boolean, double
from engine.geo import CITY_UNCERTAINTY_KM, Fix, distance_km, implied_speed_kmh
from engine.profile.facts import MS_PER_MINUTE
from engine.profile.seen_values import SeenKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contract.scored import FeatureValue
    from engine.features.windows import Windows
    from engine.profile import Profile
    from engine.profile.facts import PaymentFacts

USUAL_SHARE: Final = 0.8
"""Where more of the user's payments than this name a device, one without it counts as one from a device that is not the user's."""

_IN_PERSON: Final = frozenset({Channel.IN_PERSON, Channel.ATM})

FEATURES: Final = (
    boolean("is_location_known", "The payment has coordinates."),
    double(
        "distance_from_last_km",
        "km",
        "Great-circle distance from the place where the user was last; 0 where one is unknown.",
        3,
    ),
    double(
        "implied_speed_kmh",
        "km/h",
        "Speed that explains both places, after the uncertainty of city-level positions; 0 where unknown.",
        3,
    ),
    double(
        "implied_speed_by_arrival_kmh",
        "km/h",
        "The same speed if the payment was made when it arrived, whatever event time the sender claims.",
    ),
    boolean(
        "is_location_change",
        "Another place than where the user was last; false for a late payment in person.",
        3,
    ),
    boolean(
        "is_country_change",
        "Another country than where the user was last; false for a late payment in person.",
        3,
    ),
    double(
        "minutes_since_last_place",
        "min",
        "Since the user was last at a place that is known; 0 where none is.",
    ),
)


def compute(facts: PaymentFacts, profile: Profile, _windows: Windows) -> tuple[FeatureValue, ...]:
    """Compute :data:`FEATURES`, in their order."""
    here, there = facts.fix, profile.last_place
    apart_km = speed_kmh = by_arrival_kmh = 0.0
    if here is not None and there is not None:
        apart_km = distance_km(there, here)
        speed_kmh = by_arrival_kmh = implied_speed_kmh(there, here, apart_km)
        if speed_kmh and facts.clock_ms != facts.at_ms:
            arrived = Fix(here.latitude, here.longitude, facts.clock_ms)
            by_arrival_kmh = implied_speed_kmh(there, arrived, apart_km)
    return (
        here is not None,
        apart_km,
        speed_kmh,
        by_arrival_kmh,
        _is_location_change(facts, profile),
        _is_country_change(facts, profile),
        _minutes_since_last_place(facts, profile),
    )


def is_doubted(facts: PaymentFacts, profile: Profile, features: Mapping[str, FeatureValue]) -> bool:
    """Whether a payment, once approved, says nothing about where its user is.

    The place of an online payment is that of its IP address, and a card number is used by whoever has it. So a payment far from the
    last place counts as a sighting of the user only with a sign that it is the user who pays: a familiar device; or, for
    whoever usually names none, that it is made in person or in a familiar country.

    Parameters
    ----------
    facts : PaymentFacts
        The payment.
    profile : Profile
        Its user's, before the payment is folded.
    features : Mapping[str, FeatureValue]
        The payment's.
    """
    if not (profile.last_place_hash or profile.last_country_hash):
        return False  # better than no place
    if features["is_unfamiliar_device"] or features["missing_device_share"] > USUAL_SHARE:  # type: ignore[operator]  # a double
        return not _is_near(facts, profile, features)
    if facts.seen[SeenKind.DEVICE] is not None or facts.transaction.channel_kind in _IN_PERSON:
        return False
    return bool(features["is_unfamiliar_country"]) and not _is_near(facts, profile, features)


def _is_near(facts: PaymentFacts, profile: Profile, features: Mapping[str, FeatureValue]) -> bool:
    if features["is_location_known"] and profile.last_place is not None:
        return features["distance_from_last_km"] <= 2 * CITY_UNCERTAINTY_KM  # type: ignore[operator]  # a double
    return facts.place_hash == profile.last_place_hash


def _is_late(facts: PaymentFacts, profile: Profile) -> bool:
    """Whether the payment was made before the last place was, which is the only one that the profile knows.

    A terminal can have been offline for hours. What is not paid in person has no terminal: there the arrival decides.
    """
    at_ms = facts.at_ms
    if facts.transaction.channel_kind not in _IN_PERSON:
        at_ms = max(at_ms, facts.clock_ms)
    return at_ms < profile.placed_at_ms


def _minutes_since_last_place(facts: PaymentFacts, profile: Profile) -> float:
    if not (profile.last_place_hash or profile.last_country_hash):
        return 0.0
    return max(facts.at_ms - profile.placed_at_ms, 0) / MS_PER_MINUTE


def _is_location_change(facts: PaymentFacts, profile: Profile) -> bool:
    if _is_late(facts, profile):
        return False
    return bool(facts.place_hash and profile.last_place_hash and facts.place_hash != profile.last_place_hash)


def _is_country_change(facts: PaymentFacts, profile: Profile) -> bool:
    if _is_late(facts, profile):
        return False
    before = profile.last_country_hash
    return bool(before and facts.country_hash and before != facts.country_hash)
