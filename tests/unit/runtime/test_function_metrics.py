"""Embedded metrics of a log, added up."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from local.runtime.function_metrics import MetricSums, sum_metrics

if TYPE_CHECKING:
    from pathlib import Path


def _emf(values: dict[str, Any]) -> str:
    metrics = [{"Name": name, "Unit": "Count"} for name in values]
    directive = {"Namespace": "FraudDetection", "Dimensions": [["service"]], "Metrics": metrics}
    return json.dumps(
        {"_aws": {"Timestamp": 1, "CloudWatchMetrics": [directive]}, "service": "score", **values}
    )


def test_values_of_one_metric_are_added_over_lines_and_lists(tmp_path: Path) -> None:
    log = tmp_path / "score.log"
    log.write_text("\n".join([_emf({"Scored": [1.0, 2.0]}), _emf({"Scored": 4, "Degraded": [1]}), ""]))

    assert sum_metrics(log) == {"Scored": 7.0, "Degraded": 1.0}


def test_lines_that_are_no_metrics_are_ignored(tmp_path: Path) -> None:
    log = tmp_path / "score.log"
    log.write_text('START\n{"level": "INFO", "message": "\\"CloudWatchMetrics\\""}\n"CloudWatchMetrics" {\n')

    assert sum_metrics(log) == {}


def test_a_line_that_is_being_written_is_counted_once_it_is_complete(tmp_path: Path) -> None:
    log = tmp_path / "score.log"
    line = _emf({"Scored": [1]})
    log.write_text(line + "\n" + line[:40])
    sums = MetricSums(log)
    first = sums.update()

    with log.open("a") as file:
        file.write(line[40:] + "\n")

    assert first == {"Scored": 1.0}
    assert sums.update() == {"Scored": 2.0}
    assert sums.update() == {"Scored": 2.0}


def test_a_missing_log_has_no_metrics(tmp_path: Path) -> None:
    assert sum_metrics(tmp_path / "none.log") == {}
