"""Which features a model learns from, and in which direction the field demands that it goes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from engine.model.document import UsedFeature
from engine.model.tables import USABLE

if TYPE_CHECKING:
    from collections.abc import Container

NOT_LEARNT: Final = {
    "amount": "in currencies that cannot be compared; amount_base can",
    **dict.fromkeys(
        ("currency", "country"),
        "where somebody pays is no reason to suspect them; whether it is new to them may be",
    ),
    "channel_as_sent": "words of one sender; channel is the same for all",
    **dict.fromkeys(
        ("review_count_24h", "review_count_30d", "block_count_24h", "block_count_30d"),
        "what was decided earlier is no evidence, or the model would learn from itself",
    ),
    **dict.fromkeys(
        (
            "entities_warming_up",
            "entities_partial",
            "saturated_entities",
            "are_windows_incomplete",
            "risk_age_days",
            "usual_fraud_rate_30d",
        ),
        "says how much the system knows by now, not what the payment is",
    ),
    **dict.fromkeys(
        ("invalid_field_count", "is_currency_assumed", "event_delay_minutes", "is_event_time_believed"),
        "says how good a feed is, and another feed is otherwise",
    ),
}
"""Feature to why no model learns from it."""

_RISING: Final = re.compile(r".*_(frauds_[0-9]+d|fraud_rate_[0-9]+d|fraud_run)")
"""Names of features that may never lower the probability: more reported fraud at a merchant, device, address, card or payee."""


def columns(without: Container[str] = ()) -> tuple[UsedFeature, ...]:
    """Give the features that a model learns from, in the order of the catalogue.

    Parameters
    ----------
    without : Container[str]
        More features to leave out.
    """
    return tuple(
        UsedFeature(each.name, each.type, each.version, 1 if _RISING.fullmatch(each.name) else 0)
        for each in USABLE
        if each.name not in NOT_LEARNT and each.name not in without
    )
