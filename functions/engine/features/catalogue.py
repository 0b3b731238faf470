"""Every feature, defined once: name, type, unit and a sentence. The rules' CEL environment and docs/features.md are made from this.

What "so far" and a window cover: payments up to and including the one being scored, by event time. A window of an hour is
the half-open interval (t - 1 h, t]. Amounts called ``_base`` are in major units of the ruleset's base currency.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

FEATURE_SET: Final = "3"
"""Version of the catalogue; goes up when a feature is added, removed, moved or computed differently."""

FeatureType = Literal["double", "int", "bool", "string"]


class FeatureDefinition(msgspec.Struct, frozen=True):
    """One feature as rules and people see it."""

    name: str
    type: FeatureType
    unit: str
    """SI or currency unit; ``1`` for a ratio or count, ``-`` for text and truth values."""
    description: str


def _double(name: str, unit: str, description: str) -> FeatureDefinition:
    return FeatureDefinition(name, "double", unit, description)


def _int(name: str, unit: str, description: str) -> FeatureDefinition:
    return FeatureDefinition(name, "int", unit, description)


def _bool(name: str, description: str) -> FeatureDefinition:
    return FeatureDefinition(name, "bool", "-", description)


def _string(name: str, description: str) -> FeatureDefinition:
    return FeatureDefinition(name, "string", "-", description)


CATALOGUE: Final[tuple[FeatureDefinition, ...]] = (
    # The payment itself
    _double("amount", "major units", "Amount in the payment's own currency."),
    _double("amount_base", "base currency", "Amount in the base currency."),
    _string("currency", "ISO 4217 code of the payment."),
    _string("country", "Country of the payment; empty where it is not known."),
    _string("channel", "Channel of the payment, as sent; empty where it is not known."),
    _string("merchant_category", "Category of the merchant, as sent; empty where it is not known."),
    _int("hour_of_day", "h", "Hour of the event time in UTC, 0 to 23."),
    _bool("is_weekend", "Saturday or Sunday in UTC."),
    _bool("is_round_amount", "A whole multiple of 100 in the payment's own currency, and not 0."),
    _bool("is_just_below_threshold", "At most 5% below 1,000, 3,000, 5,000 or 10,000 in the base currency."),
    _bool("is_micro_amount", "At most 2 in the base currency: what a card tester pays; false without a rate."),
    # The amount against the user's own norm
    _double("amount_mean_30d_base", "base currency", "Mean amount of the 30 days before; 0 without any."),
    _double("amount_std_30d_base", "base currency", "Standard deviation of the amounts of the 30 days before."),
    _double("amount_ratio_to_mean_30d", "1", "Amount over that mean; 1 without a mean."),
    _double("amount_zscore_30d", "1", "Distance from that mean in standard deviations; 0 with fewer than 5 payments."),
    _double("amount_percentile_recent", "1", "Share of the recent payments that were smaller, 0 to 1; 0.5 without any."),
    _double("amount_max_recent_base", "base currency", "Largest of the recent payments; 0 without any."),
    # Velocity
    _int("tx_count_1m", "1", "Payments in 1 minute."),
    _int("tx_count_10m", "1", "Payments in 10 minutes."),
    _int("tx_count_1h", "1", "Payments in 1 hour."),
    _int("tx_count_24h", "1", "Payments in 24 hours."),
    _int("tx_count_7d", "1", "Payments in 7 days."),
    _int("tx_count_30d", "1", "Payments in 30 days."),
    _double("amount_sum_10m_base", "base currency", "Amounts in 10 minutes, added up."),
    _double("amount_sum_1h_base", "base currency", "Amounts in 1 hour, added up."),
    _double("amount_sum_24h_base", "base currency", "Amounts in 24 hours, added up."),
    _double("amount_sum_7d_base", "base currency", "Amounts in 7 days, added up."),
    _double("amount_sum_30d_base", "base currency", "Amounts in 30 days, added up."),
    _double("tx_rate_ratio_24h", "1", "Payments in 24 hours over the daily mean of the 30 days before; 1 without any."),
    _int("micro_amount_count_1h", "1", "Micro amounts in 1 hour."),
    _int("merchant_count_1h", "1", "Different merchants in 1 hour."),
    _int("card_count_1h", "1", "Different cards in 1 hour."),
    _int("country_count_24h", "1", "Different countries in 24 hours."),
    _double("minutes_since_last_tx", "min", "Since the payment before; 0 for the first."),
    # Place
    _bool("is_location_known", "The payment has coordinates."),
    _double("distance_from_last_km", "km", "Great-circle distance from the last known place; 0 where one is unknown."),
    _double(
        "implied_speed_kmh",
        "km/h",
        "Speed that explains both places, after the uncertainty of city-level positions; 0 where unknown.",
    ),
    _bool("is_location_change", "Another place than the last payment's; false for a payment that comes late."),
    _bool("is_country_change", "Another country than the last payment's."),
    # Seen before?
    _bool("is_new_country", "First payment in this country, and not the first of all."),
    _bool("is_new_device", "First payment from this device, and not the first of all."),
    _bool("is_new_merchant", "First payment to this merchant, and not the first of all."),
    _bool("is_new_payee", "First payment to this payee, and not the first of all."),
    _bool("is_new_channel", "First payment on this channel, and not the first of all."),
    _bool("is_new_currency", "First payment in this currency, and not the first of all."),
    _double("device_age_days", "d", "Since this device was first seen; 0 for a new or unknown one."),
    _double("payee_age_days", "d", "Since this payee was first seen; 0 for a new or unknown one."),
    # Habit and age
    _double("hour_of_week_share", "1", "Share of all earlier payments within an hour of this hour of the week; 0 without any."),
    _int("profile_tx_count", "1", "Payments in the profile before this one."),
    _double("account_age_days", "d", "Since the user's first payment."),
    _double("days_since_last_tx", "d", "Since the user's last payment; 0 for the first."),
)  # fmt: skip
"""All features, in the order in which a history row stores their values."""

FEATURE_NAMES: Final[tuple[str, ...]] = tuple(feature.name for feature in CATALOGUE)
"""Their names, in that order."""
