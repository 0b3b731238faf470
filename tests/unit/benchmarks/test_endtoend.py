from __future__ import annotations

from benchmarks.endtoend import next_rate, search_highest
from benchmarks.endtoend_report import BrokenRate, RateRun
from benchmarks.load import LoadError
from benchmarks.stack_monitor import AlertCount
from benchmarks.trends import BacklogTrend, summarise


def rate_run(tps: float, *, flat: bool = True, missing: int = 0) -> RateRun:
    return RateRun(
        tps=tps,
        seconds=25.0,
        latency_ms=summarise([80.0, 90.0]),
        backlog=BacklogTrend(flat, 0.0, 0.0, 5.0, 9.0),
        samples=(),
        cores={},
        latencies=(),
        alerts=AlertCount(due=10, arrived=10 - missing, missing=missing),
    )


def test_the_search_ends_near_the_highest_rate_that_is_held() -> None:
    for limit in (60.0, 205.0, 333.0, 1_234.0):
        runs: list[tuple[float, bool]] = []
        while (rate := next_rate(runs, 200.0)) is not None:
            runs.append((rate, rate <= limit))
            assert len(runs) < 15
        held = max(rate for rate, flat in runs if flat)
        assert 0.85 * limit <= held <= limit


def test_the_search_ends_soon_if_no_rate_is_held() -> None:
    runs: list[tuple[float, bool]] = []
    while (rate := next_rate(runs, 200.0)) is not None:
        runs.append((rate, False))

    assert len(runs) < 8


def test_a_rate_that_could_not_be_produced_is_not_held_and_the_search_continues() -> None:
    def measure(tps: float) -> RateRun:
        if tps > 400:
            raise LoadError("300 payments a second were produced")
        return rate_run(tps)

    tried, broken = search_highest(rate_run(200.0), measure, lambda _: None)

    assert broken[0] == BrokenRate(450.0, "300 payments a second were produced")
    assert 360 <= max(run.tps for run in tried) <= 400


def test_a_rate_that_loses_an_alert_is_not_held_even_with_a_flat_backlog() -> None:
    tried, broken = search_highest(
        rate_run(200.0), lambda tps: rate_run(tps, missing=int(tps > 400)), lambda _: None
    )

    assert broken == []
    assert max(run.tps for run in tried if run.held) <= 400
