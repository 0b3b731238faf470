"""How large an environment is, read from its variables file: what `ops.cost` computes its bill from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from ops.environment import ENVIRONMENTS, ROOT
from ops.tfvars import flatten, read_file

if TYPE_CHECKING:
    from pathlib import Path

ZONES: Final = 3


class Sizing(msgspec.Struct, frozen=True):
    """How large an environment is; sizes as AWS names them."""

    broker_type: str
    brokers_per_zone: int
    broker_gib: int
    partitions: int
    retention_hours: int
    cache_type: str
    cache_nodes: int
    worker_type: str
    workers: int
    endpoint_zones: int
    log_days: int
    poller_units: int
    always_on: bool = True
    """Whether the job and the pollers run at night, too."""
    provisioned_history: bool = False
    """Whether the history has provisioned capacity instead of on demand."""
    transaction_index: bool = True
    """Whether the history has the index by transaction id."""
    traces: bool = True
    canary: bool = True
    console: bool = False
    """Whether people have a console."""
    console_endpoint: bool = False
    """Whether it has an interface endpoint of its own."""
    audit: bool = False
    malware_scan: bool = False
    backup_days: int = 0
    """How long each copy of the tables is kept; 0 for none."""
    backup_vaults: int = 1
    """2 if another account gets the copies too."""
    backup_has_history: bool = False

    @property
    def brokers(self) -> int:
        """In all zones."""
        return ZONES * self.brokers_per_zone


def sizing_of(environment: str, root: Path = ROOT) -> Sizing:
    """Read an environment's size from its variables file; settings that are not in it have the root module's default."""
    values, _ = read_file(root / ENVIRONMENTS / environment / f"{environment}.tfvars")
    flat: dict[str, Any] = dict(flatten(values))
    return Sizing(
        broker_type=flat["kafka.brokers.instance_type"],
        brokers_per_zone=flat.get("kafka.brokers.per_zone", 1),
        broker_gib=flat["kafka.brokers.volume_gib"],
        partitions=flat["kafka.partitions"],
        retention_hours=flat.get("kafka.retention_hours", 168),
        cache_type=flat["cache.node_type"],
        cache_nodes=1 + flat["cache.replicas.minimum"],
        worker_type=flat.get("ingestion.worker_type", "G.025X"),
        workers=flat.get("ingestion.maximum_workers", 4),
        endpoint_zones=flat.get("endpoint_zone_count", 3),
        log_days=flat["log_retention_days"],
        poller_units=1,
        always_on=flat.get("enable_always_on", True),
        provisioned_history="provisioned_tables.transaction_history.write_minimum" in flat,
        transaction_index=flat.get("enable_transaction_index", True),
        traces=flat.get("enable_traces", True),
        canary="canary" not in flat.get("disabled_schedules", []),
        console="console.endpoint_type" in flat,
        console_endpoint=flat.get("console.endpoint_type") == "PRIVATE"
        and "console.vpc_endpoint_id" not in flat,
        audit=flat.get("enable_audit", False),
        malware_scan=flat.get("enable_malware_scan", False),
        backup_days=flat.get("backup.retention_days", 0),
        backup_vaults=2 if "backup.copy_to_vault_arn" in flat else 1,
        backup_has_history=flat.get("backup.includes_history", False),
    )
