"""Which plots are drawn of which report, and what they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.candidates import BASELINE, FLOOR, SCORE, SIZES
from benchmarks.stats import percentile
from benchmarks.svg import Axis, Bar, Line, bar_chart, line_chart

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.endtoend import EndToEndReport
    from benchmarks.report import BenchReport
    from benchmarks.soak import SoakReport

_NAMES: Final = {BASELINE: "baseline", SCORE: "score stage", FLOOR: "I/O floor"}
_BATCH_AXIS: Final = Axis("payments in a batch", log=True, ticks=tuple(float(size) for size in SIZES))


def draw_bench(report: BenchReport, folder: Path) -> list[Path]:
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


def write_plots(plots: dict[str, str], folder: Path) -> list[Path]:
    """Write plots; gives their files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, svg in plots.items():
        files.append(folder / name)
        files[-1].write_text(svg)
    return files


def _lines(report: BenchReport, pick: str) -> Sequence[Line]:
    return [
        Line(name, tuple((float(size), getattr(report.candidates[key], pick)[size]) for size in SIZES))
        for key, name in _NAMES.items()
    ]


def draw_endtoend(report: EndToEndReport, folder: Path) -> list[Path]:
    """Draw latency and backlog at the steady rate, and what the search found; gives the files."""
    steady = report.steady
    slices = _by_slice(steady.latencies, steady.seconds / 30)
    plots = {
        "endtoend-latency.svg": line_chart(
            f"From the topic to SNS at {steady.tps:g} payments a second",
            Axis("seconds"),
            Axis("ms"),
            [
                Line(f"{round(100 * share)}th percentile", _percentiles(slices, share))
                for share in (0.99, 0.95, 0.5)
            ],
        ),
        "endtoend-backlog.svg": line_chart(
            f"Records waiting in all stages at {steady.tps:g} payments a second",
            Axis("seconds"),
            Axis("records"),
            [Line("backlog", steady.samples)],
        ),
    }
    if report.search:
        runs = sorted((steady, *report.search), key=lambda run: run.tps)
        plots["endtoend-rates.svg"] = line_chart(
            "Latency by rate",
            Axis("payments a second"),
            Axis("ms, logarithmic", log=True),
            [
                Line("99th percentile", tuple((run.tps, max(run.latency_ms.p99, 1.0)) for run in runs)),
                Line("median", tuple((run.tps, max(run.latency_ms.p50, 1.0)) for run in runs)),
            ],
        )
    return write_plots(plots, folder)


def draw_soak(report: SoakReport, folder: Path) -> list[Path]:
    """Draw memory and latency over a soak; gives the files."""
    minutes = Axis("minutes")
    judged = {name for name, verdict in report.memory.items() if verdict.flat is not None}
    plots = {
        "soak-memory.svg": line_chart(
            "Memory of the functions and their mappings",
            minutes,
            Axis("MiB"),
            [
                Line(name, tuple((second / 60, size / 2**20) for second, size in samples))
                for name, samples in report.rss_bytes.items()
                if name in judged
            ],
        ),
        "soak-latency.svg": line_chart(
            f"From the topic to SNS at {report.tps:g} payments a second",
            minutes,
            Axis("ms"),
            [
                Line("99th percentile", tuple((second / 60, each.p99) for second, each in report.slices)),
                Line("median", tuple((second / 60, each.p50) for second, each in report.slices)),
            ],
        ),
    }
    return write_plots(plots, folder)


def _by_slice(latencies: Sequence[tuple[float, float]], seconds: float) -> dict[float, list[float]]:
    slices: dict[float, list[float]] = {}
    for at_s, latency in latencies:
        slices.setdefault((at_s // seconds + 0.5) * seconds, []).append(latency)
    return slices


def _percentiles(slices: dict[float, list[float]], share: float) -> tuple[tuple[float, float], ...]:
    return tuple((at_s, percentile(values, share)) for at_s, values in sorted(slices.items()))
