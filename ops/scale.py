"""What 1,000, 10,000 and 100,000 payments a second need, from `build/bench.json` and AWS's published limits.

``python -m ops.scale [--env prod]`` prints, for each rate, which limit is reached first and which variable raises it. The Glue
job, the brokers' disks and the stages behind the history's stream are not in the model: their costs are not measured.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.candidates import SCORE
from benchmarks.report import BENCH_FILE, read_bench
from contract.flagged import STATUS_SHARDS
from ops.environment import read_environment
from ops.errors import OpsError
from ops.manifests import KafkaTrigger, read_functions
from ops.tfvars import flatten, read_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.report import BenchReport
    from ops.manifests import FunctionSpec
    from ops.tfvars import Value

LIMITS_FILE: Final = Path(__file__).resolve().parent / "scale_limits.yaml"
RATES: Final = (1_000, 10_000, 100_000)
USE: Final = 0.7
"""Share of a capacity to plan with. The rest is for peaks, and for the backlog after a fault."""
REPLICATION: Final = 3
ZONES: Final = 3
"""Every cluster of `terraform/modules/streaming` has at least one broker in each of three zones, and a replica in each zone."""


class ScaleError(Exception):
    """Something that the model needs is missing; says what."""


class Limit(msgspec.Struct, frozen=True):
    """One figure that AWS publishes."""

    value: int
    adjustable: bool
    text: str
    source: str


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of `scale_limits.yaml`."""

    read_on: str
    vcpu_memory_mib: Limit
    account_concurrency: Limit
    unreserved_concurrency: Limit
    poller_bytes_per_s: Limit
    pollers: Limit
    table_write_units_per_s: Limit
    new_table_write_units_per_s: Limit
    partition_write_units_per_s: Limit
    kafka_replicas_per_broker: Limit


class Measured(msgspec.Struct, frozen=True):
    """What one payment costs, from one run of the benchmarks."""

    batch_size: int
    """Batch size of the costs: the largest that was measured, up to the function's own."""
    cpu_us: float
    wall_us: float
    """With the network's round trips, on one whole core."""
    cache_cpu_us: float
    write_units: float
    record_bytes: float
    alerted_write_units: float
    """Of ``flagged_transactions``, without its indexes, for a payment that is alerted on."""


class Setting(msgspec.Struct, frozen=True):
    """The settings of an environment that limit its rate."""

    memory_mib: int
    partitions: int
    brokers: int
    concurrency: int
    concurrency_of_others: int
    """Reserved concurrency of all other functions of the account."""
    pollers: int


class Bound(msgspec.Struct, frozen=True):
    """One limit of the rate."""

    name: str
    variable: str
    """What to raise."""
    tps_each: float
    """Payments a second for each unit, at the planned use."""
    now: int
    most: int
    """The maximum of AWS or of the module."""
    beyond: str
    """What to do beyond that maximum."""

    @property
    def tps_now(self) -> float:
        """The highest rate with the current setting."""
        return self.tps_each * self.now

    def needed(self, tps: float) -> int:
        """Units for a rate."""
        return math.ceil(tps / self.tps_each - 1e-9)


def read_limits(file: Path = LIMITS_FILE) -> Limits:
    """Read AWS's limits; ``msgspec.ValidationError`` names the place where the file is wrong."""
    return msgspec.yaml.decode(file.read_bytes(), type=Limits)


def measured_costs(report: BenchReport, batch_size: int) -> Measured:
    """Read the costs from a run of the benchmarks; `ScaleError` if it did not measure them."""
    series = report.candidates[SCORE]
    size = max((size for size in series.cpu_us if size <= batch_size), default=None)
    if size is None:
        raise ScaleError(f"no batch of at most {batch_size} payments was measured")
    try:
        return Measured(
            batch_size=size,
            cpu_us=series.cpu_us[size],
            wall_us=series.wall_us[size],
            cache_cpu_us=report.value("cache_cpu_us"),
            write_units=report.value("write_units_mean"),
            record_bytes=report.value("record_bytes"),
            alerted_write_units=report.value("alerted_write_units"),
        )
    except KeyError as error:
        raise ScaleError(f"the last run of `make bench` has no figure {error}") from error


