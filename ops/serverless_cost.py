"""What MSK Serverless would cost, for docs/cost.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ops.prices import GB, HOURS

if TYPE_CHECKING:
    from ops.prices import Prices
    from ops.sizing import Sizing


def serverless_usd(payments: float, size: Sizing, usage: dict[str, Any], prices: Prices) -> float:
    """What MSK Serverless would cost instead of the brokers and their disks, in US dollars a month."""
    gb = payments * float(usage["payment"]["record_bytes"]["value"]) / GB
    return (
        HOURS * prices.of("units", "serverless_cluster_hour")
        + HOURS * size.partitions * prices.of("units", "serverless_partition_hour")
        + gb * (prices.of("units", "serverless_in_gb") + prices.of("units", "serverless_out_gb"))
        + gb * size.retention_hours / HOURS * prices.of("units", "serverless_storage_gb_month")
    )
