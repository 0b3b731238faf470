"""What the system costs a month, line by line.

Sizes come from the environments' variables files (`ops.sizing`), use from docs/cost/usage.yaml, unit prices with their date from
docs/cost/prices.yaml. An estimate: free tiers, discounts and taxes are left out. `ops.cost_page` writes docs/cost.md from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from ops.console_cost import console_usd
from ops.prices import GB, HOURS
from ops.usage import values_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ops.prices import Prices
    from ops.sizing import Sizing

DAYS: Final = 30.4
"""In a month."""

LANDED_DAYS: Final = 7
"""How long the landing bucket keeps a file that was read."""

PLANNED_USE: Final = 0.7
"""Share of provisioned capacity that is used: autoscaling's target."""

EXPORTS_A_MONTH: Final = 0.5
"""terraform/modules/history_export exports the whole history every second month."""

INDEX_MARGIN: Final = 5
"""How often the usual writes a provisioned index takes; its capacity does not follow the load."""

PROTECTION: Final = "protection"
"""The part of the bill for audit, malware scan and backup."""

LABELS: Final = "labels"
"""The part of the bill for what people say about payments."""

SECONDS: Final = HOURS * 3600
FUNCTION_GB: Final = 1.0
"""Memory of the score stage, in GB as Lambda bills it: 1,024 MiB."""
LABEL_FUNCTION_GB: Final = 0.5
"""Memory of the label stage: 512 MiB."""


class Line(msgspec.Struct, frozen=True):
    """One line of the bill."""

    part: str
    what: str
    usd: float
    """A month."""
    grows: bool
    """Whether it grows with payments; other lines are fixed costs."""


def batch_size(payments: float, partitions: int, score_ms: float, batch_ms: float) -> float:
    """How many payments a batch of the score stage holds.

    A partition's next batch is what arrives while its last one is scored, so it grows with the rate and not with time.

    Parameters
    ----------
    payments : float
        A month, evenly.
    partitions : int
        Of the topic; each has one batch in flight.
    score_ms, batch_ms : float
        Of each payment, and of each batch of any size.

    Returns
    -------
    float
        1 to 500.
    """
    per_ms = payments / SECONDS / partitions / 1000
    if per_ms * score_ms >= 1:
        return 500.0
    return min(500.0, max(1.0, per_ms * batch_ms / (1 - per_ms * score_ms)))


def alarm_metrics(size: Sizing, usage: dict[str, Any]) -> int:
    """How many metrics the alarms of an environment watch: AWS bills alarms by them."""
    count = values_of(usage, "constant")
    return int(
        count["alarm_metrics"]
        + size.canary * count["canary_alarm_metrics"]
        + size.console * count["console_alarm_metrics"]
        + size.brokers * count["broker_alarm_metrics"]
        + size.cache_nodes * count["cache_node_alarm_metrics"]
    )


def bill(payments: float, size: Sizing, usage: dict[str, Any], prices: Prices) -> list[Line]:
    """Estimate one month.

    Parameters
    ----------
    payments : float
        Payments in the month.
    size : Sizing
        Of the environment.
    usage : dict
        docs/cost/usage.yaml.
    prices : Prices
        docs/cost/prices.yaml.

    Returns
    -------
    list of Line
        In the order of a payment's way, from the landed file to the alert; then what all of them share.
    """
    month = _Month(payments, size, usage, prices)
    return [
        *month.ingestion(),
        *month.streaming(),
        *month.score(),
        *month.tables(),
        *month.labels(),
        *month.alerts(),
        *month.cases(),
        *month.console(),
        *month.network(),
        *month.observability(),
        *month.encryption(),
        *month.protection(),
    ]


def total(lines: Iterable[Line]) -> float:
    """Sum of a bill, in US dollars a month."""
    return sum(line.usd for line in lines)


def without_protection(lines: Iterable[Line]) -> float:
    """Sum of a bill without what protects the payments from people, each by a variable; US dollars a month."""
    return total(line for line in lines if line.part != PROTECTION)


