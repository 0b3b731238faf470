"""A steady rate for a long time: are memory and latency flat, and does every alert come? ``python -m benchmarks.soak --minutes 30``."""

from __future__ import annotations

import argparse
import os
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.charts import draw_soak
from benchmarks.flow import AlertCount, LatencySummary, Watch, summarise
from benchmarks.load import Load, LoadError, payments, seed_profiles
from benchmarks.report import Machine, now, this_machine, write_json
from benchmarks.stats import percentile, slope
from local.processes import ProcessError
from local.stack import Stack, StackError, StackRunningError
from ops.manifests import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.flow import Usage

T = TypeVar("T")

REPORT_FILE: Final = ROOT / "build" / "soak.json"
FIGURES_FOLDER: Final = ROOT / "docs" / "figures"
STACK_DIR: Final = ROOT / "build" / "soak"

SAMPLE_SECONDS: Final = 5.0
SLICES: Final = 30
"""Latency is summed up in so many slices of the run."""
WARM_SHARE: Final = 0.2
"""Of the run, from its start, neither judged nor in its latencies: interpreters fill their caches and pools."""
MEMORY_GROWTH_SHARE: Final = 0.05
MEMORY_GROWTH_FLOOR_BYTES: Final = 8 << 20
"""Over the judged part of the run memory may grow by the larger of the two, pages of the allocator and noise."""
LATENCY_GROWTH_SHARE: Final = 0.25
LATENCY_P99_MS: Final = 1_000.0
REST_SECONDS: Final = 120.0
"""After the load's end, for what still waits then."""
KEEPS_DATA: Final = frozenset({"aws-api", "kafka", "valkey"})
"""Emulated services hold what they are given, in memory by design; their growth is told, not judged."""


class MemoryVerdict(msgspec.Struct, frozen=True):
    """Memory of one process over the judged part of a run."""

    typical_bytes: float
    growth_bytes: float
    """By the middle of all slopes."""
    flat: bool | None
    """None for who keeps data by design."""


class LatencyVerdict(msgspec.Struct, frozen=True):
    """Latency over the judged part of a run."""

    typical_ms: float
    """Median of the slices' medians."""
    growth_ms: float
    flat: bool


class SoakReport(msgspec.Struct, frozen=True, kw_only=True):
    """One soak."""

    at: datetime
    machine: Machine
    tps: float
    minutes: float
    transactions: int
    memory: dict[str, MemoryVerdict]
    latency: LatencyVerdict
    latency_ms: LatencySummary
    """Of the whole run but for the warm-up."""
    rss_bytes: dict[str, tuple[tuple[float, float], ...]]
    """Process to (seconds, bytes)."""
    slices: tuple[tuple[float, LatencySummary], ...]
    """Seconds at the middle of each slice, and its latencies."""
    ended: dict[str, int]
    """Processes that ended although nobody stopped them, with their exit codes; none is well."""
    ended_workers: dict[str, int]
    """Function to how many of its workers ended; the one in its place begins with fresh memory."""
    at_rest: bool
    """Whether the stack had nothing to do any more some time after the load's end."""
    backlog: int | None
    """Records that still waited then; None where a mapping could not say."""
    alerts: AlertCount

    @property
    def problems(self) -> list[str]:
        """What is not well, a sentence each."""
        found = [f"{name} ended with exit code {code}" for name, code in self.ended.items()]
        found += [f"{count} of the workers of {name} ended" for name, count in self.ended_workers.items()]
        found += [f"the memory of {name} grows" for name, each in self.memory.items() if each.flat is False]
        if not self.latency.flat:
            found.append("latency grows, or is above a second")
        if not self.at_rest or self.backlog != 0:
            waiting = "unknown" if self.backlog is None else f"{self.backlog:,}"
            found.append(
                f"not at rest {REST_SECONDS:.0f} s after the load's end; records that wait: {waiting}"
            )
        if not self.alerts.complete:
            found.append(str(self.alerts))
        return found

    @property
    def passed(self) -> bool:
        """Whether everything that is judged is flat, nothing ended, nothing waits, and every alert came once."""
        return not self.problems


def judge_memory(name: str, samples: Sequence[tuple[float, float]]) -> MemoryVerdict:
    """Say whether a process's memory is flat.

    Parameters
    ----------
    name : str
        Who.
    samples : Sequence[tuple[float, float]]
        Seconds and bytes, in order, at least ten.

    Examples
    --------
    >>> judge_memory("score", [(second, 9e7 + second % 3 * 1e5) for second in range(100)]).flat
    True
    >>> judge_memory("score", [(second, 9e7 + second * 1e6) for second in range(100)]).flat
    False
    """
    judged = _judged(samples)
    typical = percentile([size for _, size in judged], 0.5)
    growth = slope(judged) * (judged[-1][0] - judged[0][0])
    allowed = max(MEMORY_GROWTH_SHARE * typical, MEMORY_GROWTH_FLOOR_BYTES)
    return MemoryVerdict(typical, growth, None if name in KEEPS_DATA else growth <= allowed)


def judge_latency(slices: Sequence[tuple[float, LatencySummary]]) -> LatencyVerdict:
    """Say whether latency is flat: its median hardly grows, and in the typical slice the 99th percentile is below 1 s."""
    judged = _judged(slices)
    typical = percentile([each.p50 for _, each in judged], 0.5)
    growth = slope([(at, each.p50) for at, each in judged]) * (judged[-1][0] - judged[0][0])
    typical_p99 = percentile([each.p99 for _, each in judged], 0.5)
    return LatencyVerdict(
        typical, growth, growth <= LATENCY_GROWTH_SHARE * typical and typical_p99 < LATENCY_P99_MS
    )


