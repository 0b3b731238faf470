"""A stage's metric is its name in CloudWatch, and carries its unit and meaning."""

from __future__ import annotations

import re
from typing import Any

import pytest

from alert.metrics import Metric as AlertMetric
from canary.metrics import Metric as CanaryMetric
from common.metrics import COUNT, MILLISECONDS, StageMetric, emit
from digest.metrics import Metric as DigestMetric
from ops.manifests import ROOT
from persist.metrics import Metric as PersistMetric
from reconcile.metrics import Metric as ReconcileMetric
from score.metrics import Metric as ScoreMetric


class Metric(StageMetric):
    ITEMS = "ItemsSeen", COUNT, "Items."
    LATENCY = "Latency", MILLISECONDS, "From there to here."


class Sink:
    def __init__(self) -> None:
        self.added: list[tuple[str, Any, float]] = []

    def add_metric(self, name: str, unit: Any, value: float) -> None:
        self.added.append((name, unit, value))


def test_member_is_a_string_with_unit_and_meaning() -> None:
    assert str(Metric.ITEMS) == Metric.ITEMS.value == "ItemsSeen"
    assert (Metric.ITEMS.unit.value, Metric.LATENCY.unit.value) == ("Count", "Milliseconds")
    assert Metric.LATENCY.meaning == "From there to here."


def test_metric_is_emitted_under_its_name_in_its_unit() -> None:
    sink = Sink()

    emit(sink, Metric.LATENCY, 2.5)

    assert sink.added == [("Latency", MILLISECONDS, 2.5)]
    assert type(sink.added[0][0]) is str


def test_metric_without_a_value_counts_one() -> None:
    sink = Sink()

    emit(sink, Metric.ITEMS)

    assert sink.added == [("ItemsSeen", COUNT, 1)]


@pytest.mark.parametrize("metrics", [ScoreMetric, PersistMetric, AlertMetric, DigestMetric, CanaryMetric])
def test_every_metric_of_a_stage_has_a_sentence_and_milliseconds_only_where_time_is_measured(
    metrics: type[StageMetric],
) -> None:
    assert all(metric.meaning.endswith(".") for metric in metrics)
    assert {metric.value for metric in metrics if metric.unit is MILLISECONDS} <= {
        "OldestRecordAge",
        "FlagLatencyMs",
        "AlertLatencyMs",
        "OldestDueDigestMs",
        "CanaryLatencyMs",
    }
    assert {metric.unit for metric in metrics} == {COUNT, MILLISECONDS}


@pytest.mark.parametrize(
    "metrics", [ScoreMetric, PersistMetric, AlertMetric, DigestMetric, CanaryMetric, ReconcileMetric]
)
def test_every_metric_of_a_stage_is_named_by_the_dashboard(metrics: type[StageMetric]) -> None:
    dashboard = (ROOT / "terraform" / "modules" / "observability" / "dashboard.tf").read_text()

    assert [metric.value for metric in metrics if not re.search(rf"\b{metric.value}\b", dashboard)] == []
