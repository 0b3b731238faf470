"""From what was measured to the figures that the issue names, each with its target; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.candidates import BASELINE, BATCHES, EMPTY, FLOOR, SCORE
from benchmarks.item_size import write_units
from benchmarks.report import Figure
from benchmarks.stage_cost import FEW, MANY, row_sizes, worst_profile_bytes
from benchmarks.stats import middle, percentile, ratios

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.candidates import Measured
    from benchmarks.stage_cost import ColdStart, PastCost

KIB: Final = 1024


def bench_figures(
    measured: Measured,
    logic: Sequence[float],
    past: PastCost,
    profile_bytes: Sequence[int],
    record_bytes: float,
    starts: dict[str, ColdStart],
) -> tuple[Figure, ...]:
    """Make the figures.

    Parameters
    ----------
    measured : Measured
        The candidates side by side.
    logic : Sequence[float]
        CPU of the logic alone, µs a payment, by round.
    past : PastCost
        Cost with few and with many earlier payments.
    profile_bytes : Sequence[int]
        Sizes of all stored profiles.
    record_bytes : float
        Mean size of a record on the topic, key and value.
    starts : dict[str, ColdStart]
        By function.
    """
    return (
        *_against_yardsticks(measured),
        _of(
            "logic_cpu_us",
            "CPU of decode, validation, features, rules and decision",
            logic,
            "µs",
            target=80.0,
        ),
        _by_past(past),
        Figure(
            key="profile_p99_bytes",
            text=f"size of a profile, 99th percentile of {len(profile_bytes)}",
            value=percentile(profile_bytes, 0.99),
            unit="bytes",
            target=4 * KIB,
        ),
        Figure(
            key="profile_worst_bytes",
            text="size of a profile at worst, everything new each time",
            value=float(max(worst_profile_bytes(), *profile_bytes)),
            unit="bytes",
            target=4 * KIB,
        ),
        Figure(
            key="record_bytes", text="record on the topic, key and value", value=record_bytes, unit="bytes"
        ),
        *_requests(measured),
        *_rows(measured),
        *_starts(starts),
    )


def _by_past(past: PastCost) -> Figure:
    by_round = ratios(past.many, past.few)
    # Both costs of one round, the middle one: medians of each side alone would give another ratio than the figure's.
    _, few, many = sorted(zip(by_round, past.few, past.many, strict=True))[(len(by_round) - 1) // 2]
    return _of(
        "cost_ratio_by_past",
        f"CPU at {MANY:,} against {FEW} earlier payments of a user",
        by_round,
        "x",
        target=1.1,
        note=f"rounds from {min(by_round):.2f} to {max(by_round):.2f}; in the middle one {many:.0f} against {few:.0f} µs; "
        f"profiles of {past.many_bytes:,} against {past.few_bytes:,} bytes",
    )


def _against_yardsticks(measured: Measured) -> Sequence[Figure]:
    score, baseline = measured.cpu_us(SCORE, 100), measured.cpu_us(BASELINE, 100)
    floor = measured.cpu_us(FLOOR, 100)
    figures = [
        _of("score_cpu_us", "CPU of the score stage at batch 100", score, "µs"),
        _of(
            "cpu_against_baseline",
            "CPU less than the baseline's at batch 100",
            ratios(baseline, score),
            "x",
            target=5.0,
            must_be="at least",
            aim=6.0,
            note=f"baseline {middle(baseline):.0f} µs",
        ),
        _of(
            "cpu_against_floor",
            "CPU against the I/O floor at batch 100",
            ratios(score, floor),
            "x",
            target=1.8,
            aim=1.5,
            note=f"floor {middle(floor):.0f} µs",
        ),
    ]
    for size, target in ((100, 20.0), (500, 25.0)):
        baseline, score = measured.wall_us(BASELINE, size), measured.wall_us(SCORE, size)
        figures.append(
            _of(
                f"wall_against_baseline_{size}",
                f"wall time less than the baseline's at batch {size}",
                ratios(baseline, score),
                "x",
                target=target,
                must_be="at least",
                note=f"{middle(score):.0f} against {middle(baseline):.0f} µs",
            )
        )
    return figures


def _requests(measured: Measured) -> Sequence[Figure]:
    batches = BATCHES[100]
    round_trips = [counts.redis_round_trips / batches for counts in measured.counts]
    requests = [
        sum(count for name, count in counts.requests.items() if name.startswith("dynamodb.")) / batches
        for counts in measured.counts
    ]
    return (
        _of("redis_round_trips", "Redis round trips per batch of 100", round_trips, "", target=2.0),
        _of("dynamodb_requests", "DynamoDB requests per batch of 100", requests, "", target=4.0),
        _of("cache_cpu_us", "CPU of the cache's server for a payment", measured.cache_cpu_us, "µs"),
    )


def _rows(measured: Measured) -> Sequence[Figure]:
    sizes = row_sizes(measured.inserts)
    approved = sizes.approved
    one_unit = sum(write_units(size) == 1 for size in approved) / len(approved)
    return (
        Figure(
            key="write_units_approved",
            text="write units of an approved payment of usual size",
            value=float(write_units(int(percentile(approved, 0.5)))),
            unit="",
            target=1.0,
            note=f"median row {percentile(approved, 0.5):.0f} bytes, 99th percentile {percentile(approved, 0.99):.0f}; "
            f"{one_unit:.1%} of {len(approved):,} take one unit",
        ),
        Figure(
            key="write_units_mean",
            text="write units of a payment, mean over all",
            value=sum(map(write_units, approved + sizes.others)) / len(approved + sizes.others),
            unit="",
        ),
    )


def _starts(starts: dict[str, ColdStart]) -> Sequence[Figure]:
    empty = starts[EMPTY]
    figures = []
    for name, start in starts.items():
        if name == EMPTY:
            continue
        more = [a - b for a, b in zip(start.init_cpu, empty.init_cpu, strict=True)]
        wall = f"wall time {middle(start.init_wall):.0f} against {middle(empty.init_wall):.0f} ms"
        first = f"; its first batch takes {middle(start.first_batch):.0f} ms" if start.first_batch else ""
        figures.append(
            _of(
                f"init_ms_{name}",
                f"CPU of the init of {name} above an empty handler's",
                more,
                "ms",
                target=450.0,
                note=f"{wall}{first}",
            )
        )
    return figures


def _of(key: str, text: str, rounds: Sequence[float], unit: str, **more: object) -> Figure:
    return Figure(key=key, text=text, value=middle(rounds), unit=unit, rounds=tuple(rounds), **more)  # type: ignore[arg-type]
