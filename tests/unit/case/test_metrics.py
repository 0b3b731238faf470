"""The names of the stage's metrics are a contract: dashboards, alarms and other people's queries use them."""

from __future__ import annotations

from case.metrics import Metric


def test_the_stage_emits_the_metrics_that_it_always_has() -> None:
    assert {metric.value: metric.unit.value for metric in Metric} == dict.fromkeys(
        [
            "RecordsReceived",
            "RecordsFailed",
            "CasesOpened",
            "CasesReopened",
            "CasesClosed",
            "PaymentsAdded",
            "JudgementsChanged",
            "CasesRecounted",
            "CaseConflicts",
            "FlaggedRowsMissing",
        ],
        "Count",
    ) | {"CaseLatencyMs": "Milliseconds"}
