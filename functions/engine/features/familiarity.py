"""Whether the user has used this device, merchant, payee, country, channel and currency before, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.features.definition import boolean, double
from engine.features.windows import rounded
from engine.profile.seen_values import SeenKind

if TYPE_CHECKING:
    from contract.scored import FeatureValue
    from engine.features.windows import Windows
    from engine.profile import Profile
    from engine.profile.profile import PaymentFacts

FEATURES: Final = (
    boolean("is_new_country", "First payment in this country, and not the first of all."),
    boolean("is_new_device", "First payment from this device, and not the first of all."),
    boolean("is_new_merchant", "First payment to this merchant, and not the first of all."),
    boolean("is_new_payee", "First payment to this payee, and not the first of all."),
    boolean("is_new_channel", "First payment on this channel, and not the first of all."),
    boolean("is_new_currency", "First payment in this currency, and not the first of all."),
    double("device_age_days", "d", "Since this device was first seen; 0 for a new or unknown one."),
    double("payee_age_days", "d", "Since this payee was first seen; 0 for a new or unknown one."),
)

_S_PER_DAY: Final = 86_400


def compute(facts: PaymentFacts, profile: Profile, _windows: Windows) -> dict[str, FeatureValue]:
    """Compute :data:`FEATURES`, by name, in their order."""
    has_past = profile.tx_count > 0
    values = facts.seen
    first_seen_s = profile.seen.first_seen_s(values)
    is_new = [
        has_past and seen_s is None and value is not None
        for seen_s, value in zip(first_seen_s, values, strict=True)
    ]
    at_s = facts.at_ms // 1000
    return {
        "is_new_country": is_new[SeenKind.COUNTRY],
        "is_new_device": is_new[SeenKind.DEVICE],
        "is_new_merchant": is_new[SeenKind.MERCHANT],
        "is_new_payee": is_new[SeenKind.PAYEE],
        "is_new_channel": is_new[SeenKind.CHANNEL],
        "is_new_currency": is_new[SeenKind.CURRENCY],
        "device_age_days": _age_days(at_s, first_seen_s[SeenKind.DEVICE]),
        "payee_age_days": _age_days(at_s, first_seen_s[SeenKind.PAYEE]),
    }


def _age_days(at_s: int, first_s: int | None) -> float:
    return rounded(max(at_s - first_s, 0) / _S_PER_DAY) if first_s is not None else 0.0
