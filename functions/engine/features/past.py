"""Catalogues of earlier versions, so that their rows can still be read: names and types, in the order of the stored values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from engine.features.definition import FeatureType

_Types = tuple[tuple["FeatureType", str], ...]
"""Runs of features of one type: the type, and the names."""

_RUNS: Final[dict[str, _Types]] = {
    "861800": (
        (
            "double",
            """
            amount amount_base
        """,
        ),
        (
            "string",
            """
            currency country channel merchant_category
        """,
        ),
        (
            "int",
            """
            hour_of_day
        """,
        ),
        (
            "bool",
            """
            is_weekend is_round_amount is_just_below_threshold is_micro_amount
        """,
        ),
        (
            "double",
            """
            amount_mean_30d_base amount_std_30d_base amount_ratio_to_mean_30d amount_zscore_30d
            amount_percentile_recent amount_max_recent_base
        """,
        ),
        (
            "int",
            """
            tx_count_1m tx_count_10m tx_count_1h tx_count_24h tx_count_7d tx_count_30d
        """,
        ),
        (
            "double",
            """
            amount_sum_10m_base amount_sum_1h_base amount_sum_24h_base amount_sum_7d_base amount_sum_30d_base
            tx_rate_ratio_24h
        """,
        ),
        (
            "int",
            """
            micro_amount_count_1h merchant_count_1h card_count_1h country_count_24h
        """,
        ),
        (
            "double",
            """
            minutes_since_last_tx
        """,
        ),
        (
            "bool",
            """
            is_location_known
        """,
        ),
        (
            "double",
            """
            distance_from_last_km implied_speed_kmh
        """,
        ),
        (
            "bool",
            """
            is_location_change is_country_change is_new_country is_new_device is_new_merchant is_new_payee
            is_new_channel is_new_currency
        """,
        ),
        (
            "double",
            """
            device_age_days payee_age_days hour_of_week_share
        """,
        ),
        (
            "int",
            """
            profile_tx_count
        """,
        ),
        (
            "double",
            """
            account_age_days days_since_last_tx
        """,
        ),
    ),
}

PAST_CATALOGUES: Final[dict[str, tuple[tuple[str, FeatureType], ...]]] = {
    feature_set: tuple((name, kind) for kind, names in runs for name in names.split())
    for feature_set, runs in _RUNS.items()
}
"""Feature set to (name, type), in order. Before a release changes the catalogue, its names and types are added here."""
