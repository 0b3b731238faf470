"""Which backlogs, memories and latencies count as flat."""

from __future__ import annotations

from benchmarks.trends import judge_backlog, judge_latency, judge_memory, summarise

MIB = 2**20
STEADY_LATENCY = [(float(second), 80.0 + second % 5) for second in range(60)]


def test_a_backlog_that_moves_around_a_level_is_flat() -> None:
    samples = [(float(second), float(second * 7 % 40)) for second in range(60)]

    assert judge_backlog(samples, STEADY_LATENCY, tps=200).flat


def test_a_backlog_that_grows_slowly_is_not_flat() -> None:
    samples = [(float(second), 4.0 * second) for second in range(60)]

    trend = judge_backlog(samples, STEADY_LATENCY, tps=200)

    assert not trend.flat
    assert trend.growth_per_s == 4.0


def test_a_backlog_that_stays_high_is_not_flat() -> None:
    samples = [(float(second), 900.0) for second in range(60)]

    assert not judge_backlog(samples, STEADY_LATENCY, tps=200).flat


def test_growing_latency_shows_a_backlog_that_no_mapping_counts() -> None:
    samples = [(float(second), 5.0) for second in range(60)]
    latencies = [(float(second), 100.0 + 15 * second) for second in range(60)]

    assert not judge_backlog(samples, latencies, tps=200).flat


def test_latency_that_stays_high_shows_a_backlog_that_no_mapping_counts() -> None:
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


def memory_of(growth_per_s: float, warm_up: float = 0.0) -> list[tuple[float, float]]:
    """30 minutes of a process of 100 MiB; ``warm_up`` bytes a second come on top in the first 5 minutes."""
    return [
        (second, 100 * MIB + growth_per_s * second + warm_up * min(second, 300))
        for second in map(float, range(0, 1_800, 5))
    ]


def test_memory_that_grows_only_while_it_warms_up_is_flat() -> None:
    assert judge_memory("score", memory_of(0.0, warm_up=100_000)).flat is True


def test_memory_that_grows_by_a_kib_for_each_batch_is_not_flat() -> None:
    assert judge_memory("score", memory_of(10 * 1_024)).flat is False


def test_the_memory_of_a_service_that_stores_data_is_reported_but_not_judged() -> None:
    trend = judge_memory("aws-api", memory_of(100_000))

    assert trend.flat is None
    assert trend.growth_bytes > 100 * MIB


def test_latency_that_grows_slowly_is_not_flat() -> None:
    creeping = [(60.0 * minute, summarise([100.0 + 5 * minute] * 3)) for minute in range(30)]
    steady = [(60.0 * minute, summarise([100.0 + minute % 3] * 3)) for minute in range(30)]

    assert judge_latency(steady).flat
    assert not judge_latency(creeping).flat


def test_steady_latency_above_a_second_is_not_flat() -> None:
    assert not judge_latency([(60.0 * minute, summarise([80.0, 1_500.0])) for minute in range(30)]).flat
