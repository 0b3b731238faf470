"""What is known of the payment without the user's past."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from contract.channels import Channel
from engine.features.definition import boolean, double, integer, string
from engine.profile.facts import MS_PER_HOUR, hour_of_week

if TYPE_CHECKING:
    from contract.scored import FeatureValue
    from engine.features.windows import Windows
    from engine.profile import Profile
    from engine.profile.facts import PaymentFacts

FEATURES: Final = (
    double("amount", "major units", "Amount in the payment's own currency."),
    double("amount_base", "base currency", "Amount in the base currency."),
    string("currency", "ISO 4217 code of the payment."),
    string("country", "Country of the payment; empty where it is not known."),
    string(
        "channel",
        "Channel of the payment: `in_person`, `atm`, `online`, `app`, `transfer`, `other`, or `unknown` where none, or no known word, was sent.",
        version=2,
    ),
    string("merchant_category", "Category of the merchant, as sent; empty where it is not known."),
    integer("hour_of_day", "h", "Hour of the event time in UTC, 0 to 23."),
    boolean("is_weekend", "Saturday or Sunday in UTC."),
    boolean("is_round_amount", "A whole multiple of 100 in the payment's own currency, and not 0."),
    boolean(
        "is_just_below_threshold", "At most 5% below 1,000, 3,000, 5,000 or 10,000 in the base currency."
    ),
    boolean(
        "is_micro_amount", "At most 2 in the base currency: what a card tester pays; false without a rate."
    ),
    string("channel_as_sent", "The sender's own word for the channel; empty where none was sent."),
    boolean("is_currency_assumed", "No currency was sent; the payment is taken to be in USD."),
    integer(
        "invalid_field_count", "1", "Fields that were sent and could not be used; their values are left out."
    ),
)

ROUND_AMOUNT_MULTIPLE: Final = 100
REPORTING_THRESHOLDS_BASE: Final[tuple[float, ...]] = (1_000.0, 3_000.0, 5_000.0, 10_000.0)
"""Amounts in the base currency below which structured payments hide."""
JUST_BELOW_SHARE: Final = 0.05
_JUST_BELOW_FROM: Final = tuple(threshold * (1 - JUST_BELOW_SHARE) for threshold in REPORTING_THRESHOLDS_BASE)
_CHANNEL_NAMES: Final = {channel: channel.value for channel in Channel}
"""An enumeration's ``value`` takes ten times as long."""
_SATURDAY_HOURS: Final = 5 * 24


def compute(facts: PaymentFacts, _profile: Profile, windows: Windows) -> tuple[FeatureValue, ...]:
    """Compute :data:`FEATURES`, in their order."""
    transaction = facts.transaction
    amount = float(transaction.amount)
    hour = facts.at_ms // MS_PER_HOUR
    return (
        amount,
        windows.amount_base,
        transaction.currency,
        facts.country or "",
        _CHANNEL_NAMES[transaction.channel_kind],
        transaction.merchant_category or "",
        hour % 24,
        hour_of_week(hour) >= _SATURDAY_HOURS,
        amount > 0 and amount % ROUND_AMOUNT_MULTIPLE == 0,
        _is_just_below(windows.amount_base),
        windows.is_micro,
        transaction.channel or "",
        transaction.is_currency_assumed,
        len(transaction.invalid_fields),
    )


def _is_just_below(amount_base: float) -> bool:
    place = bisect_right(REPORTING_THRESHOLDS_BASE, amount_base)
    return place < len(REPORTING_THRESHOLDS_BASE) and amount_base >= _JUST_BELOW_FROM[place]
