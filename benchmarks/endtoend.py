"""From the topic to SNS on the local stack: latency at a steady rate, and the highest rate whose backlog stays flat.

``python -m benchmarks.endtoend [--tps 200] [--seconds 60] [--search] [--figures]``; the Glue job is left out, it would be
Spark's latency that is measured.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from rich.console import Console

from benchmarks.charts import draw_endtoend
from benchmarks.flow import (
    AlertCount,
    BacklogVerdict,
    LatencySummary,
    Watch,
    cores_used,
    judge_backlog,
    summarise,
)
from benchmarks.load import SUSPICIOUS_SHARE, Load, LoadError, payments, seed_profiles
from benchmarks.report import Figure, Machine, figure_table, now, this_machine, write_json
from local.processes import ProcessError
from local.stack import Stack, StackError, StackRunningError
from ops.manifests import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

REPORT_FILE: Final = ROOT / "build" / "endtoend.json"
FIGURES_FOLDER: Final = ROOT / "docs" / "figures"
STACK_DIR: Final = ROOT / "build" / "endtoend"

P99_TARGET_MS: Final = 1_000.0
WARM_SECONDS: Final = 8.0
"""Before each measurement, at its rate: workers start, connections open."""
SEARCH_SECONDS: Final = 25.0
FIRST_FACTOR: Final = 1.5
FINEST_FACTOR: Final = 1.1
"""The search ends when a rate that holds and one that does not are so near."""
REST_SECONDS: Final = 120.0


class RateRun(msgspec.Struct, frozen=True, kw_only=True):
    """One rate for some time."""

    tps: float
    seconds: float
    latency_ms: LatencySummary
    backlog: BacklogVerdict
    samples: tuple[tuple[float, float], ...]
    """Seconds since the start, and records waiting in all stages together."""
    cores: dict[str, float]
    """Cores that each process kept busy, most first."""
    latencies: tuple[tuple[float, float], ...]
    """Of each alert: seconds since the start when it was delivered, and ms."""
    alerts: AlertCount
    """Since the stack began, until nothing waited any more after this rate."""

    @property
    def held(self) -> bool:
        """Whether the backlog was flat, and every alert came once."""
        return self.backlog.flat and self.alerts.complete


class BrokenRate(msgspec.Struct, frozen=True):
    """A rate of the search that could not be measured, and so was not held."""

    tps: float
    why: str


class EndToEndReport(msgspec.Struct, frozen=True, kw_only=True):
    """One run of this benchmark."""

    at: datetime
    machine: Machine
    suspicious_share: float
    steady: RateRun
    search: tuple[RateRun, ...] = ()
    broken: tuple[BrokenRate, ...] = ()
    highest_flat_tps: float | None = None
    """None where no search was asked for, or no rate held."""
    figures: tuple[Figure, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the steady rate was held within the targets, and no alert was lost or doubled at any rate."""
        return (
            self.steady.held
            and all(each.alerts.complete for each in self.search)
            and all(figure.passed is not False for figure in self.figures)
        )


def measure_rate(
    stack: Stack, watch: Watch, source: Iterator[tuple[str, dict[str, Any]]], tps: float, seconds: float
) -> RateRun:
    """Load a stack at one rate; LoadError where the rate could not be produced or worked off, or no alert came."""
    warm = Load(stack.bootstrap_servers, tps, WARM_SECONDS, source)
    warm.start()
    warm.finish()
    _wait_for_rest(watch, tps)
    watch.alert_latencies()
    load = Load(stack.bootstrap_servers, tps, seconds, source)
    before, began, began_ms = watch.usage(), time.monotonic(), time.time() * 1000
    load.start()
    samples = []
    while load.is_running:
        time.sleep(1.0)
        waiting = watch.backlog()
        if waiting is not None:
            samples.append((time.monotonic() - began, float(waiting)))
    load.finish()
    after, lasted = watch.usage(), time.monotonic() - began
    _wait_for_rest(watch, tps)
    delivered = watch.alert_latencies()
    if len(delivered) < 2:
        raise LoadError(f"{len(delivered)} alerts were delivered")
    latencies = tuple(((at_ms - began_ms) / 1000, latency) for at_ms, latency in delivered)
    return RateRun(
        tps=tps,
        seconds=round(lasted, 1),
        latency_ms=summarise([latency for _, latency in delivered]),
        # The last sample may be of a moment after the load's end.
        backlog=judge_backlog(samples[:-1], latencies, tps),
        samples=tuple(samples),
        cores=cores_used(before, after, lasted),
        latencies=latencies,
        alerts=watch.alert_count(),
    )


def _wait_for_rest(watch: Watch, tps: float) -> None:
    if not watch.wait_until_at_rest(REST_SECONDS):
        raise LoadError(
            f"the backlog of {tps:g} payments a second was not worked off in {REST_SECONDS:.0f} s"
        )


