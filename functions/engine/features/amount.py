"""The amount compared with what is usual for the user."""

from __future__ import annotations

from bisect import bisect_left
from math import sqrt
from typing import TYPE_CHECKING, Final

from engine.features.definition import double
from engine.features.windows import rounded

if TYPE_CHECKING:
    from contract.scored import FeatureValue
    from engine.features.windows import Totals, Windows
    from engine.profile import Profile
    from engine.profile.profile import PaymentFacts

FEATURES: Final = (
    double("amount_mean_30d_base", "base currency", "Mean amount of the 30 days before; 0 without any."),
    double(
        "amount_std_30d_base", "base currency", "Standard deviation of the amounts of the 30 days before."
    ),
    double("amount_ratio_to_mean_30d", "1", "Amount over that mean; 1 without a mean."),
    double(
        "amount_zscore_30d",
        "1",
        "Distance from that mean in standard deviations; 0 with fewer than 5 payments.",
    ),
    double(
        "amount_percentile_recent",
        "1",
        "Share of the recent payments that were smaller, 0 to 1; 0.5 without any.",
    ),
    double("amount_max_recent_base", "base currency", "Largest of the recent payments; 0 without any."),
)

MIN_PAYMENTS_FOR_SPREAD: Final = 5
"""With fewer payments a standard deviation means nothing."""
MIN_SPREAD_SHARE: Final = 0.1
"""The standard deviation counts as at least this share of the mean: 10.50 is no outlier for a user who always pays 9.99."""


def compute(_facts: PaymentFacts, _profile: Profile, windows: Windows) -> dict[str, FeatureValue]:
    """Compute :data:`FEATURES`, by name, in their order."""
    month, amount_base = windows.month, windows.amount_base
    mean = month.sum_base / month.with_rate if month.with_rate else 0.0
    spread = _spread(month, mean)
    ordered = sorted(windows.comparable)
    largest = ordered[-1] * windows.factor if ordered else 0.0
    share_below = bisect_left(ordered, windows.own_amount) / len(ordered) if ordered else 0.5
    return {
        "amount_mean_30d_base": rounded(mean),
        "amount_std_30d_base": rounded(spread),
        "amount_ratio_to_mean_30d": rounded(amount_base / mean) if mean > 0 else 1.0,
        "amount_zscore_30d": rounded(_zscore(amount_base, mean, spread, month.with_rate)),
        "amount_percentile_recent": rounded(share_below),
        "amount_max_recent_base": rounded(largest),
    }


def _spread(totals: Totals, mean: float) -> float:
    """Standard deviation; 0 with too few amounts."""
    if totals.with_rate < MIN_PAYMENTS_FOR_SPREAD:
        return 0.0
    # The textbook formula cancels for a constant amount; what is left of it may be a hair below 0.
    return sqrt(max(totals.squares_base / totals.with_rate - mean * mean, 0.0))


def _zscore(amount: float, mean: float, std: float, count: int) -> float:
    if count < MIN_PAYMENTS_FOR_SPREAD or mean <= 0:
        return 0.0
    return (amount - mean) / max(std, MIN_SPREAD_SHARE * mean)
