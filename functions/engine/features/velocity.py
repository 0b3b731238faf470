"""Velocity: how many payments, how much, and how many different places of payment in a short time.

Every payment counts here, whatever was decided about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.features.definition import boolean, double, integer
from engine.features.windows import MICRO_AMOUNT_BASE, added_up
from engine.profile.facts import MS_PER_DAY, MS_PER_MINUTE

if TYPE_CHECKING:
    from contract.scored import FeatureValue
    from engine.features.windows import Windows
    from engine.profile import Profile
    from engine.profile.facts import PaymentFacts

FEATURES: Final = (
    integer("tx_count_1m", "1", "Payments in 1 minute."),
    integer("tx_count_10m", "1", "Payments in 10 minutes."),
    integer("tx_count_1h", "1", "Payments in 1 hour."),
    integer("tx_count_24h", "1", "Payments in 24 hours."),
    integer("tx_count_7d", "1", "Payments in 7 days."),
    integer("tx_count_30d", "1", "Payments in 30 days."),
    double("amount_sum_10m_base", "base currency", "Amounts in 10 minutes, added up."),
    double("amount_sum_1h_base", "base currency", "Amounts in 1 hour, added up."),
    double("amount_sum_24h_base", "base currency", "Amounts in 24 hours, added up."),
    double("amount_sum_7d_base", "base currency", "Amounts in 7 days, added up."),
    double("amount_sum_30d_base", "base currency", "Amounts in 30 days, added up."),
    double(
        "tx_rate_ratio_24h",
        "1",
        "Payments in 24 hours over the usual number a day in the 30 days before; 1 without any.",
        2,
    ),
    integer("micro_amount_count_1h", "1", "Micro amounts in 1 hour."),
    integer("merchant_count_1h", "1", "Different merchants in 1 hour."),
    integer(
        "card_count_1h",
        "1",
        "Different cards in 1 hour; masked numbers with the same last four digits are one.",
    ),
    integer("country_count_24h", "1", "Different countries in 24 hours."),
    boolean(
        "are_windows_incomplete",
        "Payments of the last day or week may be missing in counts and sums: they came in more currencies than a profile keeps.",
    ),
    double("minutes_since_last_tx", "min", "Since the payment before; 0 for the first."),
)


def compute(facts: PaymentFacts, profile: Profile, windows: Windows) -> tuple[FeatureValue, ...]:
    """Compute :data:`FEATURES`, in their order."""
    recent, stop = profile.recent, windows.stop
    amount_base, factor = windows.amount_base, windows.factor
    from_10m, from_1h, from_24h = windows.from_10m, windows.from_1h, windows.from_24h
    hour, day, week, month = windows.hour, windows.day, windows.week, windows.month
    in_1h = windows.comparable_1h
    micro_amounts = 0
    if in_1h and min(in_1h) * factor <= MICRO_AMOUNT_BASE:  # with most payments, none is
        micro_amounts = sum(each * factor <= MICRO_AMOUNT_BASE for each in in_1h)
    sum_10m = added_up(windows.amounts[from_10m:]) * factor if from_10m < stop else 0.0
    return (
        stop - windows.from_1m + 1,
        stop - from_10m + 1,
        hour.payments + 1,
        day.payments + 1,
        week.payments + 1,
        month.payments + 1,
        sum_10m + amount_base,
        hour.sum_base + amount_base,
        day.sum_base + amount_base,
        week.sum_base + amount_base,
        month.sum_base + amount_base,
        _rate_ratio(day.payments + 1, windows.habits.payments, windows.age_ms),
        micro_amounts + windows.is_micro,
        recent.distinct(recent.merchant, from_1h, stop, facts.merchant_hash),
        recent.distinct(recent.card, from_1h, stop, facts.card_hash),
        recent.distinct(recent.country, from_24h, stop, facts.country_hash),
        windows.are_incomplete,
        windows.since_last_ms / MS_PER_MINUTE,
    )


def _rate_ratio(count_24h: int, usual_30d: int, age_ms: int) -> float:
    if not usual_30d:
        return 1.0
    days = min(max(age_ms / MS_PER_DAY, 1.0), 30.0)
    return count_24h / (usual_30d / days)
