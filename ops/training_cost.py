"""What one training in AWS costs, for docs/cost.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ops.prices import GB
from ops.usage import values_of

if TYPE_CHECKING:
    from ops.prices import Prices

DAYS: Final = 30
"""Of a month."""


def training_usd(payments: float, usage: dict[str, Any], prices: Prices) -> float:
    """Estimate one training: the exports of both tables, and the job.

    Parameters
    ----------
    payments : float
        Of a month.
    usage : dict
        ``docs/cost/usage.yaml``.
    prices : Prices
        Of a unit.

    Returns
    -------
    float
        US dollars.
    """
    payment = values_of(usage, "payment")
    constant = values_of(usage, "constant")
    rows_gb = payments * constant["history_days"] / DAYS * payment["history_bytes"] / GB
    return rows_gb * prices.of("units", "export_gb") + constant["training_hours"] * prices.of(
        "units", "training_hour"
    )