def read_setting(specs: Mapping[str, FunctionSpec], variables: Mapping[str, Value]) -> Setting:
    """Read an environment's settings from every `function.yaml` and from the environment's variables by path."""
    spec = specs[SCORE]
    if not isinstance(spec.trigger, KafkaTrigger):
        raise ScaleError(f"function {spec.name!r} reads no Kafka topic")
    partitions, per_zone = variables.get("kafka.partitions"), variables.get("kafka.brokers.per_zone", 1)
    if not isinstance(partitions, int):
        raise ScaleError("kafka.partitions is not a number in the environment's variables file")
    if not isinstance(per_zone, int):
        raise ScaleError("kafka.brokers.per_zone is not a number in the environment's variables file")
    return Setting(
        memory_mib=spec.memory_mib,
        partitions=partitions,
        brokers=ZONES * per_zone,
        concurrency=spec.reserved_concurrency,
        concurrency_of_others=sum(each.reserved_concurrency for each in specs.values() if each is not spec),
        pollers=spec.trigger.pollers.maximum,
    )


def seconds_per_payment(costs: Measured, memory_mib: int, limits: Limits) -> float:
    """Time of one payment in an invocation: CPU time at the memory's share of a core, plus waiting time."""
    share = min(1.0, memory_mib / limits.vcpu_memory_mib.value)
    # Wall time includes the time in which other processes of the machine ran. It is at least the CPU time.
    waiting_us = max(costs.wall_us - costs.cpu_us, 0.0)
    return (costs.cpu_us / share + waiting_us) / 1e6


def bounds(costs: Measured, setting: Setting, limits: Limits) -> list[Bound]:
    """Every limit of the rate; the one that is reached first comes first."""
    tps_per_execution = USE / seconds_per_payment(costs, setting.memory_mib, limits)
    all_bounds = [
        Bound(
            name="partitions: one batch of each is scored at a time",
            variable="kafka.partitions (terraform/environments/*.tfvars)",
            tps_each=tps_per_execution,
            now=setting.partitions,
            most=limits.kafka_replicas_per_broker.value * setting.brokers // REPLICATION,
            beyond="kafka.brokers.per_zone, or a larger kafka.brokers.instance_type",
        ),
        Bound(
            name="concurrent executions of the score stage",
            variable="reserved_concurrency (functions/score/function.yaml)",
            tps_each=tps_per_execution,
            now=setting.concurrency,
            most=limits.account_concurrency.value
            - limits.unreserved_concurrency.value
            - setting.concurrency_of_others,
            beyond="the account's quota of concurrent executions, raised on request",
        ),
        Bound(
            name="event pollers",
            variable="trigger.pollers.maximum (functions/score/function.yaml)",
            tps_each=USE * limits.poller_bytes_per_s.value / costs.record_bytes,
            now=setting.pollers,
            most=limits.pollers.value,
            beyond="a second topic with a mapping of its own",
        ),
        Bound(
            name="write units of transaction_history",
            variable="DynamoDB's quota of table-level write throughput, raised on request",
            tps_each=USE / costs.write_units,
            now=limits.table_write_units_per_s.value,
            most=limits.table_write_units_per_s.value,
            beyond="that quota, raised on request",
        ),
        Bound(
            name="the cache's engine: one primary runs every script",
            variable="nothing: a larger cache.node_type adds memory and network, not a second engine thread",
            tps_each=USE * 1e6 / costs.cache_cpu_us,
            now=1,
            most=1,
            beyond="profiles in several groups by a hash of user_id, entities by their own: a change of score/profile_store.py and entity_store.py",
        ),
    ]
    return sorted(all_bounds, key=lambda bound: bound.tps_now)


def alert_bounds(costs: Measured, limits: Limits) -> list[Bound]:
    """Every limit of the payments that are alerted on, each second; the one that is reached first comes first."""
    quota = limits.table_write_units_per_s.value
    per_partition = limits.partition_write_units_per_s.value
    all_bounds = [
        Bound(
            name="write units of flagged_transactions",
            variable="DynamoDB's quota of table-level write throughput, raised on request",
            tps_each=USE / costs.alerted_write_units,
            now=quota,
            most=quota,
            beyond="that quota, raised on request",
        ),
        Bound(
            # A usual entry is far below 1 KiB, and no mark of an alert writes it again.
            name="shards of the index by status: one write unit for each flagged payment",
            variable="STATUS_SHARDS (functions/contract/flagged.py)",
            tps_each=USE * per_partition,
            now=STATUS_SHARDS,
            most=quota // per_partition,
            beyond="the quota of the index's write throughput, raised on request",
        ),
    ]
    return sorted(all_bounds, key=lambda bound: bound.tps_now)


