"""The estimate of what the system costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from ops.console_cost import console_usd
from ops.cost import (
    Line,
    alarm_metrics,
    batch_size,
    bill,
    dominating,
    label_usd,
    total,
    without_protection,
)
from ops.cost_page import page
from ops.environment import ENVIRONMENTS, ROOT, known_environments
from ops.manifests import read_functions, read_tables
from ops.prices import CostError, Prices
from ops.rollout_cost import rollout_usd
from ops.serverless_cost import serverless_usd
from ops.sizing import Sizing, sizing_of
from ops.tfvars import read_file
from ops.training_cost import training_usd

if TYPE_CHECKING:
    from pathlib import Path

USAGE: dict[str, Any] = msgspec.yaml.decode((ROOT / "docs/cost/usage.yaml").read_bytes())
PRICE_LIST: dict[str, Any] = msgspec.yaml.decode((ROOT / "docs/cost/prices.yaml").read_bytes())


def prices() -> Prices:
    return Prices(PRICE_LIST)


def usd(lines: list[Line], part: str, what: str) -> float:
    return sum(line.usd for line in lines if line.part == part and line.what.startswith(what))


def test_the_page_is_what_script_and_data_say() -> None:
    assert (ROOT / "docs/cost.md").read_text() == page(), "run `make infra-docs`"


def test_a_broker_costs_its_hours() -> None:
    size = sizing_of("prod")

    lines = bill(0, size, USAGE, prices())

    assert usd(lines, "streaming", "MSK") == pytest.approx(
        3 * 730 * PRICE_LIST["broker_hour"]["kafka.m7g.large"]["usd"]
    )


def test_every_write_of_a_payment_is_paid() -> None:
    lines = bill(10_000_000, sizing_of("prod"), USAGE, prices())

    assert usd(lines, "tables", "history, writes") == pytest.approx(10 * 0.78)


def volume(payments: float) -> list[Line]:
    (entry,) = (each for each in USAGE["volumes"] if each["payments"] == payments)
    size = msgspec.structs.replace(sizing_of("prod"), **entry["changed"])
    return bill(payments, size, USAGE, prices())


def test_ten_billion_payments_a_month_cost_at_most_five_dollars_a_million() -> None:
    """Of deciding and alerting. What people do (labels, their index, cases), and protecting the payments from people, have lines of their own."""
    lines = volume(10_000_000_000)
    of_people = usd(lines, "labels", "") + usd(lines, "tables", "the history's index by transaction id")
    of_people += usd(lines, "cases", "")

    assert (without_protection(lines) - of_people) / 10_000 <= 5.0


def test_the_index_by_transaction_id_costs_a_write_a_payment_and_nothing_where_it_is_off() -> None:
    size = msgspec.structs.replace(sizing_of("prod"), transaction_index=False)
    with_index, without = (bill(1e8, each, USAGE, prices()) for each in (sizing_of("prod"), size))
    kept_gb = 1e8 * USAGE["payment"]["transaction_index_bytes"]["value"] / 1e9 * 180 / 30.4

    assert usd(without, "tables", "the history's index by transaction id") == 0
    assert usd(with_index, "tables", "the history's index by transaction id") == pytest.approx(
        100 * 0.78 + kept_gb * 0.10
    )


def test_a_label_costs_its_requests_and_its_rows_are_kept() -> None:
    use = {name: entry["value"] for name, entry in USAGE["label"].items()}
    labels = 1e8 * USAGE["payment"]["label_share"]["value"]
    lines = bill(1e8, sizing_of("prod"), USAGE, prices())

    requests = use["write_units"] * 0.625 + use["read_units"] * 0.125 + use["queue_requests"] * 0.40
    assert label_usd(USAGE, prices()) * 1e6 > requests
    assert usd(lines, "labels", "queue") == pytest.approx(labels * label_usd(USAGE, prices()))
    assert usd(lines, "labels", "rows") > labels / 1e9 * use["label_bytes"] * 36 * 0.45


def test_what_is_kept_of_a_label_is_what_its_stage_keeps() -> None:
    environment = read_functions()["label"].environment

    for name, variable in (("label_days", "LABEL_RETENTION_DAYS"), ("risk_days", "RISK_RETENTION_DAYS")):
        assert USAGE["constant"][name]["value"] == int(str(environment[variable]))


def test_disks_at_ten_billion_payments_hold_a_week_of_records_four_times() -> None:
    (entry,) = (each for each in USAGE["volumes"] if each["payments"] == 10_000_000_000)
    size = msgspec.structs.replace(sizing_of("prod"), **entry["changed"])
    a_week = 10_000_000_000 / 30.4 * 7 * USAGE["payment"]["record_bytes"]["value"]

    assert size.brokers * size.broker_gib * 2**30 >= 4 * 3 * a_week


def test_protection_is_paid_by_what_is_turned_on() -> None:
    size = sizing_of("prod")
    none = msgspec.structs.replace(size, audit=False, malware_scan=False, backup_days=0)
    elsewhere = msgspec.structs.replace(size, backup_vaults=2, backup_has_history=True)

    here, off, there = (bill(1e8, each, USAGE, prices()) for each in (size, none, elsewhere))

    assert usd(off, "protection", "") == 0
    assert usd(here, "protection", "trail") == pytest.approx(0.01)
    assert usd(here, "protection", "scan") == pytest.approx(50 * 0.09 + 100 * 0.215)
    assert usd(here, "protection", "copies") == pytest.approx(96 * 5 * 0.10)
    history_gb = 1e8 * 683 / 1e9 * 180 / 30.4
    assert usd(there, "protection", "copies") == pytest.approx((96 + history_gb) * 10 * 0.10)


def test_a_console_costs_what_its_people_do_and_nothing_where_it_is_off() -> None:
    prod = sizing_of("prod")
    regional = msgspec.structs.replace(prod, console=True)
    private = msgspec.structs.replace(regional, console_endpoint=True)

    off, public, own = (
        usd(bill(0, size, USAGE, prices()), "console", "") for size in (prod, regional, private)
    )

    assert off == 0
    assert public == pytest.approx(console_usd(20, 0, USAGE, prices()))
    assert own - public == pytest.approx(3 * 730 * 0.01)


def test_a_person_of_the_console_costs_requests_and_an_account() -> None:
    one, two = (console_usd(people, 0, USAGE, prices()) for people in (1, 2))
    request_usd = (3.50 + 0.20 + 30 * 0.125 + 2 * 0.625) / 1e6 + 0.12 * 0.0000133334 + 600 / 1e9 * 0.50

    assert two - one == pytest.approx(8_000 * request_usd + 0.015)


def test_a_private_console_makes_an_endpoint_where_none_is_named(tmp_path: Path) -> None:
    def with_console(text: str) -> Sizing:
        folder = tmp_path / ENVIRONMENTS / "dev"
        folder.mkdir(parents=True, exist_ok=True)
        plain = (ROOT / ENVIRONMENTS / "dev" / "dev.tfvars").read_text()
        (folder / "dev.tfvars").write_text(
            f'{plain}\nconsole = {{ {text}, allowed_cidrs = ["10.50.0.0/16"] }}\n'
        )
        return sizing_of("dev", tmp_path)

    own = with_console('endpoint_type = "PRIVATE"')
    given = with_console('endpoint_type = "PRIVATE", vpc_endpoint_id = "vpce-0123456789abcdef0"')
    regional = with_console('endpoint_type = "REGIONAL"')

    assert [(size.console, size.console_endpoint) for size in (own, given, regional)] == [
        (True, True),
        (True, False),
        (True, False),
    ]


def test_the_canary_costs_what_its_runs_and_alarms_do_and_nothing_where_it_is_off() -> None:
    prod, dev = (bill(1e6, sizing_of(name), USAGE, prices()) for name in ("prod", "dev"))

    assert 2 < usd(prod, "observability", "canary") < 5
    assert usd(dev, "observability", "canary") == 0


def test_the_budgets_are_what_the_page_says_and_a_fifth_more() -> None:
    for name, payments in USAGE["environments"].items():
        values, _ = read_file(ROOT / ENVIRONMENTS / name / f"{name}.tfvars")
        month = total(bill(payments, sizing_of(name), USAGE, prices()))
        assert 1.15 * month <= float(str(values["monthly_budget_usd"])) <= 1.3 * month, name


def test_dev_costs_at_most_250_dollars_a_month() -> None:
    assert total(bill(USAGE["environments"]["dev"], sizing_of("dev"), USAGE, prices())) <= 250


def test_an_environment_on_demand_pays_for_the_hours_that_it_runs() -> None:
    size = sizing_of("dev")
    always = msgspec.structs.replace(size, always_on=True)

    on_demand, day_and_night = bill(1e6, size, USAGE, prices()), bill(1e6, always, USAGE, prices())

    for what in ("Glue", "event pollers"):
        part = "ingestion" if what == "Glue" else "score"
        assert usd(on_demand, part, what) == pytest.approx(usd(day_and_night, part, what) * 40 / 730)


def test_provisioned_writes_are_paid_by_the_capacity_that_the_load_needs() -> None:
    size = msgspec.structs.replace(sizing_of("prod"), provisioned_history=True)

    lines = bill(730 * 3600 * 70, size, USAGE, prices())  # 70 a second, so 100 units

    assert usd(lines, "tables", "history, writes") == pytest.approx(100 * 730 * 0.00081)


def test_msk_serverless_costs_more_than_the_brokers_of_every_environment() -> None:
    for name, payments in USAGE["environments"].items():
        size = sizing_of(name)
        brokers = sum(line.usd for line in bill(payments, size, USAGE, prices()) if line.part == "streaming")
        assert serverless_usd(payments, size, USAGE, prices()) > brokers
    assert 'capacity_mode = "serverless"' not in page()


def test_the_history_is_kept_for_half_a_year_and_as_long_as_it_is_paid_for() -> None:
    days = int(read_functions()["score"].environment["HISTORY_RETENTION_DAYS"])  # type: ignore[arg-type]

    assert days == USAGE["constant"]["history_days"]["value"] >= 180
    assert read_tables()["transaction_history"].table_class == "STANDARD_INFREQUENT_ACCESS"


def test_exports_are_kept_as_long_as_they_are_paid_for() -> None:
    variables = (ROOT / "terraform/modules/history_export/variables.tf").read_text()
    kept = variables.split('variable "kept_days"')[1].split("default     = ")[1].split("\n")[0]

    assert int(kept) == USAGE["constant"]["export_days"]["value"]


def test_what_grows_grows_with_payments_and_fixed_cost_does_not() -> None:
    size = sizing_of("prod")
    one, ten = bill(1e6, size, USAGE, prices()), bill(1e7, size, USAGE, prices())

    for small, large in zip(one, ten, strict=True):
        if small.grows:
            assert small.usd < large.usd <= 10 * small.usd * 1.0001, small.what
        else:
            assert small.usd == large.usd, small.what


def test_a_batch_grows_with_the_rate_and_ends_at_its_limit() -> None:
    sizes = [batch_size(payments, 48, 0.52, 12) for payments in (1e5, 1e9, 1e10, 1e12)]

    assert sizes[0] == 1
    assert sizes == sorted(sizes)
    assert sizes[-1] == 500


def test_what_dominates_is_the_larger_part_of_the_bill() -> None:
    lines = bill(1e8, sizing_of("prod"), USAGE, prices())

    chosen = dominating(lines)

    assert total(chosen) >= total(lines) * 2 / 3
    assert total(chosen[:-1]) < total(lines) * 2 / 3


def test_a_missing_price_is_named_and_not_free() -> None:
    size = msgspec.structs.replace(sizing_of("dev"), cache_type="cache.x9.large")

    with pytest.raises(CostError, match=r"no price for cache\.x9\.large"):
        bill(1, size, USAGE, prices())


def test_every_environment_has_its_bill() -> None:
    assert set(USAGE["environments"]) == set(known_environments(ROOT))


def test_volumes_change_only_what_a_size_has() -> None:
    assert [entry["payments"] for entry in USAGE["volumes"]] == [10**6, 10**8, 10**10]
    for entry in USAGE["volumes"]:
        assert set(entry["changed"]) <= set(Sizing.__struct_fields__)


def test_prices_have_a_day_and_a_source() -> None:
    assert PRICE_LIST["read_on"] == "2026-11-26"
    sources = [PRICE_LIST[f"{table}_source"] for table in ("broker", "cache", "worker")]
    sources += [entry["source"] for entry in PRICE_LIST["units"].values()]
    assert all(source.startswith("https://aws.amazon.com/") for source in sources)


def test_alarms_are_paid_by_the_nodes_that_they_watch() -> None:
    dev, prod = sizing_of("dev"), sizing_of("prod")

    more = alarm_metrics(prod, USAGE) - alarm_metrics(dev, USAGE)

    assert (
        more == 4 * (prod.cache_nodes - dev.cache_nodes) + USAGE["constant"]["canary_alarm_metrics"]["value"]
    )


def test_counts_of_resources_are_terraforms() -> None:
    endpoints = (ROOT / "terraform/modules/network/endpoints.tf").read_text()
    named = endpoints.split("interface_endpoints = {")[1].split("}")[0]

    assert named.count(" = ") == USAGE["constant"]["interface_endpoints"]["value"]


def test_counting_both_sides_costs_four_rows_a_minute_of_each_process() -> None:
    rows = 50 * 4 * 60 * 730

    assert rollout_usd(USAGE, prices()) == pytest.approx(
        rows * 4 / 1e6 * PRICE_LIST["units"]["write_request_million"]["usd"]
    )


def test_a_training_costs_the_exports_of_half_a_year_and_its_job() -> None:
    without = training_usd(0.0, USAGE, prices())
    half_a_year_gb = 6 * 1e6 * USAGE["payment"]["history_bytes"]["value"] / 1e9

    assert (
        without == USAGE["constant"]["training_hours"]["value"] * PRICE_LIST["units"]["training_hour"]["usd"]
    )
    assert training_usd(1e6, USAGE, prices()) - without == pytest.approx(
        half_a_year_gb * PRICE_LIST["units"]["export_gb"]["usd"]
    )
