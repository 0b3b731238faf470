"""From the measurements of `make bench` to its figures, each with its target if it has one. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from benchmarks.candidates import BASELINE, BATCHES, EMPTY, FLOOR, SCORE
from benchmarks.degraded import Situation
from benchmarks.flagged_cost import alerted_units
from benchmarks.item_size import write_units
from benchmarks.report import Figure
from benchmarks.stage_cost import FEW, MANY, row_sizes, worst_profile_bytes
from benchmarks.stats import middle, percentile, ratios

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.candidates import Measured
    from benchmarks.degraded import DegradedCosts
    from benchmarks.stage_cost import ColdStart, LogicCost, PastCost

KIB: Final = 1024


class Targets(NamedTuple):
    """What deciding may cost, with one ruleset or with a candidate beside it."""

    logic_us: float
    """CPU of a payment in the pure path."""
    logic_aim_us: float
    times_less: float
    """How many times less CPU than the baseline a payment takes."""
    times_less_aim: float


TARGETS: Final = Targets(110.0, 90.0, 4.0, 5.0)
ROLLOUT_TARGETS: Final = Targets(170.0, 150.0, 3.0, 4.0)
"""With model, candidate and shadow."""


def bench_figures(
    measured: Measured,
    logic: LogicCost,
    by_past: PastCost,
    profile_bytes: Sequence[int],
    record_bytes: float,
    starts: dict[str, ColdStart],
    targets: Targets = TARGETS,
) -> tuple[Figure, ...]:
    """Make the figures.

    Parameters
    ----------
    measured : Measured
        Costs of the candidates.
    logic : LogicCost
        CPU of the logic alone.
    by_past : PastCost
        Cost of users with few and of users with many earlier payments.
    profile_bytes : Sequence[int]
        Sizes of all stored profiles, at least one.
    record_bytes : float
        Mean size of a record on the topic, key and value, bytes.
    starts : dict[str, ColdStart]
        By function; the empty handler among them.
    targets : Targets
        Of what is measured.
    """
    return (
        *_compared_with_yardsticks(measured, targets),
        *_logic(logic, targets),
        _cost_ratio_by_past(by_past),
        Figure(
            key="profile_p99_bytes",
            text=f"size of a profile, 99th percentile of {len(profile_bytes)}",
            value=percentile(profile_bytes, 0.99),
            unit="bytes",
            target=4 * KIB,
        ),
        Figure(
            key="profile_worst_bytes",
            text="size of the largest profile, a user with new values in every payment included",
            value=float(max(worst_profile_bytes(), *profile_bytes)),
            unit="bytes",
            target=6 * KIB,
        ),
        Figure(
            key="record_bytes", text="record on the topic, key and value", value=record_bytes, unit="bytes"
        ),
        *_requests(measured),
        *_rows(measured),
        *_starts(starts),
    )


def _logic(logic: LogicCost, targets: Targets) -> Sequence[Figure]:
    def extra(more: Sequence[float], less: Sequence[float]) -> list[float]:
        return [a - b for a, b in zip(more, less, strict=True)]

    return (
        _median_of(
            "logic_cpu_us",
            "CPU of decode, validation, entities, features, rules and decision, a payment",
            logic.whole,
            "µs",
            target=targets.logic_us,
            aim=targets.logic_aim_us,
        ),
        _median_of("decode_cpu_us", "of it decode and validation", logic.decode, "µs"),
        _median_of(
            "decide_cpu_us",
            "of it features of the user, rules and decision",
            extra(logic.without_entities, logic.decode),
            "µs",
        ),
        _median_of(
            "entities_cpu_us",
            "of it entities: ids, state, features, what the batch adds",
            extra(logic.whole, logic.without_entities),
            "µs",
        ),
        _median_of(
            "hottest_merchant_cpu",
            "CPU of the same payments at one merchant that has every bucket and 32 users, over that at their own",
            ratios(logic.hottest, logic.whole),
            "x",
            target=1.5,
        ),
    )


def _cost_ratio_by_past(by_past: PastCost) -> Figure:
    by_round = ratios(by_past.many, by_past.few)
    # Both costs of the middle round: the ratio of the two medians would differ from the figure.
    _, few, many = sorted(zip(by_round, by_past.few, by_past.many, strict=True))[(len(by_round) - 1) // 2]
    return _median_of(
        "cost_ratio_by_past",
        f"CPU of a payment of users with {MANY:,} earlier ones, over that of users with {FEW}",
        by_round,
        "x",
        target=1.1,
        note=f"rounds from {min(by_round):.2f} to {max(by_round):.2f}; in the middle one {many:.0f} and {few:.0f} µs; "
        f"profiles of {by_past.many_bytes:,} and {by_past.few_bytes:,} bytes",
    )


def _compared_with_yardsticks(measured: Measured, targets: Targets) -> Sequence[Figure]:
    score, baseline = measured.cpu_us(SCORE, 100), measured.cpu_us(BASELINE, 100)
    floor = measured.cpu_us(FLOOR, 100)
    figures = [
        _median_of("score_cpu_us", "CPU of the score stage in batches of 100, a payment", score, "µs"),
        _median_of(
            "cpu_against_baseline",
            "the baseline's CPU over the score stage's, in batches of 100",
            ratios(baseline, score),
            "x",
            target=targets.times_less,
            must_be="at least",
            aim=targets.times_less_aim,
            note=f"baseline {middle(baseline):.0f} µs",
        ),
        _median_of(
            "cpu_against_floor",
            "the score stage's CPU over the I/O floor's, in batches of 100",
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
            _median_of(
                f"wall_against_baseline_{size}",
                f"the baseline's wall time over the score stage's, in batches of {size}",
                ratios(baseline, score),
                "x",
                target=target,
                must_be="at least",
                note=f"{middle(baseline):.0f} and {middle(score):.0f} µs",
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
        _median_of("redis_round_trips", "Redis round trips for a batch of 100", round_trips, "", target=3.0),
        # Four of inserts, one of the checkpoints that are due.
        _median_of("dynamodb_requests", "DynamoDB requests for a batch of 100", requests, "", target=5.0),
        _median_of(
            "cache_cpu_us",
            "CPU of the cache's server, a payment: profiles and entities",
            measured.cache_cpu_us,
            "µs",
        ),
    )


def _rows(measured: Measured) -> Sequence[Figure]:
    sizes = row_sizes(measured.inserts)
    approved = sizes.approved
    one_unit = sum(write_units(size) == 1 for size in approved) / len(approved)
    return (
        Figure(
            key="write_units_approved",
            text="write units of an approved payment whose row has the median size",
            value=float(write_units(int(percentile(approved, 0.5)))),
            unit="",
            target=1.0,
            note=f"median row {percentile(approved, 0.5):.0f} bytes, 99th percentile {percentile(approved, 0.99):.0f}; "
            f"{one_unit:.1%} of {len(approved):,} rows take one unit",
        ),
        Figure(
            key="write_units_mean",
            text="write units of a payment, mean of all",
            value=sum(map(write_units, approved + sizes.others)) / len(approved + sizes.others),
            unit="",
        ),
        *_alerted(measured),
    )


def _alerted(measured: Measured) -> Sequence[Figure]:
    units = alerted_units(measured.inserts)
    if not units:
        return ()
    return (
        Figure(
            key="alerted_write_units",
            text="write units of flagged_transactions, without its indexes, for a payment that is alerted on, mean",
            value=sum(units) / len(units),
            unit="",
            note=f"of {len(units):,} flagged payments",
        ),
    )


def _starts(starts: dict[str, ColdStart]) -> Sequence[Figure]:
    empty = starts[EMPTY]
    figures = []
    for name, start in starts.items():
        if name == EMPTY:
            continue
        extra = [a - b for a, b in zip(start.init_cpu, empty.init_cpu, strict=True)]
        wall = f"wall time {middle(start.init_wall):.0f} ms, the empty handler's {middle(empty.init_wall):.0f} ms"
        first = f"; its first batch takes {middle(start.first_batch):.0f} ms" if start.first_batch else ""
        figures.append(
            _median_of(
                f"init_ms_{name}",
                f"CPU of the init of {name}, less an empty handler's",
                extra,
                "ms",
                target=450.0,
                note=f"{wall}{first}",
            )
        )
    return figures


_DEGRADED: Final = {
    Situation.EMPTIED: ("each user's first payment after the cache was emptied", 6.0),
    Situation.AFTER_EMPTIED: ("later payments after the cache was emptied", 1.5),
    Situation.UNAVAILABLE_FIRST: ("each user's first payment while the cache is unavailable", None),
    Situation.UNAVAILABLE: ("later payments while the cache is unavailable", 3.0),
}
"""What is scored, and how many times a normal payment's CPU it may cost."""


