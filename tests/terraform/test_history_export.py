"""An export of the history is seen to its end, and a failed one fails the execution, which is what the alarm watches.

AWS, "DescribeExport": ExportStatus is IN_PROGRESS, COMPLETED or FAILED.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, Final

import pytest

from ops.manifests import ROOT, read_functions
from tests.terraform.rendering import alarms, resource_of

if TYPE_CHECKING:
    from pathlib import Path

CASES: Final = {
    "it ends at once": ["COMPLETED"],
    "it takes hours": ["IN_PROGRESS", "IN_PROGRESS", "COMPLETED"],
    "it fails": ["IN_PROGRESS", "FAILED"],
}

LONGEST_INTERVAL_DAYS: Final = 62
"""Two months, such as July and August."""


@pytest.fixture(scope="module")
def results(infra_tools: Path) -> dict[str, dict[str, Any]]:
    """How each case ended."""
    machine = resource_of("history_export", "aws_sfn_state_machine", "this")
    done = subprocess.run(
        [str(infra_tools / "python"), "-m", "tests.terraform.export_runs"],
        input=json.dumps({"definition": json.loads(machine["definition"]), "cases": CASES}),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("case", CASES)
def test_one_whole_export_is_made_and_watched_to_its_end(
    case: str, results: dict[str, dict[str, Any]]
) -> None:
    (request,) = results[case]["exported"]

    assert results[case]["not_seen"] == []
    assert request["ExportFormat"] == "DYNAMODB_JSON"
    assert request.get("ExportType", "FULL_EXPORT") == "FULL_EXPORT"


def test_an_execution_fails_only_if_the_export_failed(results: dict[str, dict[str, Any]]) -> None:
    assert {case: result["status"] for case, result in results.items()} == {
        "it ends at once": "SUCCEEDED",
        "it takes hours": "SUCCEEDED",
        "it fails": "FAILED",
    }


def test_a_failed_export_opens_an_alarm() -> None:
    (alarm,) = (each for each in alarms() if each["alarm_name"] == "fraud-test-history-export")
    machine = resource_of("history_export", "aws_sfn_state_machine", "this")
    watched = [metric for query in alarm["metric_query"] for metric in query["metric"]]

    assert {metric["metric_name"] for metric in watched} == {"ExecutionsFailed", "ExecutionsTimedOut"}
    assert {metric["dimensions"]["StateMachineArn"] for metric in watched} == {machine["arn"]}


def test_a_row_is_in_two_exports_before_it_expires() -> None:
    schedule = resource_of("history_export", "aws_cloudwatch_event_rule", "this")["schedule_expression"]
    days = int(str(read_functions()["score"].environment["HISTORY_RETENTION_DAYS"]))

    assert schedule == "cron(0 3 1 1/2 ? *)"
    assert days >= 2 * LONGEST_INTERVAL_DAYS
