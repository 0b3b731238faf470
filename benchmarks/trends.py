"""Whether what was sampled over time stays flat: backlog, memory, latency. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from benchmarks.stats import percentile, slope

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

FLAT_SHARE: Final = 0.01
"""A backlog is flat if it grows by no more than this share of the rate: samples are noisy."""
FLAT_BACKLOG_SECONDS: Final = 1.0
"""A flat backlog holds no more records than arrive in this time."""
WARM_SHARE: Final = 0.2
"""Share of a soak, from its start, that is not judged: interpreters fill their caches and pools."""
MEMORY_GROWTH_SHARE: Final = 0.05
MEMORY_GROWTH_FLOOR_BYTES: Final = 8 << 20
"""Over the judged part of a soak, memory may grow by the larger of the two: the allocator's pages and noise."""
LATENCY_GROWTH_SHARE: Final = 0.25
LATENCY_P99_MS: Final = 1_000.0
STORES_DATA: Final = frozenset({"aws-api", "kafka", "valkey"})
"""Emulated services keep their data in memory by design; their growth is reported, not judged."""


class LatencySummary(msgspec.Struct, frozen=True):
    """Latencies, ms."""

    count: int
    p50: float
    p95: float
    p99: float
    worst: float


class BacklogTrend(msgspec.Struct, frozen=True):
    """How the number of waiting records changed at one rate."""

    flat: bool
    growth_per_s: float
    """Records a second: the median of the slopes of all pairs of samples."""
    latency_growth_ms_per_s: float
    typical: float
    """Median, records."""
    worst: float


class MemoryTrend(msgspec.Struct, frozen=True):
    """How the memory of one process changed over the judged part of a soak."""

    typical_bytes: float
    growth_bytes: float
    """By the median of the slopes of all pairs of samples."""
    flat: bool | None
    """None for a service that stores data by design."""


class LatencyTrend(msgspec.Struct, frozen=True):
    """How latency changed over the judged part of a soak."""

    typical_ms: float
    """Median of the slices' medians."""
    growth_ms: float
    flat: bool


def summarise(latencies_ms: Sequence[float]) -> LatencySummary:
    """Summarise latencies; ValueError without any."""
    return LatencySummary(
        count=len(latencies_ms),
        p50=percentile(latencies_ms, 0.50),
        p95=percentile(latencies_ms, 0.95),
        p99=percentile(latencies_ms, 0.99),
        worst=max(latencies_ms),
    )


def judge_backlog(
    samples: Sequence[tuple[float, float]], latencies: Sequence[tuple[float, float]], tps: float
) -> BacklogTrend:
    """Judge whether the backlog between topic and SNS is flat.

    A mapping cannot count records that it has not read yet. So latency must stay within the same two bounds: by Little's law it
    is the backlog over the rate.

    Parameters
    ----------
    samples : Sequence[tuple[float, float]]
        Seconds and waiting records, at two different times at least.
    latencies : Sequence[tuple[float, float]]
        Seconds and ms of the deliveries, at two different times at least.
    tps : float
        Records that arrive in a second.

    Examples
    --------
    >>> waiting = [(0, 5.0), (1, 0.0), (2, 7.0), (3, 3.0)]
    >>> judge_backlog(waiting, [(0, 80.0), (1, 95.0), (2, 85.0)], 200).flat
    True
    >>> judge_backlog(waiting, [(0, 80.0), (1, 480.0), (2, 890.0)], 200).flat
    False
    """
    growth, latency_growth = slope(samples), slope(latencies)
    waiting = [records for _, records in samples]
    typical = percentile(waiting, 0.5)
    typical_ms = percentile([latency for _, latency in latencies], 0.5)
    # Growth and level: a backlog that jumped early and then stayed has no slope.
    flat = (
        growth <= FLAT_SHARE * tps
        and typical <= FLAT_BACKLOG_SECONDS * tps
        and latency_growth <= FLAT_SHARE * 1000
        and typical_ms <= FLAT_BACKLOG_SECONDS * 1000
    )
    return BacklogTrend(flat, growth, latency_growth, typical, max(waiting))


def judge_memory(name: str, samples: Sequence[tuple[float, float]]) -> MemoryTrend:
    """Judge whether a process's memory is flat.

    Parameters
    ----------
    name : str
        The process.
    samples : Sequence[tuple[float, float]]
        Seconds and bytes, in order, at least ten.

    Examples
    --------
    >>> judge_memory("score", [(second, 9e7 + second % 3 * 1e5) for second in range(100)]).flat
    True
    >>> judge_memory("score", [(second, 9e7 + second * 1e6) for second in range(100)]).flat
    False
    """
    judged = _after_warm_up(samples)
    typical = percentile([size for _, size in judged], 0.5)
    growth = slope(judged) * (judged[-1][0] - judged[0][0])
    allowed = max(MEMORY_GROWTH_SHARE * typical, MEMORY_GROWTH_FLOOR_BYTES)
    return MemoryTrend(typical, growth, None if name in STORES_DATA else growth <= allowed)


def judge_latency(slices: Sequence[tuple[float, LatencySummary]]) -> LatencyTrend:
    """Judge whether latency is flat: its median hardly grows, and the median of the slices' 99th percentiles is below 1 s.

    Parameters
    ----------
    slices : Sequence[tuple[float, LatencySummary]]
        Seconds at the middle of each slice, and its latencies, in order.
    """
    judged = _after_warm_up(slices)
    typical = percentile([each.p50 for _, each in judged], 0.5)
    growth = slope([(at_s, each.p50) for at_s, each in judged]) * (judged[-1][0] - judged[0][0])
    typical_p99 = percentile([each.p99 for _, each in judged], 0.5)
    return LatencyTrend(
        typical, growth, growth <= LATENCY_GROWTH_SHARE * typical and typical_p99 < LATENCY_P99_MS
    )


def _after_warm_up(samples: Sequence[T]) -> Sequence[T]:
    return samples[int(len(samples) * WARM_SHARE) :]
