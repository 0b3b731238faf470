"""The user's habits, and how long the user's history is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zlib import adler32

from engine.features.definition import double, integer
from engine.profile.facts import HOURS_PER_WEEK, MS_PER_DAY, MS_PER_HOUR, hour_of_week

if TYPE_CHECKING:
    from contract.scored import FeatureValue
    from engine.features.windows import Windows
    from engine.profile import Profile
    from engine.profile.facts import PaymentFacts

FEATURES: Final = (
    double(
        "hour_of_week_share",
        "1",
        "Share of the usual payments within an hour of this hour of the week; 0 without any.",
        2,
    ),
    integer(
        "profile_tx_count", "1", "Payments in the profile before this one, whatever was decided about them."
    ),
    integer(
        "usual_tx_count",
        "1",
        "Of these, those that teach what is normal: approved, or reviewed and not called fraud.",
    ),
    double("account_age_days", "d", "Since the user's first payment."),
    double("days_since_last_tx", "d", "Since the user's last usual payment; 0 without one.", 2),
)


def compute(facts: PaymentFacts, profile: Profile, windows: Windows) -> tuple[FeatureValue, ...]:
    """Compute :data:`FEATURES`, in their order."""
    slot = hour_of_week(facts.at_ms // MS_PER_HOUR)
    return (
        _habit_share(profile.hour_of_week, slot),
        profile.tx_count,
        profile.habit_count,
        windows.age_ms / MS_PER_DAY,
        _since_last_usual_ms(facts, profile) / MS_PER_DAY,
    )


def _since_last_usual_ms(facts: PaymentFacts, profile: Profile) -> int:
    # A thief who wakes a dormant account with a payment that is blocked has not woken it.
    return max(facts.at_ms - profile.taught_at_ms, 0) if profile.habit_count else 0


def _habit_share(counts: bytearray, slot: int) -> float:
    # Adler-32's low half is 1 plus the sum of all bytes, modulo 65,521 (RFC 1950, 9); 168 bytes stay below. sum() takes a
    # microsecond, a fiftieth of all that a payment costs here.
    total = (adler32(counts) & 0xFFFF) - 1
    if not total:
        return 0.0
    near = counts[slot - 1] + counts[slot] + counts[(slot + 1) % HOURS_PER_WEEK]
    return near / total
