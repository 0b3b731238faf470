"""Measure the functions and compare them with their targets: ``python -m benchmarks [--rounds N] [--seed N] [--figures]``."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from rich.console import Console

from benchmarks import candidates, degraded, stage_cost
from benchmarks.candidates import BASELINE, CANDIDATES, EMPTY, FLOOR, SCORE, SIZES
from benchmarks.figures import ROLLOUT_TARGETS, TARGETS, bench_figures, degraded_figures
from benchmarks.harness import INJECTED, FunctionFailedError, Harness
from benchmarks.report import (
    BENCH_FILE,
    FIGURES_FOLDER,
    BenchReport,
    Series,
    figure_table,
    now,
    number,
    this_machine,
    write_json,
)
from benchmarks.rollout import default_documents, rollout_documents
from benchmarks.stats import middle
from benchmarks.workload import make_workload
from local.processes import ProcessError
from ops.manifests import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure as Chart

    from benchmarks.candidates import Measured

DEFAULT_ROUNDS: Final = 5
HARNESS_FOLDER: Final = ROOT / "build" / "bench"
NAMES: Final = {SCORE: "score stage", BASELINE: "baseline", FLOOR: "I/O floor", EMPTY: "empty handler"}
"""Candidates, as people read them."""
CHARTED: Final = (BASELINE, SCORE, FLOOR)


def run(rounds: int, seed: int, console: Console, *, is_rollout: bool = False) -> BenchReport:
    """Measure everything once. What is compared with each other runs side by side.

    Parameters
    ----------
    rounds : int
        How often each is measured.
    seed : int
        Of the simulated users.
    console : Console
        Shows each step.
    is_rollout : bool
        Measure with the default model, and with a candidate beside the default ruleset.
    """
    began = time.monotonic()
    machine, at = this_machine(), now()

    def progress(step: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:4.0f} s  {step}[/]")

    progress("simulating payments")
    # One payment for each round of cold starts, which has an extra round to read the files from the disk.
    for_cold_starts = rounds + 1
    workload = make_workload(candidates.payments_needed(rounds) + for_cold_starts, seed)
    documents = rollout_documents() if is_rollout else default_documents()
    with Harness(HARNESS_FOLDER, documents) as harness:
        progress("the logic alone")
        logic = stage_cost.logic_cost(harness, workload, 2 * rounds)
        measured = candidates.measure(harness, workload, rounds, lambda step: progress(f"candidates: {step}"))
        profiles = stage_cost.profile_sizes(harness)
        progress("cold starts")
        starts = stage_cost.cold_starts(harness, workload, rounds)
        progress("users with few and users with many earlier payments")
        by_past = stage_cost.cost_by_past(harness, rounds)
        progress("the cache emptied, and unavailable")
        without_cache = degraded.measure(harness, rounds)
    progress("done")
    record_bytes = sum(len(each.value) + len(each.user_id) for each in workload.payments) / len(
        workload.payments
    )
    return BenchReport(
        at=at,
        machine=machine,
        rounds=rounds,
        injected_round_trip_ms=msgspec.structs.asdict(INJECTED),
        figures=(
            *bench_figures(
                measured,
                logic,
                by_past,
                profiles,
                record_bytes,
                starts,
                ROLLOUT_TARGETS if is_rollout else TARGETS,
            ),
            *degraded_figures(without_cache),
        ),
        candidates=_series(measured),
    )


def _series(measured: Measured) -> dict[str, Series]:
    return {
        name: Series(
            {size: middle(measured.cpu_us(name, size)) for size in SIZES},
            {size: middle(measured.wall_us(name, size)) for size in SIZES},
        )
        for name in CANDIDATES
    }


def show(report: BenchReport, console: Console) -> None:
    """Print the figures and the costs by batch size."""
    machine = report.machine
    console.print(
        f"{machine.cpus} cores of {machine.processor}, Python {machine.python}, load {machine.load_average} at the "
        f"start; medians of {report.rounds} rounds, with all candidates in each round"
    )
    console.print(figure_table("Figures", report.figures))
    cpu = {name: series.cpu_us for name, series in report.candidates.items()}
    wall = {name: series.wall_us for name, series in report.candidates.items()}
    for title, costs in (("CPU", cpu), ("wall time with round trips", wall)):
        console.print(f"{title}, µs a payment, in batches of {', '.join(map(str, SIZES))}:")
        for name, values in costs.items():
            console.print(f"  {NAMES[name]:14}" + "".join(f"{number(values[size]):>9}" for size in SIZES))


def bench_charts(report: BenchReport) -> dict[str, Chart]:
    """Draw the candidates' CPU and wall time by batch size, and their CPU in batches of 100; by file name."""
    from benchmarks.charts import Axis, Line, bar_chart, line_chart

    batch_size = Axis("payments in a batch", log=True, ticks=tuple(map(float, SIZES)))
    microseconds = Axis("µs, logarithmic", log=True)
    cpu = {NAMES[name]: report.candidates[name].cpu_us for name in CHARTED}
    wall = {NAMES[name]: report.candidates[name].wall_us for name in CHARTED}

    def lines(costs: Mapping[str, Mapping[int, float]]) -> list[Line]:
        return [
            Line(name, [(float(size), by_size[size]) for size in SIZES]) for name, by_size in costs.items()
        ]

    return {
        "cpu-per-payment": line_chart(
            "CPU of the function's process, µs a payment", batch_size, microseconds, lines(cpu)
        ),
        "wall-per-payment": line_chart(
            "Wall time with a network's round trips, µs a payment", batch_size, microseconds, lines(wall)
        ),
        "cpu-at-100": bar_chart(
            "CPU of a payment in a batch of 100", "µs", {name: by_size[100] for name, by_size in cpu.items()}
        ),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks; 0 if every target is reached, 1 if not, 2 if they could not be run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--rounds",
        type=int,
        default=DEFAULT_ROUNDS,
        help="how often each is measured, >= 3 (default %(default)s)",
    )
    parser.add_argument(
        "--rollout", action="store_true", help="with the default model, and a candidate beside the ruleset"
    )
    parser.add_argument("--seed", type=int, default=7, help="of the simulated users (default %(default)s)")
    parser.add_argument(
        "--figures", action="store_true", help=f"draw charts into {FIGURES_FOLDER.relative_to(ROOT)}"
    )
    parser.add_argument(
        "--output", type=Path, default=BENCH_FILE, help="the report, JSON (default %(default)s)"
    )
    options = parser.parse_args(arguments)
    if options.rounds < 3:
        parser.error("--rounds must be at least 3: a median of fewer says nothing")
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
    try:
        report = run(options.rounds, options.seed, console, is_rollout=options.rollout)
    except (FunctionFailedError, ProcessError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    write_json(options.output, report)
    show(report, console)
    console.print(f"[dim]{options.output}[/]", soft_wrap=True)
    if options.figures:
        from benchmarks.charts import write_charts

        for file in write_charts(bench_charts(report), FIGURES_FOLDER):
            console.print(f"[dim]{file}[/]", soft_wrap=True)
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
