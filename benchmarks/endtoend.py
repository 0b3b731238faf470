"""From the topic to SNS on the local stack: latency at a steady rate, and the highest rate whose backlog stays flat.

``python -m benchmarks.endtoend [--tps 200] [--seconds 60] [--search] [--figures]``. The Glue job does not run: its latency is
Spark's.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from rich.console import Console

from benchmarks.endtoend_report import BrokenRate, EndToEndReport, RateRun, endtoend_figures
from benchmarks.load import SUSPICIOUS_SHARE, Load, LoadError, payments, seed_profiles
from benchmarks.report import FIGURES_FOLDER, figure_table, now, this_machine, write_json
from benchmarks.stack_monitor import StackMonitor, cores_used
from benchmarks.stats import by_slice, percentile
from benchmarks.trends import judge_backlog, summarise
from local.processes import ProcessError
from local.stack import Stack, StackError, StackRunningError
from ops.manifests import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from matplotlib.figure import Figure as Chart

REPORT_FILE: Final = ROOT / "build" / "endtoend.json"
STACK_DIR: Final = ROOT / "build" / "endtoend"

WARM_SECONDS: Final = 8.0
"""Load before each measurement, at its rate: workers start, connections open."""
SEARCH_SECONDS: Final = 25.0
FIRST_FACTOR: Final = 1.5
FINEST_FACTOR: Final = 1.1
"""The search ends when the lowest rate that was not held is at most this factor above the highest that was."""
REST_SECONDS: Final = 120.0
"""How long a stack may take to work off what a rate left behind."""
CHART_SLICES: Final = 30


def measure_rate(
    stack: Stack,
    monitor: StackMonitor,
    source: Iterator[tuple[str, dict[str, Any]]],
    tps: float,
    seconds: float,
) -> RateRun:
    """Load a stack at one rate; LoadError if the rate could not be produced or worked off, or fewer than two alerts arrived."""
    warm = Load(stack.bootstrap_servers, tps, WARM_SECONDS, source)
    warm.start()
    warm.finish()
    _wait_until_at_rest(monitor, tps)
    monitor.take_alert_latencies()
    load = Load(stack.bootstrap_servers, tps, seconds, source)
    before, began, began_ms = monitor.usage(), time.monotonic(), time.time() * 1000
    load.start()
    samples = []
    while load.is_running:
        time.sleep(1.0)
        waiting = monitor.backlog()
        if waiting is not None:
            samples.append((time.monotonic() - began, float(waiting)))
    load.finish()
    after, lasted = monitor.usage(), time.monotonic() - began
    _wait_until_at_rest(monitor, tps)
    delivered = monitor.take_alert_latencies()
    if len(delivered) < 2:
        raise LoadError(f"{len(delivered)} alerts were delivered")
    latencies = tuple(((at_ms - began_ms) / 1000, latency) for at_ms, latency in delivered)
    return RateRun(
        tps=tps,
        seconds=round(lasted, 1),
        latency_ms=summarise([latency for _, latency in delivered]),
        # The last sample may have been taken after the load's end.
        backlog=judge_backlog(samples[:-1], latencies, tps),
        samples=tuple(samples),
        cores=cores_used(before, after, lasted),
        latencies=latencies,
        alerts=monitor.alert_count(),
    )


def _wait_until_at_rest(monitor: StackMonitor, tps: float) -> None:
    if not monitor.wait_until_at_rest(REST_SECONDS):
        raise LoadError(
            f"the backlog of {tps:g} payments a second was not worked off in {REST_SECONDS:.0f} s"
        )


def next_rate(runs: Sequence[tuple[float, bool]], first: float) -> float | None:
    """The rate to try next; None if the highest is known well enough, or nothing down to a quarter of ``first`` was held.

    Parameters
    ----------
    runs : Sequence[tuple[float, bool]]
        Rates tried so far, and whether each was held.
    first : float
        Where to begin.

    Examples
    --------
    >>> next_rate([], 200.0), next_rate([(200.0, True)], 200.0), next_rate([(200.0, True), (300.0, False)], 200.0)
    (200.0, 300.0, 240.0)
    >>> next_rate([(200.0, True), (300.0, False), (240.0, False), (220.0, True)], 200.0) is None
    True
    """
    held = max((rate for rate, flat in runs if flat), default=None)
    broke = min((rate for rate, flat in runs if not flat), default=None)
    if held is None:
        return first if broke is None else (None if broke < first / 4 else round(broke / FIRST_FACTOR, -1))
    if broke is None:
        return round(held * FIRST_FACTOR, -1)
    # The geometric middle, because the search ends by a ratio; rounded down to a multiple of 10.
    middle = (held * broke) ** 0.5 // 10 * 10
    return middle if held * FINEST_FACTOR < broke and held < middle < broke else None


def search_highest(
    steady: RateRun, measure: Callable[[float], RateRun], progress: Callable[[str], None]
) -> tuple[list[RateRun], list[BrokenRate]]:
    """Search for the highest rate that is held; returns the rates that could be measured, and those that could not.

    Parameters
    ----------
    steady : RateRun
        Where to begin.
    measure : Callable
        Loads a stack at a rate. A LoadError means that the rate was not held.
    progress : Callable
        Gets a sentence for each step.
    """
    tried: list[RateRun] = []
    broken: list[BrokenRate] = []
    outcomes = [(steady.tps, steady.held)]
    while (rate := next_rate(outcomes, steady.tps)) is not None:
        progress(f"{rate:g} payments a second for {SEARCH_SECONDS:g} s")
        try:
            tried.append(measure(rate))
        except LoadError as error:
            broken.append(BrokenRate(rate, str(error)))
            progress(f"  not held: {error}")
            outcomes.append((rate, False))
            continue
        progress(f"  backlog {'flat' if tried[-1].backlog.flat else 'grows'}; {tried[-1].alerts}")
        outcomes.append((rate, tried[-1].held))
    return tried, broken


def run(
    tps: float,
    seconds: float,
    progress: Callable[[str], None],
    save_steady: Callable[[EndToEndReport], None],
    *,
    search: bool,
) -> EndToEndReport:
    """Start a stack, load it, stop it.

    Parameters
    ----------
    tps, seconds : float
        The steady rate, and for how long.
    progress : Callable
        Gets a sentence for each step.
    save_steady : Callable
        Gets the report of the steady rate before the search, so that a failing search does not lose minutes of measuring.
    search : bool
        Whether to search for the highest rate.
    """
    at, machine = now(), this_machine()
    with Stack(STACK_DIR) as stack:
        stack.start(progress, ingestion=False, disabled_schedules=["canary"])
        progress("storing profiles of the users")
        seed_profiles(stack.cache_endpoint)
        monitor = StackMonitor(stack, STACK_DIR)
        source = payments(f"{os.getpid():x}")
        progress(f"{tps:g} payments a second for {seconds:g} s")
        steady = measure_rate(stack, monitor, source, tps, seconds)
        report = EndToEndReport(
            at=at,
            machine=machine,
            suspicious_share=SUSPICIOUS_SHARE,
            steady=steady,
            figures=endtoend_figures(steady),
        )
        save_steady(report)
        if search:
            tried, broken = search_highest(
                steady, lambda rate: measure_rate(stack, monitor, source, rate, SEARCH_SECONDS), progress
            )
            highest = max((each.tps for each in (steady, *tried) if each.held), default=None)
            report = msgspec.structs.replace(
                report,
                search=tuple(tried),
                broken=tuple(broken),
                highest_flat_tps=highest,
                figures=endtoend_figures(steady, tried, highest),
            )
        progress("stopping the stack")
    return report


def endtoend_charts(report: EndToEndReport) -> dict[str, Chart]:
    """Draw latency and backlog at the steady rate, and latency by rate if there was a search; by file name."""
    from benchmarks.charts import Axis, Line, line_chart

    steady = report.steady
    slices = by_slice(steady.latencies, steady.seconds / CHART_SLICES)
    charts = {
        "endtoend-latency": line_chart(
            f"From the topic to SNS at {steady.tps:g} payments a second",
            Axis("seconds"),
            Axis("ms"),
            [
                Line(
                    f"{round(100 * share)}th percentile",
                    [(at_s, percentile(values, share)) for at_s, values in slices],
                )
                for share in (0.99, 0.95, 0.5)
            ],
        ),
        "endtoend-backlog": line_chart(
            f"Records waiting in all stages at {steady.tps:g} payments a second",
            Axis("seconds"),
            Axis("records"),
            [Line("backlog", steady.samples)],
        ),
    }
    if report.search:
        runs = sorted((steady, *report.search), key=lambda each: each.tps)
        charts["endtoend-rates"] = line_chart(
            "Latency by rate",
            Axis("payments a second"),
            Axis("ms, logarithmic", log=True),
            [
                Line("99th percentile", [(each.tps, max(each.latency_ms.p99, 1.0)) for each in runs]),
                Line("median", [(each.tps, max(each.latency_ms.p50, 1.0)) for each in runs]),
            ],
        )
    return charts


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 0 if the targets are reached, 1 if not, 2 if it could not be run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.endtoend", description=__doc__)
    parser.add_argument("--tps", type=float, default=200.0, help="payments a second (default %(default)g)")
    parser.add_argument(
        "--seconds",
        type=float,
        default=60.0,
        help="how long, >= 10 (default %(default)g; `make bench-endtoend` takes 300)",
    )
    parser.add_argument("--search", action="store_true", help="search for the highest rate as well")
    parser.add_argument("--figures", action="store_true", help="draw charts into docs/figures")
    parser.add_argument(
        "--output", type=Path, default=REPORT_FILE, help="the report, JSON (default %(default)s)"
    )
    options = parser.parse_args(arguments)
    if options.seconds < 10:
        parser.error("--seconds must be at least 10: a backlog's slope needs some points")
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)

    def save(report: EndToEndReport) -> None:
        write_json(options.output, report)
        if options.figures:
            _draw(report, console)

    try:
        report = run(
            options.tps,
            options.seconds,
            lambda step: console.print(f"[dim]{step}[/]"),
            save,
            search=options.search,
        )
    except (LoadError, ProcessError, StackError, StackRunningError) as error:
        print(f"endtoend: {error}", file=sys.stderr)
        return 2
    save(report)
    console.print(figure_table("End to end", report.figures))
    console.print(
        "cores busy: " + ", ".join(f"{name} {used:.2f}" for name, used in report.steady.cores.items())
    )
    for each in (report.steady, *report.search):
        if not each.alerts.complete:
            print(f"endtoend: at {each.tps:g} payments a second {each.alerts}", file=sys.stderr)
    return 0 if report.passed else 1


def _draw(report: EndToEndReport, console: Console) -> None:
    from benchmarks.charts import write_charts

    for file in write_charts(endtoend_charts(report), FIGURES_FOLDER):
        console.print(f"[dim]{file}[/]", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
