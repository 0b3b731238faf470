"""The amount compared with what is usual for the user. Payments that were reviewed or blocked make nothing usual."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from math import fsum, sqrt
from typing import TYPE_CHECKING, Final

from engine.features.definition import double, integer
from engine.profile.facts import MS_PER_DAY

if TYPE_CHECKING:
    from contract.scored import FeatureValue
    from engine.features.totals import Habits
    from engine.features.windows import Windows
    from engine.profile import Profile
    from engine.profile.facts import PaymentFacts

FEATURES: Final = (
    double(
        "amount_mean_30d_base", "base currency", "Usual mean amount of the 30 days before; 0 without any.", 2
    ),
    double(
        "amount_std_30d_base",
        "base currency",
        "Standard deviation of the usual amounts of the 30 days before.",
        2,
    ),
    double("amount_ratio_to_mean_30d", "1", "Amount over that mean; 1 without a mean.", 2),
    double(
        "amount_zscore_30d",
        "1",
        "Distance from that mean in standard deviations; 0 with fewer than 5 payments.",
        2,
    ),
    double(
        "amount_percentile_recent",
        "1",
        "Share of the newest usual amounts (at most 32) that were smaller, 0 to 1; 0.5 without any.",
        2,
    ),
    double(
        "amount_max_recent_base", "base currency", "Largest of the newest usual amounts; 0 without any.", 2
    ),
    double(
        "amount_ratio_to_median_recent",
        "1",
        "Amount over the median of the newest usual amounts; 1 without one.",
    ),
    double(
        "amount_ratio_to_trimmed_mean_recent",
        "1",
        "Amount over their mean without the smallest and the largest tenth; 1 without one.",
    ),
    double(
        "amount_ratio_to_p90_recent", "1", "Amount over their 90th percentile (nearest rank); 1 without one."
    ),
    integer(
        "high_amount_count_7d",
        "1",
        "Recent payments of the last 7 days above three times that median, this one included; 0 without one.",
    ),
    integer("high_amount_count_14d", "1", "The same in 14 days."),
)

MIN_PAYMENTS_FOR_SPREAD: Final = 5
"""With fewer payments a standard deviation means nothing."""
MIN_SPREAD_SHARE: Final = 0.1
"""The standard deviation counts as at least this share of the mean: 10.50 is no outlier for a user who always pays 9.99."""
HIGH_AMOUNT_RATIO: Final = 3.0
"""An amount above this many medians is high."""
_TRIMMED_SHARE: Final = 10
"""One in so many is left out at each end of a trimmed mean."""


def compute(facts: PaymentFacts, profile: Profile, windows: Windows) -> tuple[FeatureValue, ...]:
    """Compute :data:`FEATURES`, in their order."""
    habits, amount_base, usual = windows.habits, windows.amount_base, windows.usual
    mean = habits.sum_base / habits.with_rate if habits.with_rate else 0.0
    spread = _spread(habits, mean)
    size = len(usual)
    largest = usual[-1] if size else 0.0
    median = _median(usual)
    trimmed = _trimmed_mean(usual)
    p90 = usual[(9 * size + 9) // 10 - 1] if size else 0.0
    high_7d = high_14d = 0
    if median > 0:
        high_7d, high_14d = _high_amounts(facts, profile, windows, HIGH_AMOUNT_RATIO * median)
    return (
        mean,
        spread,
        amount_base / mean if mean > 0 else 1.0,
        _zscore(amount_base, mean, spread, habits.with_rate),
        bisect_left(usual, amount_base) / size if size else 0.5,
        largest,
        amount_base / median if median > 0 else 1.0,
        amount_base / trimmed if trimmed > 0 else 1.0,
        amount_base / p90 if p90 > 0 else 1.0,
        high_7d,
        high_14d,
    )


def _spread(habits: Habits, mean: float) -> float:
    """Standard deviation; 0 with too few amounts."""
    if habits.with_rate < MIN_PAYMENTS_FOR_SPREAD:
        return 0.0
    # The textbook formula cancels for a constant amount; what is left of it may be a hair below 0.
    return sqrt(max(habits.squares_base / habits.with_rate - mean * mean, 0.0))


def _zscore(amount: float, mean: float, std: float, count: int) -> float:
    if count < MIN_PAYMENTS_FOR_SPREAD or mean <= 0:
        return 0.0
    return (amount - mean) / max(std, MIN_SPREAD_SHARE * mean)


def _median(ascending: list[float]) -> float:
    size = len(ascending)
    if not size:
        return 0.0
    middle = size // 2
    return ascending[middle] if size % 2 else (ascending[middle - 1] + ascending[middle]) / 2


def _trimmed_mean(ascending: list[float]) -> float:
    if not ascending:
        return 0.0
    cut = len(ascending) // _TRIMMED_SHARE
    kept = ascending[cut : len(ascending) - cut]
    return fsum(kept) / len(kept)


def _high_amounts(
    facts: PaymentFacts, profile: Profile, windows: Windows, limit_base: float
) -> tuple[int, int]:
    """How many of the recent payments, and this one, are above a limit: in 7 and in 14 days."""
    own = int(windows.amount_base > limit_base)
    clocks, stop = profile.recent.clock_ms, windows.stop
    first = bisect_right(clocks, facts.clock_ms - 14 * MS_PER_DAY, 0, stop)
    amounts, factor = windows.amounts[first:], windows.factor
    if not amounts or max(amounts) * factor <= limit_base:  # with most payments, none is
        return own, own
    is_high = [amount * factor > limit_base for amount in amounts]
    last_7d = bisect_right(clocks, facts.clock_ms - 7 * MS_PER_DAY, first, stop) - first
    return own + sum(is_high[last_7d:]), own + sum(is_high)
