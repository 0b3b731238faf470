"""What the console of an environment costs a month, for docs/cost.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ops.prices import GB, HOURS
from ops.usage import values_of

if TYPE_CHECKING:
    from ops.prices import Prices

FUNCTION_GB: Final = 1.0
"""Memory of the console's function: 1,024 MiB."""


def console_usd(people: float, endpoint_zones: int, usage: dict[str, Any], prices: Prices) -> float:
    """Estimate one month: requests, the function, the tables that it reads and writes, people, what watches it, and an endpoint.

    Parameters
    ----------
    people : float
        Who sign in during the month.
    endpoint_zones : int
        Zones of an endpoint that the environment makes for it; 0 where it makes none.
    usage : dict
        ``docs/cost/usage.yaml``.
    prices : Prices
        Of a unit.

    Returns
    -------
    float
        US dollars.
    """
    use = values_of(usage, "console")
    constant = values_of(usage, "constant")
    millionths = (
        prices.of("units", "api_request_million")
        + prices.of("units", "function_request_million")
        + use["read_units"] * prices.of("units", "read_request_million")
        + use["write_units"] * prices.of("units", "write_request_million")
    )
    request_usd = (
        millionths / 1e6
        + use["function_ms"] / 1000 * FUNCTION_GB * prices.of("units", "function_gb_second")
        + use["log_bytes"] / GB * prices.of("units", "log_gb")
    )
    watched_usd = constant["console_alarm_metrics"] * prices.of("units", "alarm_month") + constant[
        "console_metrics"
    ] * prices.of("units", "metric_month")
    return (
        people * (use["requests"] * request_usd + prices.of("units", "person_month"))
        + watched_usd
        + endpoint_zones * HOURS * prices.of("units", "endpoint_zone_hour")
    )
