"""Whether the user has used this device, merchant, payee, country, channel and currency before, for how long, and how often.

Only payments that teach what is normal count. A value is familiar by its age and its number, not by one sighting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.features.definition import boolean, double, integer
from engine.profile.seen_values import FAMILIAR_AGE_S, FAMILIAR_COUNT, SeenKind, is_familiar

if TYPE_CHECKING:
    from contract.scored import FeatureValue
    from engine.features.windows import Windows
    from engine.profile import Profile
    from engine.profile.facts import PaymentFacts

_S_PER_DAY: Final = 86_400
_FAMILIAR: Final = f"The user paid {FAMILIAR_COUNT} times or more {{}}, first at least {FAMILIAR_AGE_S // _S_PER_DAY} days ago."

FEATURES: Final = (
    boolean("is_new_country", "First usual payment in this country, and not the first of all.", 2),
    boolean("is_new_device", "First usual payment from this device, and not the first of all.", 2),
    boolean("is_new_merchant", "First usual payment to this merchant, and not the first of all.", 2),
    boolean("is_new_payee", "First usual payment to this payee, and not the first of all.", 2),
    boolean("is_new_channel", "First usual payment on this channel, and not the first of all.", 2),
    boolean("is_new_currency", "First usual payment in this currency, and not the first of all.", 2),
    double("device_age_days", "d", "Since this device was first seen; 0 for a new or unknown one.", 2),
    double("payee_age_days", "d", "Since this payee was first seen; 0 for a new or unknown one.", 2),
    double("merchant_age_days", "d", "Since this merchant was first seen; 0 for a new or unknown one."),
    double("country_age_days", "d", "Since this country was first seen; 0 for a new or unknown one."),
    integer("device_tx_count", "1", "Usual payments from this device; 0 for a new or unknown one."),
    integer("payee_tx_count", "1", "Usual payments to this payee; 0 for a new or unknown one."),
    integer("merchant_tx_count", "1", "Usual payments to this merchant; 0 for a new or unknown one."),
    integer("country_tx_count", "1", "Usual payments in this country; 0 for a new or unknown one."),
    boolean(
        "is_unfamiliar_device",
        "The payment names a device that is not familiar. " + _FAMILIAR.format("from a familiar one"),
    ),
    boolean("is_unfamiliar_payee", "The same for the payee."),
    boolean("is_unfamiliar_merchant", "The same for the merchant."),
    boolean("is_unfamiliar_country", "The same for the country."),
)


def compute(facts: PaymentFacts, profile: Profile, _windows: Windows) -> tuple[FeatureValue, ...]:
    """Compute :data:`FEATURES`, in their order."""
    has_past = profile.habit_count > 0
    values = facts.seen
    found = profile.sightings(facts)
    is_new = [
        has_past and seen is None and value is not None for seen, value in zip(found, values, strict=True)
    ]
    at_s = facts.at_ms // 1000
    country, device, merchant, payee = found[:4]
    return (
        is_new[SeenKind.COUNTRY],
        is_new[SeenKind.DEVICE],
        is_new[SeenKind.MERCHANT],
        is_new[SeenKind.PAYEE],
        is_new[SeenKind.CHANNEL],
        is_new[SeenKind.CURRENCY],
        _age_days(at_s, device),
        _age_days(at_s, payee),
        _age_days(at_s, merchant),
        _age_days(at_s, country),
        device[1] if device else 0,
        payee[1] if payee else 0,
        merchant[1] if merchant else 0,
        country[1] if country else 0,
        _is_unfamiliar(values[SeenKind.DEVICE], device, at_s),
        _is_unfamiliar(values[SeenKind.PAYEE], payee, at_s),
        _is_unfamiliar(values[SeenKind.MERCHANT], merchant, at_s),
        _is_unfamiliar(values[SeenKind.COUNTRY], country, at_s),
    )


def _age_days(at_s: int, seen: tuple[int, int] | None) -> float:
    return max(at_s - seen[0], 0) / _S_PER_DAY if seen else 0.0


def _is_unfamiliar(value: int | None, seen: tuple[int, int] | None, at_s: int) -> bool:
    if value is None:
        return False
    return seen is None or not is_familiar(seen[0], seen[1], at_s)
