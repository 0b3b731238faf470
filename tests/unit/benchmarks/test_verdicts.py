"""What is called flat, and what not."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import msgspec
import psutil

from benchmarks.endtoend import BrokenRate, RateRun, next_rate, search_highest
from benchmarks.flow import (
    AlertCount,
    BacklogVerdict,
    Usage,
    cores_used,
    count_alerts,
    count_ended,
    judge_backlog,
    summarise,
)
from benchmarks.load import LoadError
from benchmarks.report import Machine, now
from benchmarks.soak import LatencyVerdict, MemoryVerdict, SoakReport, judge_latency, judge_memory

MIB = 2**20
STEADY_LATENCY = [(float(second), 80.0 + second % 5) for second in range(60)]


def test_a_backlog_that_moves_around_a_level_is_flat() -> None:
    samples = [(float(second), float(second * 7 % 40)) for second in range(60)]

    assert judge_backlog(samples, STEADY_LATENCY, tps=200).flat


def test_a_backlog_that_grows_slowly_is_not_flat() -> None:
    samples = [(float(second), 4.0 * second) for second in range(60)]

    verdict = judge_backlog(samples, STEADY_LATENCY, tps=200)

    assert not verdict.flat
    assert verdict.growth_per_s == 4.0


def test_a_backlog_that_stands_high_is_not_flat() -> None:
    samples = [(float(second), 900.0) for second in range(60)]

    assert not judge_backlog(samples, STEADY_LATENCY, tps=200).flat


def test_latency_that_grows_betrays_a_backlog_that_nobody_counts() -> None:
    samples = [(float(second), 5.0) for second in range(60)]
    latencies = [(float(second), 100.0 + 15 * second) for second in range(60)]

    assert not judge_backlog(samples, latencies, tps=200).flat


def test_latency_that_stands_high_betrays_a_backlog_that_nobody_counts() -> None:
    samples = [(float(second), 5.0) for second in range(60)]
    latencies = [(float(second), 4_000.0) for second in range(60)]

    assert not judge_backlog(samples, latencies, tps=200).flat


def test_a_summary_names_the_percentiles() -> None:
    summary = summarise([float(value) for value in range(1, 1_001)])

    assert (summary.count, summary.p50, summary.p95, summary.p99, summary.worst) == (
        1_000,
        500.0,
        950.0,
        990.0,
        1_000.0,
    )


def test_an_alert_that_did_not_come_is_missing_even_where_another_came_twice() -> None:
    count = count_alerts(["a", "b", "c"], ["a", "b", "b"])

    assert not count.complete
    assert str(count) == "3 alerts were due and 3 came; missing: 1, repeated or not due: 1"


def test_an_alert_that_came_twice_is_not_well() -> None:
    assert not count_alerts(["a", "b"], ["a", "b", "b"]).complete
    assert count_alerts(["a", "b"], ["b", "a"]).complete


def test_cores_are_named_by_who_keeps_most_of_them_busy() -> None:
    before = {"score": Usage(1.0, 0), "valkey": Usage(5.0, 0), "gone": Usage(1.0, 0)}
    after = {"score": Usage(6.0, 0), "valkey": Usage(6.0, 0), "new": Usage(9.0, 0)}

    assert list(cores_used(before, after, 10.0).items()) == [("score", 0.5), ("valkey", 0.1)]


def test_workers_that_ended_are_counted_whether_or_not_anybody_has_waited_for_them() -> None:
    children = [
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for _ in range(3)
    ]
    runs, zombie, gone = workers = [psutil.Process(child.pid) for child in children]
    names = {runs: "score", zombie: "score", gone: "alert"}

    try:
        for child in children[1:]:
            child.kill()
        children[2].wait()
        os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)  # leaves it a zombie

        assert count_ended(names) == {"score": 1, "alert": 1}
    finally:
        for child in children:
            child.kill()
            child.communicate()
    assert count_ended(dict.fromkeys(workers, "score")) == {"score": 3}


def soak_of(growth_per_s: float, warm_up: float = 0.0) -> list[tuple[float, float]]:
    """30 minutes of a process of 100 MiB; what grows in the first 5 minutes comes on top."""
    return [
        (second, 100 * MIB + growth_per_s * second + warm_up * min(second, 300))
        for second in map(float, range(0, 1_800, 5))
    ]


def test_memory_that_grows_only_while_it_warms_up_is_flat() -> None:
    assert judge_memory("score", soak_of(0.0, warm_up=100_000)).flat is True


def test_memory_that_grows_by_a_kib_for_each_batch_is_not_flat() -> None:
    assert judge_memory("score", soak_of(10 * 1_024)).flat is False


def test_who_keeps_what_it_is_given_is_not_judged_but_told() -> None:
    verdict = judge_memory("aws-api", soak_of(100_000))

    assert verdict.flat is None
    assert verdict.growth_bytes > 100 * MIB


def test_latency_that_creeps_up_is_not_flat() -> None:
    creeping = [(60.0 * minute, summarise([100.0 + 5 * minute] * 3)) for minute in range(30)]
    steady = [(60.0 * minute, summarise([100.0 + minute % 3] * 3)) for minute in range(30)]

    assert judge_latency(steady).flat
    assert not judge_latency(creeping).flat


def test_steady_latency_above_a_second_does_not_pass() -> None:
    assert not judge_latency([(60.0 * minute, summarise([80.0, 1_500.0])) for minute in range(30)]).flat


def test_the_search_ends_near_the_highest_rate_that_holds() -> None:
    for limit in (60.0, 205.0, 333.0, 1_234.0):
        runs: list[tuple[float, bool]] = []
        while (rate := next_rate(runs, 200.0)) is not None:
            runs.append((rate, rate <= limit))
            assert len(runs) < 15
        held = max(rate for rate, flat in runs if flat)
        assert 0.85 * limit <= held <= limit


def test_the_search_gives_up_where_no_rate_holds() -> None:
    runs: list[tuple[float, bool]] = []
    while (rate := next_rate(runs, 200.0)) is not None:
        runs.append((rate, False))

    assert len(runs) < 8


def rate_run(tps: float, *, flat: bool = True, missing: int = 0) -> RateRun:
    return RateRun(
        tps=tps,
        seconds=25.0,
        latency_ms=summarise([80.0, 90.0]),
        backlog=BacklogVerdict(flat, 0.0, 0.0, 5.0, 9.0),
        samples=(),
        cores={},
        latencies=(),
        alerts=AlertCount(due=10, arrived=10 - missing, missing=missing),
    )


def test_a_rate_that_could_not_be_produced_is_not_held_and_the_search_goes_on() -> None:
    def measure(tps: float) -> RateRun:
        if tps > 400:
            raise LoadError("300 payments a second were produced")
        return rate_run(tps)

    tried, broken = search_highest(rate_run(200.0), measure, lambda _: None)

    assert broken[0] == BrokenRate(450.0, "300 payments a second were produced")
    assert 360 <= max(run.tps for run in tried) <= 400


def test_a_rate_that_loses_an_alert_is_not_held_however_flat_its_backlog() -> None:
    tried, broken = search_highest(
        rate_run(200.0), lambda tps: rate_run(tps, missing=int(tps > 400)), lambda _: None
    )

    assert broken == []
    assert max(run.tps for run in tried if run.held) <= 400


def soak_report() -> SoakReport:
    return SoakReport(
        at=now(),
        machine=Machine(2, "test", "3.11", 0.5),
        tps=100.0,
        minutes=30.0,
        transactions=180_000,
        memory={"score": MemoryVerdict(1e8, 0.0, flat=True)},
        latency=LatencyVerdict(80.0, 0.0, flat=True),
        latency_ms=summarise([80.0]),
        rss_bytes={},
        slices=(),
        ended={},
        ended_workers={},
        at_rest=True,
        backlog=0,
        alerts=AlertCount(due=3_600, arrived=3_600, missing=0),
    )


def test_a_soak_passes_only_where_nothing_is_amiss() -> None:
    well = soak_report()
    amiss: dict[str, dict[str, Any]] = {
        "1 of the workers of score ended": {"ended_workers": {"score": 1}},
        "valkey ended with exit code 1": {"ended": {"valkey": 1}},
        "not at rest 120 s after the load's end; records that wait: 7": {"backlog": 7},
        "not at rest 120 s after the load's end; records that wait: unknown": {"backlog": None},
        "not at rest 120 s after the load's end; records that wait: 0": {"at_rest": False},
        "2 alerts were due and 1 came; missing: 1, repeated or not due: 0": {
            "alerts": AlertCount(due=2, arrived=1, missing=1)
        },
        "the memory of score grows": {"memory": {"score": MemoryVerdict(1e8, 1e8, flat=False)}},
        "latency grows, or is above a second": {"latency": LatencyVerdict(80.0, 90.0, flat=False)},
    }

    assert well.passed
    for problem, changes in amiss.items():
        assert msgspec.structs.replace(well, **changes).problems == [problem]
