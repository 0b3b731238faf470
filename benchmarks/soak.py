"""A steady rate for a long time: whether memory and latency stay flat, and every due alert arrives once.

``python -m benchmarks.soak [--minutes 30] [--tps 100] [--figures]``.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from rich.console import Console

from benchmarks.load import Load, LoadError, payments, seed_profiles
from benchmarks.report import FIGURES_FOLDER, now, this_machine, write_json
from benchmarks.soak_report import REST_SECONDS, SoakReport, show_soak
from benchmarks.stack_monitor import StackMonitor
from benchmarks.stats import by_slice
from benchmarks.trends import WARM_SHARE, judge_latency, judge_memory, summarise
from local.processes import ProcessError
from local.stack import Stack, StackError, StackRunningError
from ops.manifests import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.figure import Figure as Chart

    from benchmarks.stack_monitor import Usage

REPORT_FILE: Final = ROOT / "build" / "soak.json"
STACK_DIR: Final = ROOT / "build" / "soak"

SAMPLE_SECONDS: Final = 5.0
SLICES: Final = 30
"""Latency is summarised in this many slices of the run."""


class _Samples(msgspec.Struct):
    """What was sampled while the load ran."""

    started_ms: float
    """Start of the load, ms since the epoch."""
    rss_bytes: dict[str, list[tuple[float, float]]]
    """Process to (seconds since the start, bytes)."""
    delivered: list[tuple[float, float]]
    """For each alert: ms since the epoch at its delivery, and its latency in ms."""


def run(tps: float, minutes: float, progress: Callable[[str], None]) -> SoakReport:
    """Start a stack, load it for some minutes, stop it; LoadError if the load could not be produced.

    Parameters
    ----------
    tps, minutes : float
        The rate, payments a second, and for how long.
    progress : Callable
        Gets a sentence for each step.
    """
    at, machine = now(), this_machine()
    seconds = minutes * 60
    with Stack(STACK_DIR) as stack:
        stack.start(progress, ingestion=False, disabled_schedules=["canary"])
        seed_profiles(stack.cache_endpoint)
        monitor = StackMonitor(stack, STACK_DIR)
        load = Load(stack.bootstrap_servers, tps, seconds, payments(f"{os.getpid():x}"))
        samples = _sample(monitor, load, progress)
        load.finish()
        at_rest = monitor.wait_until_at_rest(REST_SECONDS)
        samples.delivered += monitor.take_alert_latencies()
        backlog, alerts = monitor.backlog(), monitor.alert_count()
        ended, ended_workers = stack.ended_processes(), monitor.ended_workers()
    latencies = [((at_ms - samples.started_ms) / 1000, latency) for at_ms, latency in samples.delivered]
    judged = [latency for second, latency in latencies if second >= WARM_SHARE * seconds]
    if len(judged) < 2:
        raise LoadError(f"{len(judged)} alerts were delivered after the warm-up")
    slices = tuple((at_s, summarise(values)) for at_s, values in by_slice(latencies, seconds / SLICES))
    rss_bytes = samples.rss_bytes
    return SoakReport(
        at=at,
        machine=machine,
        tps=tps,
        minutes=minutes,
        transactions=load.sent,
        memory={name: judge_memory(name, sizes) for name, sizes in sorted(rss_bytes.items())},
        latency=judge_latency(slices),
        latency_ms=summarise(judged),
        rss_bytes={name: tuple(sizes) for name, sizes in rss_bytes.items()},
        slices=slices,
        ended=ended,
        ended_workers=ended_workers,
        at_rest=at_rest,
        backlog=backlog,
        alerts=alerts,
    )


def _sample(monitor: StackMonitor, load: Load, progress: Callable[[str], None]) -> _Samples:
    """Start the load, and sample until all of it is produced."""
    began = time.monotonic()
    samples = _Samples(time.time() * 1000, {}, [])
    load.start()
    reported_minutes = 0
    while load.is_running:
        time.sleep(SAMPLE_SECONDS)
        second = time.monotonic() - began
        usage = monitor.usage()
        for name, each in usage.items():
            samples.rss_bytes.setdefault(name, []).append((second, float(each.rss_bytes)))
        # Received as they arrive: otherwise the growing queue itself would be measured.
        samples.delivered += monitor.take_alert_latencies()
        if second > (reported_minutes + 1) * 60:
            reported_minutes += 1
            progress(f"{reported_minutes} min: {load.sent:,} payments, {_memory_line(usage)}")
    return samples


def _memory_line(usage: dict[str, Usage]) -> str:
    return ", ".join(f"{name} {each.rss_bytes / 2**20:.0f} MiB" for name, each in sorted(usage.items()))


def soak_charts(report: SoakReport) -> dict[str, Chart]:
    """Draw the judged processes' memory, and latency, over the whole run; by file name."""
    from benchmarks.charts import Axis, Line, line_chart

    minutes = Axis("minutes")
    return {
        "soak-memory": line_chart(
            "Memory of functions, mappings and load generator",
            minutes,
            Axis("MiB"),
            [
                Line(name, [(second / 60, size / 2**20) for second, size in sizes])
                for name, sizes in report.rss_bytes.items()
                if report.memory[name].flat is not None
            ],
        ),
        "soak-latency": line_chart(
            f"From the topic to SNS at {report.tps:g} payments a second",
            minutes,
            Axis("ms"),
            [
                Line("99th percentile", [(second / 60, each.p99) for second, each in report.slices]),
                Line("median", [(second / 60, each.p50) for second, each in report.slices]),
            ],
        ),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 0 if nothing is wrong, 1 if something is, 2 if it could not be run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long, >= 2 (default %(default)g)")
    parser.add_argument("--tps", type=float, default=100.0, help="payments a second (default %(default)g)")
    parser.add_argument("--figures", action="store_true", help="draw charts into docs/figures")
    parser.add_argument(
        "--output", type=Path, default=REPORT_FILE, help="the report, JSON (default %(default)s)"
    )
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
    show_soak(report, console)
    if options.figures:
        from benchmarks.charts import write_charts

        for file in write_charts(soak_charts(report), FIGURES_FOLDER):
            console.print(f"[dim]{file}[/]", soft_wrap=True)
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
