"""A backtest in AWS: both tables are exported before the job starts, the job gets the caller's arguments, and both roles' rights are few."""

from __future__ import annotations

import json
import re
import subprocess
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

import pytest

from ops.manifests import ROOT
from tests.terraform.rendering import resource_of, target_arn

if TYPE_CHECKING:
    from pathlib import Path

CASES: Final = {
    "both end at once": ["COMPLETED", "COMPLETED"],
    "both take long": ["IN_PROGRESS", "COMPLETED", "IN_PROGRESS", "IN_PROGRESS", "COMPLETED"],
    "the history fails": ["FAILED"],
    "the labels fail": ["COMPLETED", "IN_PROGRESS", "FAILED"],
}
INPUT: Final = {"run": "20261127T0300", "arguments": {"--rows_path": "s3://b/exports/20261127T0300/"}}
BOUNDARY: Final = ROOT / "terraform" / "bootstrap" / "boundary.tf"


@pytest.fixture(scope="module")
def results(infra_tools: Path) -> dict[str, dict[str, Any]]:
    """How each case ended."""
    machine = resource_of("backtest", "aws_sfn_state_machine", "this")
    done = subprocess.run(
        [str(infra_tools / "python"), "-m", "tests.terraform.backtest_runs"],
        input=json.dumps({"definition": json.loads(machine["definition"]), "input": INPUT, "cases": CASES}),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("case", ["both end at once", "both take long"])
def test_both_tables_are_exported_to_the_runs_own_folder_and_then_the_job_starts(
    case: str, results: dict[str, dict[str, Any]]
) -> None:
    found = results[case]

    assert found["status"] == "SUCCEEDED"
    assert [request["TableArn"] for request in found["exported"]] == [
        target_arn("table", "transaction_history"),
        target_arn("table", "labels"),
    ]
    for request in found["exported"]:
        assert request["S3Prefix"] == "exports/20261127T0300"
        assert request["ExportFormat"] == "DYNAMODB_JSON"
        assert request.get("ExportType", "FULL_EXPORT") == "FULL_EXPORT"
    job = resource_of("backtest", "aws_glue_job", "this")["name"]
    assert found["started"] == [{"JobName": job, "Arguments": INPUT["arguments"]}]
    assert found["output"]["JobRunId"] == "jr_1"
    assert found["not_seen"] == []


@pytest.mark.parametrize("case", ["the history fails", "the labels fail"])
def test_a_failed_export_starts_no_job(case: str, results: dict[str, dict[str, Any]]) -> None:
    assert (results[case]["status"], results[case]["started"]) == ("FAILED", [])


def test_the_boundary_has_every_action_of_both_roles() -> None:
    allowed, _, _ = BOUNDARY.read_text().partition('effect    = "Deny"')
    bounds = re.findall(r'"([a-z0-9-]+:[A-Za-z0-9*]+)"', allowed)
    policies = [
        json.loads(resource_of("backtest", "aws_iam_role_policy", "job")["policy"]),
        json.loads(resource_of("backtest", "aws_iam_role_policy", "this")["policy"]),
    ]

    actions = {
        action for policy in policies for statement in policy["Statement"] for action in statement["Action"]
    }

    assert len(actions) > 15
    assert {action for action in actions if not any(fnmatchcase(action, bound) for bound in bounds)} == set()