def run(tps: float, minutes: float, tell: Callable[[str], None]) -> SoakReport:
    """Start a stack, load it for so long, stop it."""
    at, machine = now(), this_machine()
    seconds = minutes * 60
    slice_s = seconds / SLICES
    rss: dict[str, list[tuple[float, float]]] = {}
    delivered: list[tuple[float, float]] = []
    with Stack(STACK_DIR) as stack:
        stack.start(tell, ingestion=False)
        seed_profiles(stack.cache_endpoint)
        watch = Watch(stack, STACK_DIR)
        load = Load(stack.bootstrap_servers, tps, seconds, payments(f"{os.getpid():x}"))
        began, began_ms = time.monotonic(), time.time() * 1000
        load.start()
        told = 0
        while load.is_running:
            time.sleep(SAMPLE_SECONDS)
            second = time.monotonic() - began
            usage = watch.usage()
            for name, each in usage.items():
                rss.setdefault(name, []).append((second, float(each.rss_bytes)))
            # Taken out as they come, or the queue itself would be what grows.
            delivered += watch.alert_latencies()
            if second > (told + 1) * 60:
                told += 1
                tell(f"{told} min: {load.sent:,} payments, {_memory_line(usage)}")
        load.finish()
        at_rest = watch.wait_until_at_rest(REST_SECONDS)
        delivered += watch.alert_latencies()
        backlog, alerts = watch.backlog(), watch.alert_count()
        ended, ended_workers = stack.ended_processes(), watch.ended_workers()
    latencies = [((at_ms - began_ms) / 1000, latency) for at_ms, latency in delivered]
    judged = [latency for second, latency in latencies if second >= WARM_SHARE * seconds]
    if len(judged) < 2:
        raise LoadError(f"{len(judged)} alerts were delivered after the warm-up")
    slices = _slices(latencies, slice_s)
    return SoakReport(
        at=at,
        machine=machine,
        tps=tps,
        minutes=minutes,
        transactions=load.sent,
        memory={name: judge_memory(name, samples) for name, samples in sorted(rss.items())},
        latency=judge_latency(slices),
        latency_ms=summarise(judged),
        rss_bytes={name: tuple(samples) for name, samples in rss.items()},
        slices=slices,
        ended=ended,
        ended_workers=ended_workers,
        at_rest=at_rest,
        backlog=backlog,
        alerts=alerts,
    )


def _slices(
    latencies: Sequence[tuple[float, float]], slice_s: float
) -> tuple[tuple[float, LatencySummary], ...]:
    by_slice: dict[int, list[float]] = {}
    for second, latency in latencies:
        by_slice.setdefault(int(second // slice_s), []).append(latency)
    return tuple(((number + 0.5) * slice_s, summarise(values)) for number, values in sorted(by_slice.items()))


def _judged(samples: Sequence[T]) -> Sequence[T]:
    return samples[int(len(samples) * WARM_SHARE) :]


def _memory_line(usage: dict[str, Usage]) -> str:
    return ", ".join(f"{name} {each.rss_bytes / 2**20:.0f} MiB" for name, each in sorted(usage.items()))


def show(report: SoakReport, console: Console) -> None:
    """Print the verdicts."""
    table = Table(
        title=f"{report.transactions:,} payments in {report.minutes:g} minutes", title_justify="left"
    )
    for column in ("process", "memory", "growth", ""):
        table.add_column(column, justify="left" if column == "process" else "right")
    words = {True: "[green]flat[/]", False: "[bold red]grows[/]", None: "keeps what it is given"}
    for name, each in report.memory.items():
        table.add_row(
            name,
            f"{each.typical_bytes / 2**20:.0f} MiB",
            f"{each.growth_bytes / 2**20:+.1f} MiB",
            words[each.flat],
        )
    latency = report.latency
    table.add_row(
        "latency, median", f"{latency.typical_ms:.0f} ms", f"{latency.growth_ms:+.0f} ms", words[latency.flat]
    )
    console.print(table)
    whole = report.latency_ms
    console.print(
        f"latency of {whole.count:,} alerts after the first {WARM_SHARE:.0%} of the run: median {whole.p50:.0f} ms, "
        f"95th percentile {whole.p95:.0f} ms, 99th {whole.p99:.0f} ms"
    )
    console.print(f"{report.alerts}; at the end {report.backlog} records wait")
    for problem in report.problems:
        console.print(f"[bold red]{problem}[/]")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 0 where everything is well, 1 where not, 2 where it could not be run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long, >= 2")
    parser.add_argument("--tps", type=float, default=100.0, help="payments a second")
    parser.add_argument("--figures", action="store_true", help="draw plots into docs/figures")
    parser.add_argument("--output", type=Path, default=REPORT_FILE)
    options = parser.parse_args(arguments)
    if options.minutes < 2:
        parser.error("--minutes must be at least 2: less shows no trend")
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
    try:
        report = run(options.tps, options.minutes, lambda step: console.print(f"[dim]{step}[/]"))
    except (LoadError, ProcessError, StackError, StackRunningError) as error:
        print(f"soak: {error}", file=sys.stderr)
        return 2
    write_json(options.output, report)
    show(report, console)
    if options.figures:
        for file in draw_soak(report, FIGURES_FOLDER):
            console.print(f"[dim]{file}[/]", soft_wrap=True)
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
