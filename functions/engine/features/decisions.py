"""What was decided about the user's payments lately. Who was stopped an hour ago is not a stranger to the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.features.definition import integer

if TYPE_CHECKING:
    from contract.scored import FeatureValue
    from engine.features.windows import Windows
    from engine.profile import Profile
    from engine.profile.facts import PaymentFacts

FEATURES: Final = (
    integer(
        "review_count_24h",
        "1",
        "Payments of the user that went to review in the 24 hours before, without those that were called legitimate.",
    ),
    integer("review_count_30d", "1", "The same in the 30 days before."),
    integer(
        "block_count_24h",
        "1",
        "Payments of the user that were blocked in the 24 hours before, without those that were called legitimate.",
    ),
    integer("block_count_30d", "1", "The same in the 30 days before."),
)


def compute(_facts: PaymentFacts, _profile: Profile, windows: Windows) -> tuple[FeatureValue, ...]:
    """Compute :data:`FEATURES`, in their order."""
    day, month = windows.day, windows.month
    return (
        day.reviewed,
        max(day.reviewed, month.reviewed),
        day.blocked,
        max(day.blocked, month.blocked),
    )