def next_rate(runs: Sequence[tuple[float, bool]], first: float) -> float | None:
    """The rate to try next, or None where it is known well enough.

    Parameters
    ----------
    runs : Sequence[tuple[float, bool]]
        Rates tried so far, and whether each held.
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
    # To the nearest 10 below the geometric middle: what is left to doubt is a ratio.
    middle = (held * broke) ** 0.5 // 10 * 10
    return middle if held * FINEST_FACTOR < broke and held < middle < broke else None


def run(
    tps: float,
    seconds: float,
    tell: Callable[[str], None],
    keep: Callable[[EndToEndReport], None],
    *,
    search: bool,
) -> EndToEndReport:
    """Start a stack, load it, stop it.

    Parameters
    ----------
    tps, seconds : float
        The steady rate, and for how long.
    tell : Callable
        Gets a sentence for each step.
    keep : Callable
        Gets the report of the steady rate before the search: minutes of measuring are not lost by what comes after them.
    search : bool
        Whether to look for the highest rate.
    """
    at, machine = now(), this_machine()
    with Stack(STACK_DIR) as stack:
        stack.start(tell, ingestion=False)
        tell("giving users a past")
        seed_profiles(stack.cache_endpoint)
        watch = Watch(stack, STACK_DIR)
        source = payments(f"{os.getpid():x}")
        tell(f"{tps:g} payments a second for {seconds:g} s")
        steady = measure_rate(stack, watch, source, tps, seconds)
        report = EndToEndReport(
            at=at,
            machine=machine,
            suspicious_share=SUSPICIOUS_SHARE,
            steady=steady,
            figures=_figures(steady, (), None),
        )
        keep(report)
        if search:
            tried, broken = search_highest(
                steady, lambda rate: measure_rate(stack, watch, source, rate, SEARCH_SECONDS), tell
            )
            highest = max((each.tps for each in (steady, *tried) if each.held), default=None)
            report = msgspec.structs.replace(
                report,
                search=tuple(tried),
                broken=tuple(broken),
                highest_flat_tps=highest,
                figures=_figures(steady, tried, highest),
            )
        tell("stopping the stack")
    return report


def search_highest(
    steady: RateRun, measure: Callable[[float], RateRun], tell: Callable[[str], None]
) -> tuple[list[RateRun], list[BrokenRate]]:
    """Look for the highest rate that is held; gives the rates that could be measured, and those that could not.

    Parameters
    ----------
    steady : RateRun
        Where to begin.
    measure : Callable
        Loads a stack at a rate; LoadError where it could not be produced or worked off, which is a rate not held.
    tell : Callable
        Gets a sentence for each step.
    """
    tried: list[RateRun] = []
    broken: list[BrokenRate] = []
    outcomes = [(steady.tps, steady.held)]
    while (rate := next_rate(outcomes, steady.tps)) is not None:
        tell(f"{rate:g} payments a second for {SEARCH_SECONDS:g} s")
        try:
            tried.append(measure(rate))
        except LoadError as error:
            broken.append(BrokenRate(rate, str(error)))
            tell(f"  not held: {error}")
            outcomes.append((rate, False))
            continue
        tell(f"  backlog {'flat' if tried[-1].backlog.flat else 'grows'}; {tried[-1].alerts}")
        outcomes.append((rate, tried[-1].held))
    return tried, broken


def _figures(steady: RateRun, tried: Sequence[RateRun], highest: float | None) -> tuple[Figure, ...]:
    latency, backlog = steady.latency_ms, steady.backlog
    figures = [
        Figure(
            key="endtoend_p99_ms",
            text=f"topic to SNS at {steady.tps:g} payments a second for {steady.seconds:.0f} s, 99th percentile",
            value=latency.p99,
            unit="ms",
            target=P99_TARGET_MS,
            note=f"median {latency.p50:.0f} ms, 95th {latency.p95:.0f} ms, worst {latency.worst:.0f} ms, of {latency.count:,} alerts; {steady.alerts}",
        ),
        Figure(
            key="endtoend_backlog_growth",
            text="growth of the backlog meanwhile, records a second",
            value=backlog.growth_per_s,
            unit="",
            target=0.01 * steady.tps,
            note=f"{'flat' if backlog.flat else 'NOT flat'}; typically {backlog.typical:.0f} records wait, at most {backlog.worst:.0f}; "
            f"latency grows by {backlog.latency_growth_ms_per_s:.1f} ms a second",
        ),
    ]
    if highest is not None:
        best = next(each for each in (steady, *tried) if each.tps == highest)
        used = ", ".join(f"{name} {cores:.2f}" for name, cores in list(best.cores.items())[:5])
        figures.append(
            Figure(
                key="endtoend_highest_tps",
                text="highest rate with a flat backlog, payments a second",
                value=highest,
                unit="",
                note=f"99th percentile {best.latency_ms.p99:.0f} ms; cores busy: {used}; {sum(best.cores.values()):.2f} in all",
            )
        )
    return tuple(figures)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 0 where the targets are reached, 1 where not, 2 where it could not be run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.endtoend", description=__doc__)
    parser.add_argument("--tps", type=float, default=200.0, help="payments a second")
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="how long; the published figure takes 300"
    )
    parser.add_argument("--search", action="store_true", help="look for the highest rate as well")
    parser.add_argument("--figures", action="store_true", help="draw plots into docs/figures")
    parser.add_argument("--output", type=Path, default=REPORT_FILE)
    options = parser.parse_args(arguments)
    if options.seconds < 10:
        parser.error("--seconds must be at least 10: a backlog's slope needs some points")
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)

    def keep(report: EndToEndReport) -> None:
        write_json(options.output, report)
        if options.figures:
            for file in draw_endtoend(report, FIGURES_FOLDER):
                console.print(f"[dim]{file}[/]", soft_wrap=True)

    try:
        report = run(
            options.tps,
            options.seconds,
            lambda step: console.print(f"[dim]{step}[/]"),
            keep,
            search=options.search,
        )
    except (LoadError, ProcessError, StackError, StackRunningError) as error:
        print(f"endtoend: {error}", file=sys.stderr)
        return 2
    keep(report)
    console.print(figure_table("End to end", report.figures))
    console.print(
        "cores busy: " + ", ".join(f"{name} {used:.2f}" for name, used in report.steady.cores.items())
    )
    for each in (report.steady, *report.search):
        if not each.alerts.complete:
            print(f"endtoend: at {each.tps:g} payments a second {each.alerts}", file=sys.stderr)
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
