"""The estimate of the cost counts the same resources as the modules that Terraform renders."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ops.cost import alarm_metrics
from ops.manifests import ROOT, read_functions
from ops.sizing import sizing_of
from tests.terraform.emitted_metrics import emitted
from tests.terraform.rendered_modules import BROKERS, CACHE_NODES
from tests.terraform.rendering import alarms

USAGE: dict[str, Any] = msgspec.yaml.decode((ROOT / "docs/cost/usage.yaml").read_bytes())


def constant(name: str) -> int:
    return int(USAGE["constant"][name]["value"])


def _alarm_metrics() -> list[dict[str, Any]]:
    return [
        metric for alarm in alarms() for query in alarm.get("metric_query", []) for metric in query["metric"]
    ]


def test_alarms_watch_as_many_metrics_as_are_paid_for() -> None:
    size = msgspec.structs.replace(
        sizing_of("dev"), brokers_per_zone=BROKERS // 3, cache_nodes=len(CACHE_NODES)
    )

    assert len(_alarm_metrics()) == alarm_metrics(
        msgspec.structs.replace(size, canary=True, console=True), USAGE
    )


def test_each_broker_and_each_cache_node_adds_as_many_as_are_paid_for() -> None:
    watched = [metric["dimensions"] for metric in _alarm_metrics()]

    for node in CACHE_NODES:
        assert [d.get("CacheClusterId") for d in watched].count(node) == constant("cache_node_alarm_metrics")
    for broker in range(1, BROKERS + 1):
        assert [d.get("Broker ID") for d in watched].count(str(broker)) == constant("broker_alarm_metrics")


def test_the_console_s_metrics_are_those_that_are_paid_for() -> None:
    filters = (ROOT / "terraform/modules/http/log.tf").read_text().split("filters = {")[1].split("}\n")[0]
    of_console = [
        metric
        for metric in _alarm_metrics()
        if {metric["dimensions"].get(name) for name in ("ApiName", "FunctionName")} & {"fraud-test-console"}
        or metric["metric_name"].startswith("console-")
    ]

    assert len(of_console) == constant("console_alarm_metrics")
    assert len(re.findall(r"^    \w+ +=", filters, re.M)) == constant("console_metrics")


def test_composite_alarms_are_those_that_are_paid_for() -> None:
    assert len([alarm for alarm in alarms() if "alarm_rule" in alarm]) == constant("composite_alarms")


def test_metrics_are_those_that_are_paid_for() -> None:
    cold_starts = {
        (name, "ColdStart")
        for name, spec in read_functions().items()
        if spec.is_triggered
        and "capture_cold_start_metric=True" in (ROOT / f"functions/{name}/handler.py").read_text()
    }
    metrics = emitted() | cold_starts
    of_canary = {metric for metric in metrics if metric[0] == "canary"}

    assert len(metrics - of_canary) == constant("metrics")
    assert len(of_canary) == constant("canary_metrics")


def test_dashboards_and_keys_are_those_that_are_paid_for() -> None:
    modules = "".join(file.read_text() for file in (ROOT / "terraform/modules").rglob("*.tf"))
    keys = (
        (ROOT / "terraform/modules/encryption/main.tf").read_text().split("descriptions = {")[1].split("}")[0]
    )

    assert modules.count('resource "aws_cloudwatch_dashboard"') == constant("dashboards")
    # The encryption module's keys are one resource with a for_each; it makes a key for each description.
    assert modules.count('resource "aws_kms_key"') - 1 + len(
        re.findall(r"^    \w+ +=", keys, re.M)
    ) == constant("keys")
