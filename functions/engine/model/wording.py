"""What a feature's value is called in a model's reason: a template as in a rule's reason, or two.

Of a truth value there is one for true and one for false. Of the time since something, the second is for 0: there is no such thing.

A model does not say why a value is suspicious, only that such values were so, or were not, in the payments that it learnt from. So the
words state the value, and nothing else. A count comes last, so that the words are right for one, too.
"""

from __future__ import annotations

from typing import Final

Wording = str | tuple[str, str]
"""A template; or two, the second for false or 0."""

_USER: Final[dict[str, Wording]] = {
    "amount": "{amount:,.2f} {currency} were paid",
    "amount_base": "{amount_base:,.2f} {base_currency} were paid",
    "currency": "the currency is {currency}",
    "country": "the country is {country}",
    "channel": "the channel is {channel}",
    "merchant_category": "the merchant's category is {merchant_category}",
    "hour_of_day": "it is {hour_of_day} h UTC",
    "is_weekend": ("it is a weekend", "it is a working day"),
    "is_round_amount": ("the amount is a multiple of 100", "the amount is no multiple of 100"),
    "is_just_below_threshold": (
        "the amount is just below a threshold",
        "the amount is not just below a threshold",
    ),
    "is_micro_amount": ("the amount is a micro amount", "the amount is no micro amount"),
    "channel_as_sent": "the sender calls the channel {channel_as_sent}",
    "is_currency_assumed": ("no currency was sent", "a currency was sent"),
    "invalid_field_count": "fields that cannot be used: {invalid_field_count}",
    "event_delay_minutes": "time from the date of the payment to its arrival: {event_delay_minutes:duration}",
    "is_event_time_believed": ("the event time is believed", "the event time is not believed"),
    "is_transaction_id_reused": ("the transaction id was used before", "the transaction id is new"),
    "amount_mean_30d_base": "the user's usual mean amount is {amount_mean_30d_base:,.2f} {base_currency}",
    "amount_std_30d_base": "the user's amounts vary by {amount_std_30d_base:,.2f} {base_currency}",
    "amount_ratio_to_mean_30d": "the amount is {amount_ratio_to_mean_30d:,.1f} times the user's usual mean",
    "amount_zscore_30d": "the amount is {amount_zscore_30d:,.1f} standard deviations from the user's usual mean",
    "amount_percentile_recent": "{amount_percentile_recent:.0%} of the user's newest usual amounts were smaller",
    "amount_max_recent_base": "the user's largest recent amount is {amount_max_recent_base:,.2f} {base_currency}",
    "amount_ratio_to_median_recent": "the amount is {amount_ratio_to_median_recent:,.1f} times the user's recent median",
    "amount_ratio_to_trimmed_mean_recent": "the amount is {amount_ratio_to_trimmed_mean_recent:,.1f} times the user's recent trimmed mean",
    "amount_ratio_to_p90_recent": "the amount is {amount_ratio_to_p90_recent:,.1f} times a large recent amount of the user (the 90th percentile)",
    "high_amount_count_7d": "payments far above the user's median in 7 days: {high_amount_count_7d}",
    "high_amount_count_14d": "payments far above the user's median in 14 days: {high_amount_count_14d}",
    "tx_count_1m": "payments of the user in a minute: {tx_count_1m}",
    "tx_count_10m": "payments of the user in 10 minutes: {tx_count_10m}",
    "tx_count_1h": "payments of the user in an hour: {tx_count_1h}",
    "tx_count_24h": "payments of the user in 24 hours: {tx_count_24h}",
    "tx_count_7d": "payments of the user in 7 days: {tx_count_7d}",
    "tx_count_30d": "payments of the user in 30 days: {tx_count_30d}",
    "amount_sum_10m_base": "{amount_sum_10m_base:,.2f} {base_currency} paid by the user in 10 minutes",
    "amount_sum_1h_base": "{amount_sum_1h_base:,.2f} {base_currency} paid by the user in an hour",
    "amount_sum_24h_base": "{amount_sum_24h_base:,.2f} {base_currency} paid by the user in 24 hours",
    "amount_sum_7d_base": "{amount_sum_7d_base:,.2f} {base_currency} paid by the user in 7 days",
    "amount_sum_30d_base": "{amount_sum_30d_base:,.2f} {base_currency} paid by the user in 30 days",
    "tx_rate_ratio_24h": "{tx_rate_ratio_24h:,.1f} times the user's usual number of payments a day",
    "micro_amount_count_1h": "micro amounts of the user in an hour: {micro_amount_count_1h}",
    "merchant_count_1h": "merchants that the user paid in an hour: {merchant_count_1h}",
    "card_count_1h": "cards with which the user paid in an hour: {card_count_1h}",
    "country_count_24h": "countries in which the user paid in 24 hours: {country_count_24h}",
    "are_windows_incomplete": ("the user's counts are incomplete", "the user's counts are complete"),
    "minutes_since_last_tx": (
        "the user paid {minutes_since_last_tx:duration} before",
        "the user's first payment, or another one at the same moment",
    ),
    "review_count_24h": "payments of the user that went to review in 24 hours: {review_count_24h}",
    "review_count_30d": "payments of the user that went to review in 30 days: {review_count_30d}",
    "block_count_24h": "payments of the user that were blocked in 24 hours: {block_count_24h}",
    "block_count_30d": "payments of the user that were blocked in 30 days: {block_count_30d}",
    "is_location_known": ("the place is known", "the place is not known"),
    "distance_from_last_km": "{distance_from_last_km:,.0f} km from where the user was last",
    "implied_speed_kmh": "the user would have travelled at {implied_speed_kmh:,.0f} km/h",
    "implied_speed_by_arrival_kmh": "by the arrival times the user would have travelled at {implied_speed_by_arrival_kmh:,.0f} km/h",
    "is_location_change": ("another place than where the user was last", "the place where the user was last"),
    "minutes_since_last_place": (
        "the user was at a known place {minutes_since_last_place:duration} before",
        "no earlier place of the user is known",
    ),
    "is_country_change": (
        "another country than where the user was last",
        "the country where the user was last",
    ),
    "is_new_country": ("the country is new to the user", "the country is not new to the user"),
    "is_new_device": ("the device is new to the user", "the device is not new to the user"),
    "is_new_merchant": ("the merchant is new to the user", "the merchant is not new to the user"),
    "is_new_payee": ("the payee is new to the user", "the payee is not new to the user"),
    "is_new_channel": ("the channel is new to the user", "the channel is not new to the user"),
    "is_new_currency": ("the currency is new to the user", "the currency is not new to the user"),
    "device_age_days": (
        "the user has known the device for {device_age_days:duration}",
        "the user has not known the device before, or none is named",
    ),
    "payee_age_days": (
        "the user has known the payee for {payee_age_days:duration}",
        "the user has not known the payee before, or none is named",
    ),
    "merchant_age_days": (
        "the user has known the merchant for {merchant_age_days:duration}",
        "the user has not known the merchant before, or none is named",
    ),
    "country_age_days": (
        "the user has known the country for {country_age_days:duration}",
        "the user has not known the country before, or none is named",
    ),
    "device_tx_count": "usual payments of the user from this device: {device_tx_count}",
    "payee_tx_count": "usual payments of the user to this payee: {payee_tx_count}",
    "merchant_tx_count": "usual payments of the user to this merchant: {merchant_tx_count}",
    "country_tx_count": "usual payments of the user in this country: {country_tx_count}",
    "is_unfamiliar_device": ("the device is not familiar", "no familiar device is replaced"),
    "is_unfamiliar_payee": ("the payee is not familiar", "no familiar payee is replaced"),
    "is_unfamiliar_merchant": ("the merchant is not familiar", "no familiar merchant is replaced"),
    "is_unfamiliar_country": ("the country is not familiar", "no familiar country is replaced"),
    "missing_device_share": "a device is missing that {missing_device_share:.0%} of the user's usual payments name",
    "missing_counterparty_share": "a merchant or payee is missing that {missing_counterparty_share:.0%} of the user's usual payments name",
    "missing_place_share": "a place is missing that {missing_place_share:.0%} of the user's usual payments name",
    "hour_of_week_share": "{hour_of_week_share:.0%} of the user's usual payments are at this hour of the week",
    "profile_tx_count": "payments of the user before this one: {profile_tx_count}",
    "usual_tx_count": "usual payments of the user before this one: {usual_tx_count}",
    "account_age_days": "the account is {account_age_days:duration} old",
    "days_since_last_tx": (
        "the user's last usual payment was {days_since_last_tx:duration} ago",
        "the user has no earlier usual payment",
    ),
}

