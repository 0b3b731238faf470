"""What a run from the topic to SNS found: the steady rate, the search for the highest one, and their figures."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

from benchmarks.report import Figure, Machine
from benchmarks.stack_monitor import AlertCount
from benchmarks.trends import FLAT_SHARE, BacklogTrend, LatencySummary

if TYPE_CHECKING:
    from collections.abc import Sequence

P99_TARGET_MS: Final = 1_000.0


class RateRun(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured at one rate."""

    tps: float
    seconds: float
    latency_ms: LatencySummary
    backlog: BacklogTrend
    samples: tuple[tuple[float, float], ...]
    """Seconds since the start, and records waiting in all stages together."""
    cores: dict[str, float]
    """Cores that each process kept busy, most first."""
    latencies: tuple[tuple[float, float], ...]
    """For each alert: seconds since the start at its delivery, and ms."""
    alerts: AlertCount
    """Since the stack started, until it was at rest after this rate."""

    @property
    def held(self) -> bool:
        """Whether the backlog was flat, and every due alert arrived once."""
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
    """None without a search, or if no rate was held."""
    figures: tuple[Figure, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the steady rate was held within the targets, and no alert was lost or repeated at any rate."""
        return (
            self.steady.held
            and all(each.alerts.complete for each in self.search)
            and all(figure.passed is not False for figure in self.figures)
        )


def endtoend_figures(
    steady: RateRun, search: Sequence[RateRun] = (), highest: float | None = None
) -> tuple[Figure, ...]:
    """Make the figures of a run.

    Parameters
    ----------
    steady : RateRun
        The steady rate.
    search : Sequence[RateRun]
        The rates that the search measured.
    highest : float | None
        The highest rate that was held, one of ``steady`` and ``search``, payments a second; None without a search.
    """
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
            text="growth of the backlog at that rate, records a second",
            value=backlog.growth_per_s,
            unit="",
            target=FLAT_SHARE * steady.tps,
            note=f"{'flat' if backlog.flat else 'NOT flat'}; median {backlog.typical:.0f} waiting records, at most {backlog.worst:.0f}; "
            f"latency grows by {backlog.latency_growth_ms_per_s:.1f} ms a second",
        ),
    ]
    if highest is not None:
        best = next(each for each in (steady, *search) if each.tps == highest)
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
