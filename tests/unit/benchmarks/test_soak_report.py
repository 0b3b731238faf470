from __future__ import annotations

from typing import Any

import msgspec

from benchmarks.report import Machine, now
from benchmarks.soak_report import SoakReport
from benchmarks.stack_monitor import AlertCount
from benchmarks.trends import LatencyTrend, MemoryTrend, summarise


def soak_report() -> SoakReport:
    return SoakReport(
        at=now(),
        machine=Machine(2, "test", "3.11", 0.5),
        tps=100.0,
        minutes=30.0,
        transactions=180_000,
        memory={"score": MemoryTrend(1e8, 0.0, flat=True)},
        latency=LatencyTrend(80.0, 0.0, flat=True),
        latency_ms=summarise([80.0]),
        rss_bytes={},
        slices=(),
        ended={},
        ended_workers={},
        at_rest=True,
        backlog=0,
        alerts=AlertCount(due=3_600, arrived=3_600, missing=0),
    )


def test_a_soak_passes_only_if_nothing_is_wrong() -> None:
    good = soak_report()
    wrong: dict[str, dict[str, Any]] = {
        "1 of the workers of score ended": {"ended_workers": {"score": 1}},
        "valkey ended with exit code 1": {"ended": {"valkey": 1}},
        "not at rest 120 s after the load's end; waiting records: 7": {"backlog": 7},
        "not at rest 120 s after the load's end; waiting records: unknown": {"backlog": None},
        "not at rest 120 s after the load's end; waiting records: 0": {"at_rest": False},
        "2 alerts were due and 1 arrived; missing: 1, repeated or not due: 0": {
            "alerts": AlertCount(due=2, arrived=1, missing=1)
        },
        "the memory of score grows": {"memory": {"score": MemoryTrend(1e8, 1e8, flat=False)}},
        "latency grows, or is above a second": {"latency": LatencyTrend(80.0, 90.0, flat=False)},
    }

    assert good.passed
    for problem, changes in wrong.items():
        assert msgspec.structs.replace(good, **changes).problems == [problem]