def breaking(all_bounds: Sequence[Bound], tps: float) -> list[Bound]:
    """The limits that a rate exceeds, in the order in which they are reached as the rate grows."""
    return [bound for bound in all_bounds if bound.tps_now < tps]


def show(costs: Measured, setting: Setting, limits: Limits, environment: str, console: Console) -> None:
    """Print the limits for each rate."""
    per_payment_ms = seconds_per_payment(costs, setting.memory_mib, limits) * 1000
    console.print(
        f"{environment}: a payment takes {per_payment_ms:.3f} ms of an invocation at {setting.memory_mib} MiB in batches of "
        f"{costs.batch_size}, {costs.write_units:.2f} write units, {costs.cache_cpu_us:.1f} µs of the cache's engine and "
        f"{costs.record_bytes:.0f} bytes of the topic; planned with {USE:.0%} of each. Limits as of {limits.read_on}."
    )
    all_bounds = bounds(costs, setting, limits)
    for tps in RATES:
        broken = breaking(all_bounds, tps)
        table = Table(title=f"{tps:,} payments a second", title_justify="left")
        for column in ("limit", "now", "carries", "needed", "maximum", "raise"):
            table.add_column(column, justify="left" if column in {"limit", "raise"} else "right")
        for bound in all_bounds:
            needed = bound.needed(tps)
            style = "" if bound not in broken else "bold red" if needed > bound.most else "yellow"
            advice = "" if bound not in broken else bound.beyond if needed > bound.most else bound.variable
            table.add_row(
                bound.name,
                f"{bound.now:,}",
                f"{bound.tps_now:,.0f}",
                f"{needed:,}",
                f"{bound.most:,}",
                advice,
                style=style,
            )
        console.print(table)
        if broken:
            first = broken[0]
            console.print(
                f"Reached first: {first.name}, at {first.tps_now:,.0f} payments a second. Raise {first.variable}."
            )
        else:
            console.print("No limit is reached.")
    first = alert_bounds(costs, limits)[0]
    console.print(
        f"Of these, {first.tps_now:,.0f} payments a second can be alerted on ({first.name}); raise {first.variable}. "
        + "; ".join(f"{bound.name}: {bound.tps_now:,.0f}" for bound in alert_bounds(costs, limits))
    )
    console.print(
        f"At 100% use, a new table takes {limits.new_table_write_units_per_s.value / costs.write_units:,.0f} payments a second on "
        f"its first day, and one user makes at most {limits.partition_write_units_per_s.value / costs.write_units:,.0f}, even if all else is raised."
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the model; 2 if the benchmarks have not been run."""
    parser = argparse.ArgumentParser(prog="python -m ops.scale", description=__doc__)
    parser.add_argument("--env", default="prod", help="environment whose settings to use")
    parser.add_argument("--bench", type=Path, default=BENCH_FILE, help="the benchmarks' run with the costs")
    options = parser.parse_args(arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
    try:
        environment = read_environment(options.env)
        specs = read_functions()
        spec = specs[SCORE]
        setting = read_setting(specs, flatten(read_file(environment.variables_file)[0]))
        batch_size = spec.trigger.batch_size if isinstance(spec.trigger, KafkaTrigger) else 0
        costs = measured_costs(read_bench(options.bench), batch_size)
    except FileNotFoundError as error:
        print(f"scale: {error.filename} is missing; `make bench` measures the costs", file=sys.stderr)
        return 2
    except (ScaleError, OpsError, msgspec.MsgspecError) as error:
        print(f"scale: {error}", file=sys.stderr)
        return 2
    show(costs, setting, read_limits(), options.env, console)
    return 0


if __name__ == "__main__":
    sys.exit(main())
