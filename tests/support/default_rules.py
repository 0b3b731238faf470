"""The default ruleset, and a usual payment's features for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.rules.ruleset import parse_ruleset

if TYPE_CHECKING:
    from contract.scored import FeatureValue

DEFAULT = Path("rules/default.yaml").read_text()
RULESET = parse_ruleset(DEFAULT, "rules/default.yaml")

USUAL: dict[str, FeatureValue] = {
    "profile_tx_count": 80,
    "account_age_days": 200.0,
    "amount": 40.0,
    "amount_base": 40.0,
    "amount_mean_30d_base": 45.0,
    "amount_ratio_to_mean_30d": 0.9,
    "amount_percentile_recent": 0.5,
    "amount_max_recent_base": 300.0,
    "tx_count_1m": 1,
    "tx_count_10m": 1,
    "tx_count_1h": 1,
    "tx_count_24h": 2,
    "tx_count_7d": 10,
    "tx_count_30d": 40,
    "tx_rate_ratio_24h": 1.5,
    "amount_sum_24h_base": 80.0,
    "merchant_count_1h": 1,
    "minutes_since_last_tx": 300.0,
    "is_location_known": True,
    "distance_from_last_km": 4.0,
    "country": "US",
    "currency": "USD",
    "channel": "in_person",
    "hour_of_day": 14,
    "hour_of_week_share": 0.02,
    "payee_age_days": 100.0,
    "device_age_days": 190.0,
    "merchant_age_days": 90.0,
    "country_age_days": 200.0,
    "payee_tx_count": 6,
    "device_tx_count": 60,
    "merchant_tx_count": 12,
    "country_tx_count": 78,
    "is_event_time_believed": True,
    "entities_warming_up": "",
}

SAME = {
    "profile_tx_count": ("usual_tx_count",),
    "amount_ratio_to_mean_30d": (
        "amount_ratio_to_median_recent",
        "amount_ratio_to_trimmed_mean_recent",
        "amount_ratio_to_p90_recent",
    ),
}
"""Features that are the same in these examples unless they are given."""


def whole_features(values: dict[str, FeatureValue]) -> dict[str, FeatureValue]:
    """With what follows: what is new is not familiar, has no age, and was never paid with."""
    whole = {**USUAL, **values}
    for name, others in SAME.items():
        whole |= {other: whole[name] for other in others if other not in whole}
    for kind in ("device", "payee", "merchant", "country"):
        if whole.get(f"is_new_{kind}"):
            whole |= {f"is_unfamiliar_{kind}": True, f"{kind}_age_days": 0.0, f"{kind}_tx_count": 0}
        elif f"{kind}_age_days" in values:
            whole |= {f"is_unfamiliar_{kind}": True, f"{kind}_tx_count": values.get(f"{kind}_tx_count", 1)}
    return whole
