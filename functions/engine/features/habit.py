"""The user's habits and how much of a past there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.features.definition import double, integer
from engine.features.windows import rounded
from engine.profile.profile import HOURS_PER_WEEK, MS_PER_DAY, MS_PER_HOUR, hour_of_week

if TYPE_CHECKING:
    from contract.scored import FeatureValue
    from engine.features.windows import Windows
    from engine.profile import Profile
    from engine.profile.profile import PaymentFacts

FEATURES: Final = (
    double(
        "hour_of_week_share",
        "1",
        "Share of all earlier payments within an hour of this hour of the week; 0 without any.",
    ),
    integer("profile_tx_count", "1", "Payments in the profile before this one."),
    double("account_age_days", "d", "Since the user's first payment."),
    double("days_since_last_tx", "d", "Since the user's last payment; 0 for the first."),
)


def compute(facts: PaymentFacts, profile: Profile, windows: Windows) -> dict[str, FeatureValue]:
    """Compute :data:`FEATURES`, by name, in their order."""
    at_ms, stop = facts.at_ms, windows.stop
    age_ms = max(at_ms - profile.first_at_ms, 0) if profile.tx_count else 0
    since_last_ms = at_ms - profile.recent.at_ms[stop - 1] if stop else 0
    return {
        "hour_of_week_share": rounded(_habit_share(profile.hour_of_week, hour_of_week(at_ms // MS_PER_HOUR))),
        "profile_tx_count": profile.tx_count,
        "account_age_days": rounded(age_ms / MS_PER_DAY),
        "days_since_last_tx": rounded(since_last_ms / MS_PER_DAY),
    }


def _habit_share(counts: bytearray, slot: int) -> float:
    total = sum(counts)
    if not total:
        return 0.0
    near = counts[slot - 1] + counts[slot] + counts[(slot + 1) % HOURS_PER_WEEK]
    return near / total