def degraded_figures(costs: DegradedCosts) -> tuple[Figure, ...]:
    """Make the figures of payments whose profiles are missing from the cache, in batches of 100."""
    normal = costs.cpu_us[Situation.NORMAL]
    figures = [
        _median_of(
            "cpu_of_long_past", "CPU of a payment of users of 4,000 earlier ones, normally", normal, "µs"
        ),
        _median_of(
            "requests_of_long_past",
            "the same: DynamoDB requests for a payment",
            costs.requests[Situation.NORMAL],
            "",
        ),
    ]
    for situation, (text, target) in _DEGRADED.items():
        figures += [
            _median_of(
                f"cpu_{situation}",
                f"CPU of {text}, over normal ones",
                ratios(costs.cpu_us[situation], normal),
                "x",
                target=target,
                note=f"{middle(costs.cpu_us[situation]):.0f} µs",
            ),
            _median_of(
                f"requests_{situation}",
                "the same: DynamoDB requests for a payment",
                costs.requests[situation],
                "",
            ),
        ]
    return tuple(figures)


def _median_of(key: str, text: str, rounds: Sequence[float], unit: str, **more: object) -> Figure:
    return Figure(key=key, text=text, value=middle(rounds), unit=unit, rounds=tuple(rounds), **more)  # type: ignore[arg-type]
