from __future__ import annotations

import msgspec
import pytest

from benchmarks.candidates import SCORE
from benchmarks.report import BenchReport, Figure, Machine, Series, now
from contract.flagged import STATUS_SHARDS
from ops.environment import read_environment
from ops.manifests import read_functions
from ops.scale import (
    USE,
    Measured,
    ScaleError,
    Setting,
    alert_bounds,
    bounds,
    breaking,
    measured_costs,
    read_limits,
    read_setting,
    seconds_per_payment,
)
from ops.tfvars import Value, flatten, read_tfvars

LIMITS = read_limits()
COSTS = Measured(
    500,
    cpu_us=200.0,
    wall_us=250.0,
    cache_cpu_us=10.0,
    write_units=1.0,
    record_bytes=400.0,
    alerted_write_units=8.0,
)
SETTING = Setting(
    memory_mib=1769, partitions=48, brokers=3, concurrency=50, concurrency_of_others=30, pollers=10
)


def variables(text: str) -> dict[str, Value]:
    return flatten(read_tfvars(text)[0])


def test_less_memory_stretches_the_cpu_but_not_the_waiting() -> None:
    whole = seconds_per_payment(COSTS, 1769, LIMITS)
    half = seconds_per_payment(COSTS, 1769 // 2, LIMITS)

    assert whole == pytest.approx(250e-6)
    assert half == pytest.approx(450e-6, rel=1e-2)


def test_more_than_a_core_does_not_help_a_single_thread() -> None:
    assert seconds_per_payment(COSTS, 10_240, LIMITS) == seconds_per_payment(COSTS, 1769, LIMITS)


def test_the_first_bound_is_the_one_that_carries_least() -> None:
    found = bounds(COSTS, SETTING, LIMITS)

    assert [bound.tps_now for bound in found] == sorted(bound.tps_now for bound in found)
    assert "pollers" in found[1].variable or "write throughput" in found[0].variable


def test_nothing_breaks_below_every_bound_and_all_break_above() -> None:
    found = bounds(COSTS, SETTING, LIMITS)

    assert breaking(found, found[0].tps_now) == []
    assert breaking(found, 10 * found[-1].tps_now) == found


def test_what_is_needed_carries_the_rate_and_one_less_does_not() -> None:
    for bound in bounds(COSTS, SETTING, LIMITS):
        needed = bound.needed(12_345)
        assert needed * bound.tps_each >= 12_345 * (1 - 1e-9)
        assert (needed - 1) * bound.tps_each < 12_345


def test_partitions_carry_a_batch_at_a_time_each() -> None:
    partitions = next(bound for bound in bounds(COSTS, SETTING, LIMITS) if "partitions" in bound.variable)

    assert partitions.tps_now == pytest.approx(48 * USE / 250e-6)
    assert partitions.most == 1000


def test_an_alert_writes_its_row_and_one_of_sixteen_shards_of_the_index() -> None:
    table, shards = alert_bounds(COSTS, LIMITS)

    assert table.name == "write units of flagged_transactions"
    assert table.tps_now == pytest.approx(USE * 40_000 / 8.0)
    assert shards.now == STATUS_SHARDS
    assert shards.tps_now == pytest.approx(USE * 16 * 1_000)
    assert shards.most == 40


def test_the_account_keeps_its_share_and_the_other_functions_theirs() -> None:
    executions = next(bound for bound in bounds(COSTS, SETTING, LIMITS) if "concurrency" in bound.variable)

    assert executions.most == 1000 - 100 - 30


def test_write_units_are_planned_with_the_same_share_as_everything_else() -> None:
    units = next(bound for bound in bounds(COSTS, SETTING, LIMITS) if "write throughput" in bound.variable)

    assert units.tps_now == pytest.approx(40_000 * USE / COSTS.write_units)


def test_settings_are_read_from_the_function_and_the_environment() -> None:
    specs = read_functions()
    spec = specs[SCORE]

    setting = read_setting(
        specs, variables("kafka = {\n  brokers = { per_zone = 2 }\n  partitions      = 48 # many\n}\n")
    )

    assert (setting.partitions, setting.brokers) == (48, 6)
    assert setting.memory_mib == spec.memory_mib
    assert setting.concurrency == spec.reserved_concurrency
    assert setting.concurrency + setting.concurrency_of_others == sum(
        each.reserved_concurrency for each in specs.values()
    )


def test_an_environment_without_partitions_is_an_error() -> None:
    with pytest.raises(ScaleError, match=r"kafka\.partitions"):
        read_setting(read_functions(), {})


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_every_environment_can_be_modelled(environment: str) -> None:
    text = read_environment(environment).variables_file.read_text()

    assert read_setting(read_functions(), variables(text)).partitions >= 1


def report(*keys: str) -> BenchReport:
    return BenchReport(
        at=now(),
        machine=Machine(2, "test", "3.11", 0.0),
        rounds=3,
        injected_round_trip_ms={},
        figures=tuple(Figure(key=key, text=key, value=2.0, unit="") for key in keys),
        candidates={SCORE: Series({100: 300.0, 500: 200.0}, {100: 350.0, 500: 250.0})},
    )


def test_costs_are_of_the_largest_batch_that_the_function_takes() -> None:
    run = report("cache_cpu_us", "write_units_mean", "record_bytes", "alerted_write_units")

    assert measured_costs(run, 500).cpu_us == 200.0
    assert measured_costs(run, 499).cpu_us == 300.0


def test_a_figure_that_was_not_measured_in_the_run_is_an_error_and_no_guess() -> None:
    with pytest.raises(ScaleError, match="cache_cpu_us"):
        measured_costs(report("write_units_mean", "record_bytes"), 500)


def test_every_limit_says_where_it_is_published_and_when_it_was_read() -> None:
    limits = msgspec.structs.asdict(LIMITS)
    read_on = limits.pop("read_on")

    assert len(read_on) == len("2026-01-01")
    assert all(limit.source.startswith("https://docs.aws.amazon.com/") for limit in limits.values())
    assert all(limit.value > 0 for limit in limits.values())