_ENTITIES: Final[dict[str, Wording]] = {
    "entities_warming_up": "what is usual is not known yet of {entities_warming_up}",
    "entities_partial": "counts across users are partial: {entities_partial}",
    "saturated_entities": "counts of users are at their end: {saturated_entities}",
    "card_users_24h": "users who paid with this card in 24 hours: {card_users_24h}",
    "card_users_30d": "users who paid with this card in 30 days: {card_users_30d}",
    "card_payments_1h": "payments with this card in an hour: {card_payments_1h}",
    "card_known_days": (
        "the card was first seen {card_known_days:duration} ago",
        "the card was not seen before, or none is named",
    ),
    "device_users_1h": "users who paid from this device in an hour: {device_users_1h}",
    "device_users_24h": "users who paid from this device in 24 hours: {device_users_24h}",
    "device_users_30d": "users who paid from this device in 30 days: {device_users_30d}",
    "device_payments_1h": "payments from this device in an hour: {device_payments_1h}",
    "device_usual_payments_1h": "{device_usual_payments_1h:rate} payments an hour are usual from this device",
    "device_micro_payments_1h": "micro amounts from this device in an hour: {device_micro_payments_1h}",
    "device_young_payments_24h": "payments of young accounts from this device in 24 hours: {device_young_payments_24h}",
    "device_known_days": (
        "the device was first seen {device_known_days:duration} ago",
        "the device was not seen before, or none is named",
    ),
    "ip_users_1h": "users who paid from this address in an hour: {ip_users_1h}",
    "ip_users_24h": "users who paid from this address in 24 hours: {ip_users_24h}",
    "ip_payments_1h": "payments from this address in an hour: {ip_payments_1h}",
    "ip_usual_payments_1h": "{ip_usual_payments_1h:rate} payments an hour are usual from this address",
    "ip_micro_payments_1h": "micro amounts from this address in an hour: {ip_micro_payments_1h}",
    "ip_usual_micro_payments_1h": "{ip_usual_micro_payments_1h:rate} micro amounts an hour are usual from this address",
    "ip_known_days": (
        "the address was first seen {ip_known_days:duration} ago",
        "the address was not seen before, or none is named",
    ),
    "network_users_1h": "users who paid from this network in an hour: {network_users_1h}",
    "network_payments_1h": "payments from this network in an hour: {network_payments_1h}",
    "network_usual_payments_1h": "{network_usual_payments_1h:rate} payments an hour are usual from this network",
    "network_micro_payments_1h": "micro amounts from this network in an hour: {network_micro_payments_1h}",
    "network_usual_micro_payments_1h": "{network_usual_micro_payments_1h:rate} micro amounts an hour are usual from this network",
    "merchant_users_1h": "users who paid this merchant in an hour: {merchant_users_1h}",
    "merchant_payments_1h": "payments to this merchant in an hour: {merchant_payments_1h}",
    "merchant_usual_payments_1h": "{merchant_usual_payments_1h:rate} payments an hour are usual at this merchant",
    "merchant_micro_payments_1h": "micro amounts to this merchant in an hour: {merchant_micro_payments_1h}",
    "merchant_usual_micro_payments_1h": "{merchant_usual_micro_payments_1h:rate} micro amounts an hour are usual at this merchant",
    "merchant_micro_payments_24h": "micro amounts to this merchant in 24 hours: {merchant_micro_payments_24h}",
    "merchant_young_payments_24h": "payments of young accounts to this merchant in 24 hours: {merchant_young_payments_24h}",
    "merchant_usual_young_payments_24h": "{merchant_usual_young_payments_24h:rate} payments of young accounts a day are usual at this merchant",
    "merchant_payments_24h": "payments to this merchant in 24 hours: {merchant_payments_24h}",
    "merchant_mean_24h_base": "the merchant's mean amount of 24 hours is {merchant_mean_24h_base:,.2f} {base_currency}",
    "merchant_usual_mean_base": "the merchant's usual mean amount is {merchant_usual_mean_base:,.2f} {base_currency}",
    "merchant_known_days": (
        "the merchant was first seen {merchant_known_days:duration} ago",
        "the merchant was not seen before, or none is named",
    ),
    "payee_users_24h": "users who paid this payee in 24 hours: {payee_users_24h}",
    "payee_first_payments_24h": "users who paid this payee for the first time in 24 hours: {payee_first_payments_24h}",
    "payee_usual_payments_24h": "{payee_usual_payments_24h:rate} payments a day are usual to this payee",
    "payee_amount_24h_base": "the payee got {payee_amount_24h_base:,.2f} {base_currency} in 24 hours",
    "payee_known_days": (
        "the payee was first seen {payee_known_days:duration} ago",
        "the payee was not seen before, or none is named",
    ),
}

