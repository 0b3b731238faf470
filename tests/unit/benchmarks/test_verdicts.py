"""What is called flat, and what not."""

from benchmarks.endtoend import next_rate
from benchmarks.flow import Usage, cores_used, judge_backlog, summarise
from benchmarks.soak import judge_latency, judge_memory

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


def test_cores_are_named_by_who_keeps_most_of_them_busy() -> None:
    before = {"score": Usage(1.0, 0), "valkey": Usage(5.0, 0), "gone": Usage(1.0, 0)}
    after = {"score": Usage(6.0, 0), "valkey": Usage(6.0, 0), "new": Usage(9.0, 0)}

    assert list(cores_used(before, after, 10.0).items()) == [("score", 0.5), ("valkey", 0.1)]


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
