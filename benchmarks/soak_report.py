"""What a soak found, and what is wrong with it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec
from rich.table import Table

from benchmarks.report import Machine
from benchmarks.stack_monitor import AlertCount
from benchmarks.trends import WARM_SHARE, LatencySummary, LatencyTrend, MemoryTrend

if TYPE_CHECKING:
    from rich.console import Console

REST_SECONDS: Final = 120.0
"""How long the stack may take after the load's end to work off what still waits."""


class SoakReport(msgspec.Struct, frozen=True, kw_only=True):
    """One soak."""

    at: datetime
    machine: Machine
    tps: float
    minutes: float
    transactions: int
    memory: dict[str, MemoryTrend]
    latency: LatencyTrend
    latency_ms: LatencySummary
    """Of the whole run without its warm-up."""
    rss_bytes: dict[str, tuple[tuple[float, float], ...]]
    """Process to (seconds, bytes)."""
    slices: tuple[tuple[float, LatencySummary], ...]
    """Seconds at the middle of each slice, and its latencies."""
    ended: dict[str, int]
    """Processes that ended although nothing stopped them, with their exit codes; must be empty."""
    ended_workers: dict[str, int]
    """Function to how many of its workers ended; a replacement starts with fresh memory."""
    at_rest: bool
    """Whether the stack was at rest within :data:`REST_SECONDS` of the load's end."""
    backlog: int | None
    """Records that still waited then; None if a mapping's backlog was unknown."""
    alerts: AlertCount

    @property
    def problems(self) -> list[str]:
        """What is wrong, a sentence each."""
        found = [f"{name} ended with exit code {code}" for name, code in self.ended.items()]
        found += [f"{count} of the workers of {name} ended" for name, count in self.ended_workers.items()]
        found += [f"the memory of {name} grows" for name, each in self.memory.items() if each.flat is False]
        if not self.latency.flat:
            found.append("latency grows, or is above a second")
        if not self.at_rest or self.backlog != 0:
            waiting = "unknown" if self.backlog is None else f"{self.backlog:,}"
            found.append(f"not at rest {REST_SECONDS:.0f} s after the load's end; waiting records: {waiting}")
        if not self.alerts.complete:
            found.append(str(self.alerts))
        return found

    @property
    def passed(self) -> bool:
        """Whether everything that is judged is flat, nothing ended, nothing waits, and every due alert arrived once."""
        return not self.problems


def show_soak(report: SoakReport, console: Console) -> None:
    """Print the trends and the problems."""
    table = Table(
        title=f"{report.transactions:,} payments in {report.minutes:g} minutes", title_justify="left"
    )
    for column in ("process", "memory", "growth", ""):
        table.add_column(column, justify="left" if column == "process" else "right")
    words = {True: "[green]flat[/]", False: "[bold red]grows[/]", None: "stores data"}
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
    waiting = "unknown" if report.backlog is None else f"{report.backlog:,}"
    console.print(f"{report.alerts}; waiting records at the end: {waiting}")
    for problem in report.problems:
        console.print(f"[bold red]{problem}[/]")