def label_usd(usage: dict[str, Any], prices: Prices) -> float:
    """What one label costs until all of its effects are set, in US dollars, without what keeps its rows."""
    use = values_of(usage, "label")
    seconds = use["stage_ms"] / 1000 * LABEL_FUNCTION_GB
    millionths = (
        use["write_units"] * prices.of("units", "write_request_million")
        + use["read_units"] * prices.of("units", "read_request_million")
        + use["queue_requests"] * prices.of("units", "queue_request_million")
        + prices.of("units", "function_request_million")
    )
    return millionths / 1e6 + seconds * prices.of("units", "function_gb_second")


def dominating(lines: list[Line]) -> list[Line]:
    """The fewest lines that make up two thirds of the bill, the largest first."""
    chosen: list[Line] = []
    for line in sorted(lines, key=lambda line: -line.usd):
        chosen.append(line)
        if total(chosen) >= total(lines) * 2 / 3:
            break
    return chosen


class _Month:
    """One month of an environment: the lines of each part of the system."""

    def __init__(self, payments: float, size: Sizing, usage: dict[str, Any], prices: Prices) -> None:
        self._payments = payments
        self._size = size
        self._usage = usage
        self._prices = prices
        self._use = values_of(usage, "payment")
        self._constant = values_of(usage, "constant")
        score_ms, batch_ms = self._use["score_ms"], self._use["score_batch_ms"]
        self._batches = payments / batch_size(payments, size.partitions, score_ms, batch_ms)
        self._score_seconds = (self._batches * batch_ms + payments * score_ms) / 1000
        self._hours = HOURS if size.always_on else self._constant["hours_on_demand"]
        self._labels = payments * self._use["label_share"]
        self._flagged_millions = payments / 1e6 * self._use["flagged_share"]

    def _unit(self, name: str) -> float:
        return self._prices.of("units", name)

    def _gb(self, bytes_name: str) -> float:
        """All payments' GB of something."""
        return self._payments * self._use[bytes_name] / GB

    def ingestion(self) -> list[Line]:
        size, landed_gb = self._size, self._gb("landed_bytes")
        workers_usd = size.workers * self._hours * self._prices.of("worker_hour", size.worker_type)
        landed_usd = landed_gb * LANDED_DAYS / DAYS * self._unit("object_gb_month")
        return [
            Line("ingestion", f"Glue, {size.workers} {size.worker_type} at most", workers_usd, False),
            Line("ingestion", f"landed files, for {LANDED_DAYS} days", landed_usd, True),
        ]

    def streaming(self) -> list[Line]:
        size, brokers = self._size, self._size.brokers
        brokers_usd = brokers * HOURS * self._prices.of("broker_hour", size.broker_type)
        disks_usd = brokers * size.broker_gib * self._unit("broker_storage_gb_month")
        # Producers and consumers, two thirds of them in another zone. MSK does not bill what brokers copy to each other.
        crossing_gb = 2 * self._gb("record_bytes") * 2 / 3
        return [
            Line("streaming", f"MSK, {brokers} {size.broker_type}", brokers_usd, False),
            Line("streaming", f"disks of {size.broker_gib} GiB", disks_usd, False),
            Line("streaming", "records that cross zones", crossing_gb * self._unit("cross_zone_gb"), True),
        ]

    def score(self) -> list[Line]:
        size = self._size
        time_usd = self._score_seconds * FUNCTION_GB * self._unit("function_gb_second")
        invocations_usd = self._batches / 1e6 * self._unit("function_request_million")
        pollers_usd = size.poller_units * self._hours * self._unit("poller_unit_hour")
        cache_usd = size.cache_nodes * HOURS * self._prices.of("cache_node_hour", size.cache_type)
        return [
            Line("score", "Lambda, time", time_usd, True),
            Line("score", "Lambda, invocations", invocations_usd, True),
            Line("score", "event pollers", pollers_usd, False),
            Line("score", f"cache, {size.cache_nodes} {size.cache_type}", cache_usd, False),
        ]

    def tables(self) -> list[Line]:
        days = self._constant["history_days"]
        history_gb = self._gb("history_bytes") * days / DAYS
        storage_usd = history_gb * self._unit("infrequent_table_storage_gb_month")
        index_gb = self._gb("index_bytes") * self._use["flagged_share"] * days / DAYS
        index_usd = self._index_writes_usd() + index_gb * self._unit("infrequent_table_storage_gb_month")
        flagged_units = self._flagged_millions * self._use["flagged_write_units"]
        flagged_usd = flagged_units * self._unit("write_request_million")
        checkpoint_units = self._payments * self._use["checkpoint_write_units"]
        checkpoints_usd = checkpoint_units / 1e6 * self._unit("write_request_million")
        recovery_usd = history_gb * self._unit("table_recovery_gb_month")
        exports_kept = EXPORTS_A_MONTH * self._constant["export_days"] / DAYS
        export_usd = history_gb * EXPORTS_A_MONTH * self._unit("export_gb")
        archive_usd = history_gb * exports_kept * self._unit("archive_gb_month")
        return [
            Line("tables", "history, writes", self._history_writes_usd(), True),
            Line("tables", f"history, kept {days:.0f} days", storage_usd, True),
            Line("tables", "the history's index for the reconciler", index_usd, True),
            Line("tables", "the history's index by transaction id", self._transaction_index_usd(), True),
            Line("tables", "point-in-time recovery", recovery_usd, True),
            Line("tables", "checkpoints of profiles, writes", checkpoints_usd, True),
            Line("tables", "exports of the history", export_usd + archive_usd, True),
            Line("tables", "flagged payments and alert windows", flagged_usd, True),
        ]

    def _transaction_index_usd(self) -> float:
        if not self._size.transaction_index:
            return 0.0
        days = self._constant["history_days"]
        kept_gb = self._gb("transaction_index_bytes") * days / DAYS
        # Each payment is an entry of less than a KiB. Provisioned, its capacity is the table's, and does not follow the load.
        writes_usd = self._evenly_written_usd(self._payments)
        return writes_usd + kept_gb * self._unit("infrequent_table_storage_gb_month")

    def _history_writes_usd(self) -> float:
        return self._evenly_written_usd(self._payments * self._use["history_write_units"])

    def _evenly_written_usd(self, units: float) -> float:
        """Write units of the history or an index of it, a month."""
        if not self._size.provisioned_history:
            return units / 1e6 * self._unit("infrequent_write_request_million")
        capacity = units / SECONDS / PLANNED_USE
        return capacity * HOURS * self._unit("infrequent_write_capacity_hour")

    def _index_writes_usd(self) -> float:
        units = self._payments * self._use["flagged_share"]
        if not self._size.provisioned_history:
            return units / 1e6 * self._unit("infrequent_write_request_million")
        # Fixed, and so large that five times the usual share can be flagged: the table is throttled with its index.
        capacity = INDEX_MARGIN * units / SECONDS
        return capacity * HOURS * self._unit("infrequent_write_capacity_hour")

    def labels(self) -> list[Line]:
        label = values_of(self._usage, "label")
        kept = (
            label["label_bytes"] * self._constant["label_days"]
            + label["risk_bytes"] * self._constant["risk_days"]
        )
        gb_usd = self._unit("table_storage_gb_month") + self._unit("table_recovery_gb_month")
        polls_usd = self._constant["queue_polls"] / 1e6 * self._unit("queue_request_million")
        return [
            Line(
                LABELS, "queue, stage and tables", self._labels * label_usd(self._usage, self._prices), True
            ),
            Line(LABELS, "rows, kept for years", self._labels * kept / DAYS / GB * gb_usd, True),
            Line(LABELS, "polling of their queue", polls_usd, False),
        ]

    def cases(self) -> list[Line]:
        units = self._flagged_millions * self._use["case_write_units"]
        return [Line("cases", "rows and links", units * self._unit("write_request_million"), True)]

    def alerts(self) -> list[Line]:
        messages_usd = self._flagged_millions * self._use["message_share"] * self._unit("alert_million")
        return [Line("alerts", "SNS", messages_usd, True)]

    def console(self) -> list[Line]:
        people, size = float(self._usage["console"]["people"]["value"]), self._size
        zones = size.endpoint_zones * size.console_endpoint
        usd = size.console * console_usd(people, zones, self._usage, self._prices)
        return [Line("console", f"for {people:.0f} people", usd, False)]

    def network(self) -> list[Line]:
        zones = self._size.endpoint_zones
        endpoints_usd = (
            self._constant["interface_endpoints"] * zones * HOURS * self._unit("endpoint_zone_hour")
        )
        return [Line("network", f"interface endpoints in {zones} zones", endpoints_usd, False)]

    def observability(self) -> list[Line]:
        log_gb_usd = self._unit("log_gb") + self._size.log_days / DAYS * self._unit("log_storage_gb_month")
        size = msgspec.structs.replace(self._size, canary=False, console=False)  # they have their own lines
        alarms_usd = (
            alarm_metrics(size, self._usage) * self._unit("alarm_month")
            + self._constant["composite_alarms"] * self._unit("composite_alarm_month")
            + self._constant["metrics"] * self._unit("metric_month")
            + self._constant["dashboards"] * self._unit("dashboard_month")
        )
        traced_share = self._use["traced_share"] if self._size.traces else 0.0
        traces_usd = self._batches / 1e6 * traced_share * self._unit("trace_million")
        return [
            Line("observability", "logs", self._gb("log_bytes") * log_gb_usd, True),
            Line("observability", "alarms, metrics and the dashboard", alarms_usd, False),
            Line("observability", "traces", traces_usd, True),
            Line("observability", "canary", self._canary_usd(), False),
        ]

    def _canary_usd(self) -> float:
        if not self._size.canary:
            return 0.0
        runs = HOURS * 60 / self._constant["canary_minutes"]
        units = 2 * self._use["history_write_units"] * self._unit("infrequent_write_request_million")
        units += self._use["flagged_write_units"] * self._unit("write_request_million")
        units += self._unit("function_request_million") + self._unit("alert_million")
        usd = runs / 1e6 * units
        usd += self._constant["canary_alarm_metrics"] * self._unit("alarm_month")
        usd += self._constant["canary_metrics"] * self._unit("metric_month")
        if self._size.malware_scan:
            usd += runs / 1e3 * self._unit("scanned_object_thousand")
        return usd

    def encryption(self) -> list[Line]:
        keys_usd = self._constant["keys"] * self._unit("key_month")
        return [Line("encryption", "customer keys", keys_usd, False)]

    def protection(self) -> list[Line]:
        size, landed_gb = self._size, self._gb("landed_bytes")
        events_usd = self._constant["audited_events"] / 1e6 * self._unit("data_event_million") * size.audit
        files = self._payments * self._use["landed_files"]
        scan_usd = landed_gb * self._unit("scanned_gb") + files / 1e3 * self._unit("scanned_object_thousand")
        copied_gb = self._gb("backed_up_bytes")
        if size.backup_has_history:
            copied_gb += self._gb("history_bytes") * self._constant["history_days"] / DAYS
        copies = size.backup_days / self._constant["backup_every_days"] * size.backup_vaults
        copies_usd = copied_gb * copies * self._unit("backup_gb_month")
        return [
            Line(PROTECTION, "trail of data events", events_usd, False),
            Line(PROTECTION, "scan of landed files", scan_usd * size.malware_scan, True),
            Line(PROTECTION, "copies of the tables", copies_usd, True),
        ]
