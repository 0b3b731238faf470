"""Measure the functions and hold them to their targets: ``python -m benchmarks [--rounds N] [--figures] [--only PART]``."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from rich.console import Console

from benchmarks import candidates, charts, stage_cost
from benchmarks.candidates import BASELINE, CANDIDATES, EMPTY, FLOOR, SCORE, SIZES
from benchmarks.figures import bench_figures
from benchmarks.lab import INJECTED, FunctionFailedError, Lab
from benchmarks.report import (
    BENCH_FILE,
    BenchReport,
    Series,
    figure_table,
    now,
    number,
    this_machine,
    write_json,
)
from benchmarks.stats import middle
from benchmarks.workload import make_workload
from local.processes import ProcessError
from ops.manifests import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.candidates import Measured

DEFAULT_ROUNDS: Final = 5
LAB_FOLDER: Final = ROOT / "build" / "bench"
FIGURES_FOLDER: Final = ROOT / "docs" / "figures"


def run(rounds: int, seed: int, console: Console) -> BenchReport:
    """Measure everything once; what is compared is measured side by side."""
    began = time.monotonic()
    machine, at = this_machine(), now()

    def tell(step: str) -> None:
        console.print(f"[dim]{time.monotonic() - began:4.0f} s  {step}[/]")

    tell("simulating payments")
    spare = rounds + 1
    workload = make_workload(candidates.payments_needed(rounds) + spare, seed)
    with Lab(LAB_FOLDER) as lab:
        tell("the logic alone")
        logic = stage_cost.logic_us(lab, workload, 2 * rounds)
        measured = candidates.measure(lab, workload, rounds, lambda step: tell(f"candidates: {step}"))
        profiles = stage_cost.profile_sizes(lab)
        tell("cold starts")
        starts = stage_cost.cold_starts(lab, workload, rounds)
        tell("users with few and with many earlier payments")
        past = stage_cost.cost_by_past(lab, rounds)
    tell("done")
    record_bytes = sum(len(each.value) + len(each.user_id) for each in workload.payments) / len(
        workload.payments
    )
    return BenchReport(
        at=at,
        machine=machine,
        rounds=rounds,
        injected_round_trip_ms=msgspec.structs.asdict(INJECTED),
        figures=bench_figures(measured, logic, past, profiles, record_bytes, starts),
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
    """Print the table and the costs by batch size."""
    machine = report.machine
    console.print(
        f"{machine.cpus} cores of {machine.processor}, Python {machine.python}, load {machine.load_average} at the "
        f"start; medians of {report.rounds} rounds, all candidates in each"
    )
    console.print(figure_table("Figures", report.figures))
    names = {SCORE: "score stage", BASELINE: "baseline", FLOOR: "I/O floor", EMPTY: "empty handler"}
    for title, pick in (("CPU", "cpu_us"), ("wall time with round trips", "wall_us")):
        console.print(f"{title}, µs a payment, at batches of {', '.join(map(str, SIZES))}:")
        for name, series in report.candidates.items():
            values = getattr(series, pick)
            console.print(f"  {names[name]:14}" + "".join(f"{number(values[size]):>9}" for size in SIZES))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks; 0 where every target is reached, 1 where not, 2 where they could not be run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=DEFAULT_ROUNDS, help="how often each is measured, >= 3")
    parser.add_argument("--seed", type=int, default=7, help="of the simulated people")
    parser.add_argument(
        "--figures", action="store_true", help=f"draw plots into {FIGURES_FOLDER.relative_to(ROOT)}"
    )
    parser.add_argument("--output", type=Path, default=BENCH_FILE)
    options = parser.parse_args(arguments)
    if options.rounds < 3:
        parser.error("--rounds must be at least 3: a median of fewer says nothing")
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
    try:
        report = run(options.rounds, options.seed, console)
    except (FunctionFailedError, ProcessError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    write_json(options.output, report)
    show(report, console)
    console.print(f"[dim]{options.output}[/]", soft_wrap=True)
    if options.figures:
        for file in charts.draw_bench(report, FIGURES_FOLDER):
            console.print(f"[dim]{file}[/]", soft_wrap=True)
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
