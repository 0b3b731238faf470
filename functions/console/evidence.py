"""The figures of a payment beside what is usual for its user, and for the card, device, address, merchant or payee. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contract.scored import FeatureValue

Unit = Literal["count", "money", "km", "km/h", "days", "hours", "share", "times"]

ODD_RATIO: Final = 3.0
"""From this many times its norm on, a figure is marked."""

LEAST: Final = 0.01
"""The smallest figure that is written out."""

FEW: Final = 3
"""A smaller count is never marked: whatever is rare is many times its norm with the first payment."""


OWN_PAST_DAYS: Final = 7.0
"""From here on most of an entity's norm is its own past: that is mixed with a week of what is usual for its kind."""


class Figure(msgspec.Struct, frozen=True):
    """A figure that people look at; names are those of features."""

    title: str
    feature: str
    unit: Unit
    user: str = ""
    """What is usual for the user."""
    entity: str = ""
    """What is usual for the entity."""
    user_means: str = ""
    """What the user's norm is."""
    entity_means: str = ""
    past: str = ""
    """Feature that says since when the entity is known; empty where its norm is its own in any case."""
    kind_means: str = ""
    """What the entity's norm is where the entity has no past of its own: that of its kind. Empty where it is not shown then."""


class Line(msgspec.Struct, frozen=True):
    """A figure as a page shows it."""

    title: str
    value: str
    user: str
    """Empty where nobody knows what is usual."""
    entity: str
    is_odd: bool
    """Far above what is usual."""


FIGURES: Final = (
    Figure("Amount", "amount_base", "money", "amount_mean_30d_base", "merchant_usual_mean_base", "mean of 30 days", "merchant's mean", "merchant_known_days"),
    Figure("Largest amount before", "amount_max_recent_base", "money"),
    Figure("Paid in 1 hour", "amount_sum_1h_base", "money"),
    Figure("Paid in 24 hours", "amount_sum_24h_base", "money", "amount_per_day_30d_base", "", "a day, of 30"),
    Figure("Payments in 10 minutes", "tx_count_10m", "count"),
    Figure("Payments in 24 hours", "tx_count_24h", "count", "tx_per_day_30d", "", "a day, of 30"),
    Figure("Micro amounts in 1 hour", "micro_amount_count_1h", "count"),
    Figure("Cards in 1 hour", "card_count_1h", "count"),
    Figure("Countries in 24 hours", "country_count_24h", "count"),
    Figure("Distance from the place before", "distance_from_last_km", "km"),
    Figure("Speed that explains both places", "implied_speed_kmh", "km/h"),
    Figure("Usual payments at this hour of the week", "hour_of_week_share", "share"),
    Figure("Usual payments from this device before", "device_tx_count", "count", "usual_tx_count", "", "usual payments in all"),
    Figure("Usual payments to this payee before", "payee_tx_count", "count", "usual_tx_count", "", "usual payments in all"),
    Figure("Usual payments to this merchant before", "merchant_tx_count", "count", "usual_tx_count", "", "usual payments in all"),
    Figure("Usual payments in this country before", "country_tx_count", "count", "usual_tx_count", "", "usual payments in all"),
    Figure("Age of the account", "account_age_days", "days"),
    Figure("Reviewed in 30 days", "review_count_30d", "count"),
    Figure("Blocked in 30 days", "block_count_30d", "count"),
    Figure("Users of the card in 30 days", "card_users_30d", "count"),
    Figure("Users of the device in 24 hours", "device_users_24h", "count"),
    Figure("Payments from the device in 1 hour", "device_payments_1h", "count", "", "device_usual_payments_1h", "", "device's usual", "device_known_days", "usual of devices in general"),
    Figure("Users of the address in 1 hour", "ip_users_1h", "count"),
    Figure("Payments from the address in 1 hour", "ip_payments_1h", "count", "", "ip_usual_payments_1h", "", "address's usual", "ip_known_days", "usual of addresses in general"),
    Figure("Payments from the network in 1 hour", "network_payments_1h", "count", "", "network_usual_payments_1h", "", "network's usual"),
    Figure("Payments to the merchant in 1 hour", "merchant_payments_1h", "count", "", "merchant_usual_payments_1h", "", "merchant's usual", "merchant_known_days", "usual of merchants in general"),
    Figure("Micro amounts to the merchant in 1 hour", "merchant_micro_payments_1h", "count", "", "merchant_usual_micro_payments_1h", "", "merchant's usual", "merchant_known_days", "usual of merchants in general"),
    Figure("First-time payers of the payee in 24 hours", "payee_first_payments_24h", "count", "", "payee_usual_payments_24h", "", "payee's usual, of all payers", "payee_known_days", "usual of payees in general"),
    Figure("Paid to the payee in 24 hours", "payee_amount_24h_base", "money"),
    Figure("Fraud rate of the card", "card_fraud_rate_30d", "share", "", "usual_fraud_rate_30d", "", "of all payments"),
    Figure("Fraud rate of the device", "device_fraud_rate_30d", "share", "", "usual_fraud_rate_30d", "", "of all payments"),
    Figure("Fraud rate of the address", "ip_fraud_rate_30d", "share", "", "usual_fraud_rate_30d", "", "of all payments"),
    Figure("Fraud rate of the merchant", "merchant_fraud_rate_30d", "share", "", "usual_fraud_rate_30d", "", "of all payments"),
    Figure("Fraud rate of the payee", "payee_fraud_rate_30d", "share", "", "usual_fraud_rate_30d", "", "of all payments"),
    Figure("Fraud probability of the model", "fraud_probability", "share", "", "usual_fraud_rate_30d", "", "of all payments"),
)  # fmt: skip
"""In the order of the page: the money, the pace, the place, what is familiar, others, labels."""

