"""What earlier versions stored, kept as they stored it."""

from __future__ import annotations

from decimal import Decimal

from tests.support.histories import DAY_S, facts_at

PROFILE_OF_FORMAT_1 = (
    "AQUBBAkAAAAFAAAAAAAAAAD8Q1qgAQAAAMgDdKABAABLwx2xh1RgZMP1KFyPQkpAj8L1KFzPKkAAyAN0oAEAAIzRpUD+////AAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAQEBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAPxDWqABAABn7npaoAEAAADZsVqgAQAAAGzdbqABAAAAyAN0oAEAAFH/WKvsLXqo7QfpfexZz9ujfLKz"
    "jBTma7hBEb9OFGe2S8MdsYdUYGTECQAAAAAAAMQJAAAAAAAAQB8AAAAAAADECQAAAAAAAPoAAAAAAAAALy+SLy+027rOtNu6zrTb"
    "us6027rOtNu6zpTT7GSU0+xklNPsZJTT7GSU0+xk4S1606TKn2LhLXrTpMqfYuEtetPQlAcALwEAAAD6AAAAAAAAANlQAADZUAAA"
    "3VAAAN5QAAAvki8vAgAAAAEAAAABAAAAAQAAAIgTAAAAAAAAQB8AAAAAAADECQAAAAAAAPoAAAAAAAAAILy+AAAAAAAAkNADAAAA"
    "ABBeXwAAAAAAJPQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAMGzJi6gyp9iVb4RdWQkpqp54i+39Q+5y7Lb"
    "us7gLXrTk+tE2oBbm2qQI5ZqoDGWaoAVlmqAFZZqgBWWaoAVlmqAFZZqgBWWaoBbm2qAW5tqoDGWagCtnGoArZxqAK2cagCtnGoA"
    "rZxqgBWWamkAwPEEAAAAAAAAAA=="
)
"""The profile of :data:`PROFILE_PAYMENTS`, in base64."""

PROFILE_PAYMENTS = [
    facts_at(0, "t-1", payee_id="p-1"),
    facts_at(7_200, "t-2", amount=Decimal(80), currency="USD"),
    facts_at(4 * DAY_S, "t-3", device_id="device-2", location="Paris, FR"),
    facts_at(3_600.9996, "late", location="Lyon, FR"),
    facts_at(5 * DAY_S, "t-4", amount=Decimal("2.50")),
]
"""What the version before folded, at offsets 0 to 4."""

PACKED_BY_SET_861800 = (
    "3AAzzgAPQdzOAA9B3KNFVVKiREWsY2FyZF9wcmVzZW50p2dyb2NlcnkAw8LCws4AA5X4zgAB1MDNpjXN+P7NJxDOAAYagAEBAgIG"
    "Bs4AD0HczgAPo4TOAA+jhM4AIS+0zgAhL7TNTnMAAQEBzgAEk+DDAADCwsLCwsPCws3EIADNB9AFzcQgzNA="
)
"""The features of a payment after those five in base64, as a row of set 861800 has them;"""

FEATURES_OF_SET_861800: dict[str, bool | int | float | str] = {
    "amount": 99.99,
    "amount_base": 99.99,
    "currency": "EUR",
    "country": "DE",
    "channel": "card_present",
    "merchant_category": "grocery",
    "hour_of_day": 0,
    "is_weekend": True,
    "is_round_amount": False,
    "is_just_below_threshold": False,
    "is_micro_amount": False,
    "amount_mean_30d_base": 23.5,
    "amount_std_30d_base": 12.0,
    "amount_ratio_to_mean_30d": 4.2549,
    "amount_zscore_30d": 6.3742,
    "amount_percentile_recent": 1.0,
    "amount_max_recent_base": 40.0,
    "tx_count_1m": 1,
    "tx_count_10m": 1,
    "tx_count_1h": 2,
    "tx_count_24h": 2,
    "tx_count_7d": 6,
    "tx_count_30d": 6,
    "amount_sum_10m_base": 99.99,
    "amount_sum_1h_base": 102.49,
    "amount_sum_24h_base": 102.49,
    "amount_sum_7d_base": 217.49,
    "amount_sum_30d_base": 217.49,
    "tx_rate_ratio_24h": 2.0083,
    "micro_amount_count_1h": 0,
    "merchant_count_1h": 1,
    "card_count_1h": 1,
    "country_count_24h": 1,
    "minutes_since_last_tx": 30.0,
    "is_location_known": True,
    "distance_from_last_km": 0.0,
    "implied_speed_kmh": 0.0,
    "is_location_change": False,
    "is_country_change": False,
    "is_new_country": False,
    "is_new_device": False,
    "is_new_merchant": False,
    "is_new_payee": True,
    "is_new_channel": False,
    "is_new_currency": False,
    "device_age_days": 5.0208,
    "payee_age_days": 0.0,
    "hour_of_week_share": 0.2,
    "profile_tx_count": 5,
    "account_age_days": 5.0208,
    "days_since_last_tx": 0.0208,
}
"""and by name."""
