"""What the system costs a month: ``python -m ops.cost`` prints docs/cost.md.

Sizes come from the environments' variables files, use from docs/cost/usage.yaml, unit prices with their date from
docs/cost/prices.yaml. An estimate: what AWS gives away, discounts and taxes are left out.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ops.environment import ENVIRONMENTS, ROOT
from ops.tfvars import flatten, read_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

HOURS: Final = 730
"""In a month."""

ZONES: Final = 3
GB: Final = 1e9
SECONDS: Final = HOURS * 3600
FUNCTION_GB: Final = 1.0
"""Memory of the score stage, in GB as Lambda bills it: 1,024 MiB."""


class CostError(Exception):
    """A price or a size that is missing, by its name."""


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


class Line(msgspec.Struct, frozen=True):
    """One line of the bill."""

    part: str
    what: str
    usd: float
    """A month."""
    grows: bool
    """Whether it grows with payments; what does not is paid for standing there."""


class Prices:
    """Unit prices by name; a missing one is an error, not a zero."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def of(self, table: str, name: str) -> float:
        """Price of one unit, in US dollars."""
        try:
            return float(self._document[table][name]["usd"])
        except KeyError as error:
            raise CostError(f"docs/cost/prices.yaml has no price for {name} ({table}).") from error

    def unconfirmed(self) -> list[str]:
        """Names of prices that no published text was seen for."""
        tables = ("broker_hour", "cache_node_hour", "worker_hour", "units")
        return [
            name
            for table in tables
            for name, entry in self._document[table].items()
            if not entry["confirmed"]
        ]

    @property
    def read_on(self) -> str:
        """The day of the prices."""
        return str(self._document["read_on"])