DERIVED: Final = frozenset({"tx_per_day_30d", "amount_per_day_30d_base"})
"""Norms that follow from several features."""

_SMALLER_IS_ODD: Final = frozenset(
    {"device_tx_count", "payee_tx_count", "merchant_tx_count", "country_tx_count"}
)
_ODD_WHERE_MISSING: Final = {
    "device_tx_count": "is_unfamiliar_device",
    "payee_tx_count": "is_unfamiliar_payee",
    "merchant_tx_count": "is_unfamiliar_merchant",
    "country_tx_count": "is_unfamiliar_country",
}
"""A count of nothing says something only where the features say that the value is unfamiliar."""


def evidence(features: Mapping[str, FeatureValue], base_currency: str | None) -> tuple[Line, ...]:
    """Show a payment's figures beside their norms.

    Parameters
    ----------
    features : Mapping[str, FeatureValue]
        By name; empty where the row's version is not known here.
    base_currency : str | None
        Of the ruleset that decided.

    Returns
    -------
    tuple[Line, ...]
        Those that say something: a figure of 0 whose norm is 0 or unknown is left out.
    """
    known = {name: float(value) for name, value in features.items() if isinstance(value, int | float)}
    known |= _derived(known)
    lines = (_line(figure, known, base_currency or "") for figure in FIGURES)
    return tuple(line for line in lines if line is not None)


def odd_first(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Lines with the marked ones before the others, each in their order."""
    return tuple(sorted(lines, key=lambda line: not line.is_odd))


def _derived(known: Mapping[str, float]) -> dict[str, float]:
    norms = {}
    rate = known.get("tx_rate_ratio_24h", 1.0)
    if rate and rate != 1.0:
        norms["tx_per_day_30d"] = known.get("tx_count_24h", 0.0) / rate
        norms["amount_per_day_30d_base"] = norms["tx_per_day_30d"] * known.get("amount_mean_30d_base", 0.0)
    return norms


def _line(figure: Figure, known: Mapping[str, float], base_currency: str) -> Line | None:
    value = known.get(figure.feature, 0.0)
    user, entity = known.get(figure.user, 0.0), known.get(figure.entity, 0.0)
    has_past = not figure.past or known.get(figure.past, 0.0) >= OWN_PAST_DAYS
    entity_means = figure.entity_means if has_past else figure.kind_means
    if not entity_means:
        entity = 0.0
    if figure.feature in _SMALLER_IS_ODD:
        is_odd = bool(known.get(_ODD_WHERE_MISSING[figure.feature], 0.0))
        if not value and not is_odd:
            return None
    else:
        is_few = figure.unit == "count" and value < FEW
        is_odd = not is_few and any(norm and value >= ODD_RATIO * norm for norm in (user, entity))
        is_itself = (
            value == (1 if figure.unit == "count" else known.get("amount_base"))
            and figure.feature != "amount_base"
        )
        # A count of one payment, or the money of one, is this payment's own.
        if not value or (is_itself and figure.unit in {"count", "money"}):
            return None
    return Line(
        title=figure.title,
        value=figure_text(value, figure.unit, base_currency),
        user=_norm_text(user, figure.user_means, figure.unit, base_currency),
        entity=_norm_text(entity, entity_means, figure.unit, base_currency),
        is_odd=is_odd,
    )


def _norm_text(norm: float, means: str, unit: Unit, base_currency: str) -> str:
    return f"{figure_text(norm, unit, base_currency)} ({means})" if norm and means else ""


def figure_text(value: float, unit: Unit, base_currency: str = "") -> str:
    """Write a figure with its unit.

    >>> figure_text(1250.5, "money", "USD"), figure_text(0.0042, "share"), figure_text(3.0, "count"), figure_text(0.25, "count")
    ('1,250.50 USD', '0.42%', '3', '0.25')
    >>> figure_text(0.004, "count"), figure_text(0.0049, "money", "USD")
    ('less than 0.01', 'less than 0.01 USD')
    """
    if unit != "share" and 0 < value < LEAST:
        return f"less than {figure_text(LEAST, unit, base_currency)}"
    if unit == "money":
        return f"{value:,.2f} {base_currency}".strip()
    if unit == "share":
        return f"{value * 100:.2g}%" if value < 0.1 else f"{value:.0%}"
    digits = 0 if value == int(value) or value >= 100 else (2 if value < 1 else 1)
    text = f"{value:,.{digits}f}"
    return text if unit in {"count", "times"} else f"{text} {unit}"
