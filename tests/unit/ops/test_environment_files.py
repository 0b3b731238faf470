"""What the environments' files may and may not differ in, and what their sizes hold."""

from __future__ import annotations

from typing import Any

import msgspec

from ops.environment import ENVIRONMENTS, ROOT
from ops.environments_page import cache_lines, users
from ops.tfvars import flatten, read_file


def settings(environment: str) -> dict[str, Any]:
    values, _ = read_file(ROOT / ENVIRONMENTS / environment / f"{environment}.tfvars")
    return dict(flatten(values))


def kind(environment: str) -> dict[str, Any]:
    """What an environment is made of, without its sizes."""
    values = settings(environment)
    return {
        "settings": sorted(values),
        "brokers": values.get("kafka.capacity_mode", "provisioned"),
        "engine": values.get("cache.engine", "valkey"),
        "cluster mode": values["cache.replicas.maximum"] > values["cache.replicas.minimum"],
        "zones of endpoints": values.get("endpoint_zone_count", 3),
    }


def test_staging_and_prod_differ_in_sizes_and_not_in_kind() -> None:
    assert kind("staging") == kind("prod")


def test_audit_scan_and_copies_are_off_in_dev_and_on_where_payments_are_real() -> None:
    protecting = {"enable_audit", "enable_malware_scan", "backup.retention_days"}

    on = {name: protecting & settings(name).keys() for name in ("dev", "staging", "prod")}

    assert on == {"dev": set(), "staging": protecting, "prod": protecting}
    for name in ("staging", "prod"):
        assert settings(name)["enable_audit"] is settings(name)["enable_malware_scan"] is True


def test_the_canary_pays_where_the_system_always_runs() -> None:
    for name in ("dev", "staging", "prod"):
        is_always_on = settings(name).get("enable_always_on", True)
        assert ("canary" in settings(name).get("disabled_schedules", [])) is not is_always_on, name


def test_a_quarter_of_a_nodes_memory_holds_no_data() -> None:
    # AWS re:Post, "available memory of an ElastiCache node": of cache.t3.micro's 0.5 GiB, 0.375 are available.
    table = cache_lines({"dev": "cache.t4g.micro", "prod": "cache.r7g.large"})

    assert table[3].endswith("| 0.38 | 9.80 |")
    assert table[4].endswith("| 49,000 | 1,200,000 |")


def test_users_are_never_rounded_up() -> None:
    assert users(9.8025) == 1_200_000
    assert users(8 / 2**20) == 1


def test_every_node_type_of_an_environment_has_its_memory() -> None:
    nodes = msgspec.yaml.decode((ROOT / "docs/cost/prices.yaml").read_bytes())["cache_node_hour"]

    for environment in ("dev", "staging", "prod"):
        assert nodes[settings(environment)["cache.node_type"]]["memory_gib"] > 0