def sizing_of(environment: str, root: Path = ROOT) -> Sizing:
    """Read an environment's size from its variables file; what it leaves out has the root module's default."""
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
    )


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
        Of each payment, and of each batch whatever its size.

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
    """How many metrics the alarms of an environment look at, which is what they are billed by."""
    count = {name: int(entry["value"]) for name, entry in usage["constant"].items()}
    return (
        count["alarm_metrics"]
        + ZONES * size.brokers_per_zone * count["broker_alarm_metrics"]
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
        In the order of the story, from the landed file to the alert.
    """
    use = {name: float(entry["value"]) for name, entry in usage["payment"].items()}
    constant = {name: float(entry["value"]) for name, entry in usage["constant"].items()}

    def unit(name: str) -> float:
        return prices.of("units", name)

    millions = payments / 1e6
    brokers = ZONES * size.brokers_per_zone
    batches = payments / batch_size(payments, size.partitions, use["score_ms"], use["score_batch_ms"])
    seconds = (batches * use["score_batch_ms"] + payments * use["score_ms"]) / 1000
    records_gb = payments * use["record_bytes"] / GB
    # Every record is copied into the two other zones (MSK does not bill that) and read by clients, two thirds from another zone.
    crossing_gb = 2 * records_gb * 2 / 3
    history_gb = payments * use["history_bytes"] / GB * constant["history_days"] / 30.4
    flagged_millions = millions * use["flagged_share"]
    logs_gb = payments * use["log_bytes"] / GB
    return [
        Line(
            "ingestion",
            f"Glue, {size.workers} {size.worker_type} at most",
            size.workers * HOURS * prices.of("worker_hour", size.worker_type),
            False,
        ),
        Line(
            "ingestion",
            "landed files, for 7 days",
            payments * use["landed_bytes"] / GB * 7 / 30.4 * unit("object_gb_month"),
            True,
        ),
        Line(
            "streaming",
            f"MSK, {brokers} {size.broker_type}",
            brokers * HOURS * prices.of("broker_hour", size.broker_type),
            False,
        ),
        Line(
            "streaming",
            f"disks of {size.broker_gib} GiB",
            brokers * size.broker_gib * unit("broker_storage_gb_month"),
            False,
        ),
        Line("streaming", "records that cross zones", crossing_gb * unit("cross_zone_gb"), True),
        Line("score", "Lambda, time", seconds * FUNCTION_GB * unit("function_gb_second"), True),
        Line("score", "Lambda, invocations", batches / 1e6 * unit("function_request_million"), True),
        Line("score", "event pollers", size.poller_units * HOURS * unit("poller_unit_hour"), False),
        Line(
            "score",
            f"cache, {size.cache_nodes} {size.cache_type}",
            size.cache_nodes * HOURS * prices.of("cache_node_hour", size.cache_type),
            False,
        ),
        Line(
            "tables",
            "history, writes",
            millions * use["history_write_units"] * unit("write_request_million"),
            True,
        ),
        Line(
            "tables",
            f"history, kept {constant['history_days']:.0f} days",
            history_gb * unit("table_storage_gb_month"),
            True,
        ),
        Line("tables", "point-in-time recovery", history_gb * unit("table_recovery_gb_month"), True),
        Line(
            "tables",
            "flagged payments and alert windows",
            flagged_millions * use["flagged_write_units"] * unit("write_request_million"),
            True,
        ),
        Line("alerts", "SNS", flagged_millions * unit("alert_million"), True),
        Line(
            "network",
            f"interface endpoints in {size.endpoint_zones} zones",
            constant["interface_endpoints"] * size.endpoint_zones * HOURS * unit("endpoint_zone_hour"),
            False,
        ),
        Line(
            "observability",
            "logs",
            logs_gb * (unit("log_gb") + size.log_days / 30.4 * unit("log_storage_gb_month")),
            True,
        ),
        Line(
            "observability",
            "alarms, metrics and the dashboard",
            alarm_metrics(size, usage) * unit("alarm_month")
            + constant["composite_alarms"] * unit("composite_alarm_month")
            + constant["metrics"] * unit("metric_month")
            + constant["dashboards"] * unit("dashboard_month"),
            False,
        ),
        Line("observability", "traces", batches / 1e6 * use["traced_share"] * unit("trace_million"), True),
        Line("encryption", "customer keys", constant["keys"] * unit("key_month"), False),
    ]


def total(lines: Iterable[Line]) -> float:
    """Sum of a bill, in US dollars a month."""
    return sum(line.usd for line in lines)


def dominating(lines: list[Line]) -> list[Line]:
    """The fewest lines that make up two thirds of the bill, the largest first."""
    chosen: list[Line] = []
    for line in sorted(lines, key=lambda line: -line.usd):
        chosen.append(line)
        if total(chosen) >= total(lines) * 2 / 3:
            break
    return chosen


def _table(columns: list[str], bills: list[list[Line]]) -> list[str]:
    rows = [f"| | {' | '.join(columns)} |", "|---|" + "---:|" * len(columns)]
    for lines in zip(*bills, strict=True):
        texts = list(dict.fromkeys(line.what for line in lines))
        what = texts[0] if len(texts) == 1 else lines[0].what.split(",")[0].split(" of ")[0].split(" in ")[0]
        rows.append(f"| {lines[0].part}: {what} | {' | '.join(f'{line.usd:,.0f}' for line in lines)} |")
    rows.append(f"| **a month, US dollars** | {' | '.join(f'**{total(lines):,.0f}**' for lines in bills)} |")
    return rows


def _says(name: str, lines: list[Line], payments: float) -> str:
    parts = "; ".join(
        f"{line.part} ({line.what}), {line.usd / total(lines):.0%}" for line in dominating(lines)
    )
    standing = sum(line.usd for line in lines if not line.grows) / total(lines)
    return (
        f"- **{name}**: {parts}. {standing:.0%} is paid for standing there; a million payments cost "
        f"{total(lines) / payments * 1e6:,.2f} dollars in all."
    )


def page(root: Path = ROOT) -> str:
    """Write docs/cost.md.

    Parameters
    ----------
    root : Path
        The repository.
    """
    usage = msgspec.yaml.decode((root / "docs/cost/usage.yaml").read_bytes())
    prices = Prices(msgspec.yaml.decode((root / "docs/cost/prices.yaml").read_bytes()))
    environments = {
        name: (payments, bill(payments, sizing_of(name, root), usage, prices))
        for name, payments in usage["environments"].items()
    }
    prod = sizing_of("prod", root)
    volumes = [
        (
            entry["payments"],
            entry["turned"],
            bill(entry["payments"], msgspec.structs.replace(prod, **entry["turned"]), usage, prices),
        )
        for entry in usage["volumes"]
    ]
    lines = [
        "# What it costs",
        "",
        f"Made by `make infra-docs`, from the environments' variables files, `docs/cost/usage.yaml` and AWS's list prices of {prices.read_on}",
        "in `docs/cost/prices.yaml` (us-east-1, on demand). An estimate, good for deciding what to turn and not for a contract: free tiers,",
        "discounts, support, taxes, and the metrics that MSK and Glue write of themselves are left out, payments are spread evenly, and tables",
        "are on demand.",
        "",
        "## By environment",
        "",
        *_table(
            [f"{name} ({payments / 1e6:,.0f} M payments)" for name, (payments, _) in environments.items()],
            [b for _, b in environments.values()],
        ),
        "",
        *(_says(name, b, payments) for name, (payments, b) in environments.items()),
        "",
        "## By volume, as prod",
        "",
        *_table(
            [f"{payments / 1e6:,.0f} M payments" for payments, _, _ in volumes], [b for _, _, b in volumes]
        ),
        "",
        *(_says(f"{payments / 1e6:,.0f} M", b, payments) for payments, _, b in volumes),
        "",
        "What is turned from `prod.tfvars`:",
        "",
        *(
            f"- {payments / 1e6:,.0f} M: {', '.join(f'`{key}` {value}' for key, value in turned.items()) or 'nothing'}."
            for payments, turned, _ in volumes
        ),
        "",
        "## What to turn first",
        "",
        '- Small: what stands there. `kafka.capacity_mode = "serverless"`, fewer workers, and `endpoint_zone_count = 1` where nobody pays.',
        "- Large: the history. `HISTORY_RETENTION_DAYS` in `functions/score/function.yaml` decides what is stored, and `provisioned_tables`",
        "  with reserved capacity what a write costs; both are prices of decision 0001, which keeps every payment.",
        "- At any volume: reserved nodes for the cache and a compute savings plan for Lambda, once the load is known.",
        "",
        "## How sure the prices are",
        "",
        "Not found in a published text when the prices were written down, and to be looked up at their source before anything is",
        f"signed: {', '.join(f'`{name}`' for name in prices.unconfirmed())}.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
