"""Results of the benchmarks: figures with their targets, as a table for people and as JSON for programs."""

from __future__ import annotations

import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from rich.table import Table

from ops.manifests import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

BENCH_FILE: Final = ROOT / "build" / "bench.json"
FIGURES_FOLDER: Final = ROOT / "docs" / "figures"
"""Where the charts are stored."""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One measured figure and its target."""

    key: str
    text: str
    """What was measured, for people."""
    value: float
    unit: str
    target: float | None = None
    """None for a figure without one."""
    must_be: Literal["at least", "at most"] = "at most"
    aim: float | None = None
    """A better value than the target, not required."""
    rounds: tuple[float, ...] = ()
    """Values of the single rounds; ``value`` is their median."""
    note: str = ""

    @property
    def passed(self) -> bool | None:
        """Whether the target is reached; None without one."""
        if self.target is None:
            return None
        return self.value >= self.target if self.must_be == "at least" else self.value <= self.target


class Machine(msgspec.Struct, frozen=True):
    """The machine that the benchmarks ran on."""

    cpus: int
    processor: str
    python: str
    load_average: float
    """Of the minute before the run: what else the machine did."""


class Series(msgspec.Struct, frozen=True):
    """One candidate's costs at each batch size, medians over the rounds, µs a payment."""

    cpu_us: dict[int, float]
    wall_us: dict[int, float]


class BenchReport(msgspec.Struct, frozen=True, kw_only=True):
    """One run of `make bench`."""

    at: datetime
    machine: Machine
    rounds: Annotated[int, msgspec.Meta(ge=1)]
    injected_round_trip_ms: dict[str, float]
    figures: tuple[Figure, ...]
    candidates: dict[str, Series]

    @property
    def passed(self) -> bool:
        """Whether every target is reached."""
        return all(figure.passed is not False for figure in self.figures)

    def value(self, key: str) -> float:
        """A figure's value; KeyError if it was not measured in this run."""
        for figure in self.figures:
            if figure.key == key:
                return figure.value
        raise KeyError(key)


def this_machine() -> Machine:
    """Describe this machine, as it is now."""
    return Machine(
        cpus=len(os.sched_getaffinity(0)),
        processor=_processor(),
        python=platform.python_version(),
        load_average=round(os.getloadavg()[0], 2),
    )


def write_json(file: Path, report: Any) -> None:
    """Write a report, with whether it and each of its figures passed. The file is replaced as a whole."""
    document = msgspec.to_builtins(report, str_keys=True)
    if (passed := getattr(report, "passed", None)) is not None:
        document["passed"] = passed
    for figure, written in zip(getattr(report, "figures", ()), document.get("figures", ()), strict=True):
        written["passed"] = figure.passed
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    temporary.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
    temporary.replace(file)


def read_bench(file: Path = BENCH_FILE) -> BenchReport:
    """Read the last run of `make bench`; FileNotFoundError without one."""
    return msgspec.json.decode(file.read_bytes(), type=BenchReport, strict=False)


def figure_table(title: str, figures: Sequence[Figure]) -> Table:
    """Lay figures out as a table: value, spread of the rounds, target, whether it is reached."""
    table = Table(title=title, title_justify="left")
    for name in ("figure", "measured", "rounds", "target", ""):
        table.add_column(name, justify="left" if name == "figure" else "right")
    for figure in figures:
        spread = f"{number(min(figure.rounds))} to {number(max(figure.rounds))}" if figure.rounds else ""
        verdict = {True: "[green]reached[/]", False: "[bold red]missed[/]", None: ""}[figure.passed]
        text = figure.text + (f"\n[dim]{figure.note}[/]" if figure.note else "")
        table.add_row(text, f"{number(figure.value)} {figure.unit}", spread, target_text(figure), verdict)
    return table


def target_text(figure: Figure) -> str:
    """Write a target: ``≥ 5 x (aim 6)``; empty without one.

    Examples
    --------
    >>> target_text(Figure(key="k", text="t", value=6.0, unit="x", target=5.0, must_be="at least", aim=6.0))
    '≥ 5 x (aim 6)'
    """
    if figure.target is None:
        return ""
    sign = "≥" if figure.must_be == "at least" else "≤"
    aim = f" (aim {number(figure.aim)})" if figure.aim is not None else ""
    return f"{sign} {number(figure.target)} {figure.unit}{aim}"


def number(value: float) -> str:
    """Write a number with three significant digits; as a whole number from 100 on.

    Examples
    --------
    >>> number(1234.5), number(99.96), number(5.0), number(0.123456)
    ('1,234', '100', '5', '0.123')
    """
    if abs(value) >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def now() -> datetime:
    """The time, UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if sys.platform.startswith("linux") and cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
