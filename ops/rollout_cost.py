"""What it costs to count both sides of a ruleset, for docs/cost.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ops.prices import HOURS
from ops.usage import values_of

if TYPE_CHECKING:
    from ops.prices import Prices


def rollout_usd(usage: dict[str, Any], prices: Prices) -> float:
    """Estimate one month of counts in ``rollout_counts``, in US dollars: what the processes of `score` write, however many payments there are.

    Parameters
    ----------
    usage : dict
        ``docs/cost/usage.yaml``.
    prices : Prices
        Of a unit.
    """
    use = values_of(usage, "rollout")
    rows = use["processes"] * use["rows_per_minute"] * 60 * HOURS
    return rows * use["write_units"] / 1e6 * prices.of("units", "write_request_million")