_RISK: Final[dict[str, Wording]] = {
    "merchant_frauds_30d": "payments to this merchant in 30 days that were reported as fraud: {merchant_frauds_30d}",
    "merchant_fraud_rate_30d": "{merchant_fraud_rate_30d:.1%} of the payments to this merchant were reported as fraud, smoothed",
    "merchant_fraud_rate_7d": "{merchant_fraud_rate_7d:.1%} of a week's payments to this merchant were reported as fraud, smoothed",
    "merchant_days_since_fraud": (
        "the last payment to this merchant that was reported as fraud was {merchant_days_since_fraud:duration} ago",
        "no payment to this merchant was reported as fraud",
    ),
    "merchant_fraud_run": "reported frauds in a row at this merchant: {merchant_fraud_run}",
    "merchant_fraud_run_days": (
        "reported frauds in a row at this merchant began {merchant_fraud_run_days:duration} ago",
        "no reported frauds in a row at this merchant",
    ),
    "device_frauds_30d": "payments from this device in 30 days that were reported as fraud: {device_frauds_30d}",
    "device_fraud_rate_30d": "{device_fraud_rate_30d:.1%} of the payments from this device were reported as fraud, smoothed",
    "device_days_since_fraud": (
        "the last payment from this device that was reported as fraud was {device_days_since_fraud:duration} ago",
        "no payment from this device was reported as fraud",
    ),
    "device_fraud_run": "reported frauds in a row from this device: {device_fraud_run}",
    "device_fraud_run_days": (
        "reported frauds in a row from this device began {device_fraud_run_days:duration} ago",
        "no reported frauds in a row from this device",
    ),
    "ip_frauds_30d": "payments from this address in 30 days that were reported as fraud: {ip_frauds_30d}",
    "ip_fraud_rate_30d": "{ip_fraud_rate_30d:.1%} of the payments from this address were reported as fraud, smoothed",
    "ip_days_since_fraud": (
        "the last payment from this address that was reported as fraud was {ip_days_since_fraud:duration} ago",
        "no payment from this address was reported as fraud",
    ),
    "card_frauds_30d": "payments with this card in 30 days that were reported as fraud: {card_frauds_30d}",
    "card_fraud_rate_30d": "{card_fraud_rate_30d:.1%} of the payments with this card were reported as fraud, smoothed",
    "card_days_since_fraud": (
        "the last payment with this card that was reported as fraud was {card_days_since_fraud:duration} ago",
        "no payment with this card was reported as fraud",
    ),
    "payee_frauds_30d": "payments to this payee in 30 days that were reported as fraud: {payee_frauds_30d}",
    "payee_fraud_rate_30d": "{payee_fraud_rate_30d:.1%} of the payments to this payee were reported as fraud, smoothed",
    "payee_days_since_fraud": (
        "the last payment to this payee that was reported as fraud was {payee_days_since_fraud:duration} ago",
        "no payment to this payee was reported as fraud",
    ),
    "usual_fraud_rate_30d": "{usual_fraud_rate_30d:.2%} of all payments were reported as fraud",
    "risk_age_days": (
        "the newest report about the merchant, device, address, card or payee is {risk_age_days:duration} old",
        "no fraud was reported of the merchant, device, address, card or payee",
    ),
}

WORDING: Final[dict[str, Wording]] = {**_USER, **_ENTITIES, **_RISK}
"""By feature."""
