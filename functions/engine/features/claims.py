"""What the sender claims about the payment, compared with what is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contract.clock import TimeBasis
from engine.features.definition import boolean, double
from engine.profile.facts import MS_PER_MINUTE

if TYPE_CHECKING:
    from contract.scored import FeatureValue
    from engine.features.windows import Windows
    from engine.profile import Profile
    from engine.profile.facts import PaymentFacts

FEATURES: Final = (
    double(
        "event_delay_minutes",
        "min",
        "From the event time that the sender claims to the arrival of the payment; below 0 for a time ahead, 0 for a trusted feed.",
    ),
    boolean(
        "is_event_time_believed",
        "The event time is near the arrival (10 minutes ahead to 24 hours behind), or the feed is trusted.",
    ),
    boolean(
        "is_transaction_id_reused",
        "A recent payment of the user has the same transaction id, and another amount, currency, payee, merchant or card, or a masked card number.",
    ),
)


def compute(facts: PaymentFacts, profile: Profile, _windows: Windows) -> tuple[FeatureValue, ...]:
    """Compute :data:`FEATURES`, in their order."""
    return (
        facts.delay_ms / MS_PER_MINUTE if facts.delay_ms else 0.0,
        facts.basis is not TimeBasis.APPENDED,
        profile.knows_id(facts) and profile.repeated(facts) is None,
    )
