"""Which plots are drawn of which report, and what they are called."""

from typing import TYPE_CHECKING, Final

from benchmarks.candidates import BASELINE, FLOOR, SCORE, SIZES
from benchmarks.svg import Axis, Bar, Line, bar_chart, line_chart

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.report import BenchReport

_NAMES: Final = {BASELINE: "baseline", SCORE: "score stage", FLOOR: "I/O floor"}
_BATCH_AXIS: Final = Axis("payments in a batch", log=True, ticks=tuple(float(size) for size in SIZES))


def draw_bench(report: "BenchReport", folder: "Path") -> "list[Path]":
    """Draw what `make bench` measured; gives the files."""
    plots = {
        "cpu-per-payment.svg": line_chart(
            "CPU of the function's process, µs a payment",
            _BATCH_AXIS,
            Axis("µs, logarithmic", log=True),
            _lines(report, "cpu_us"),
        ),
        "wall-per-payment.svg": line_chart(
            "Wall time with a network's round trips, µs a payment",
            _BATCH_AXIS,
            Axis("µs, logarithmic", log=True),
            _lines(report, "wall_us"),
        ),
        "cpu-at-100.svg": bar_chart(
            "CPU of a payment in a batch of 100",
            "µs",
            [Bar(name, report.candidates[key].cpu_us[100]) for key, name in _NAMES.items()],
        ),
    }
    return write_plots(plots, folder)


def write_plots(plots: "dict[str, str]", folder: "Path") -> "list[Path]":
    """Write plots; gives their files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, svg in plots.items():
        files.append(folder / name)
        files[-1].write_text(svg)
    return files


def _lines(report: "BenchReport", pick: str) -> "Sequence[Line]":
    return [
        Line(name, tuple((float(size), getattr(report.candidates[key], pick)[size]) for size in SIZES))
        for key, name in _NAMES.items()
    ]
