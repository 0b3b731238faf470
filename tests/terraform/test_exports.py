"""Both tables are exported before a backtest or a training starts, the job gets what its run says, and the roles' rights are few."""

from __future__ import annotations

import json
import re
import subprocess
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

import pytest
from botocore.session import get_session
from botocore.validate import ParamValidator

from ops.manifests import ROOT
from tests.terraform.rendered_modules import NAME, target_arn
from tests.terraform.rendering import resource_of

if TYPE_CHECKING:
    from pathlib import Path

HISTORY, LABELS = (target_arn("table", name) for name in ("transaction_history", "labels"))
CASES: Final = {
    "both end at once": {HISTORY: ["COMPLETED"], LABELS: ["COMPLETED"]},
    "both take long": {
        HISTORY: ["IN_PROGRESS", "COMPLETED"],
        LABELS: ["IN_PROGRESS", "IN_PROGRESS", "COMPLETED"],
    },
    "the history fails": {HISTORY: ["FAILED"], LABELS: ["COMPLETED"]},
    "the labels fail": {HISTORY: ["COMPLETED"], LABELS: ["IN_PROGRESS", "FAILED"]},
}
RUN: Final = "20261127T0300"
ARGUMENTS: Final[dict[str, Any]] = {
    "backtest": {"--rows_path": f"s3://b/exports/{RUN}/"},
    "training": ["--export", "/opt/ml/input/data/export"],
}
BOUNDARY: Final = ROOT / "terraform" / "bootstrap" / "boundary.tf"

Results = dict[str, dict[str, Any]]


def results(module: str, infra_tools: Path) -> Results:
    machine = resource_of(module, "aws_sfn_state_machine", "this")
    given = {"run": RUN, "as_of": "2026-11-27T02:54:00Z", "arguments": ARGUMENTS[module]}
    done = subprocess.run(
        [str(infra_tools / "python"), "-m", "tests.terraform.job_runs"],
        input=json.dumps({"definition": json.loads(machine["definition"]), "input": given, "cases": CASES}),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found: Results = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def backtests(infra_tools: Path) -> Results:
    """How each case ended with the state machine of backtests."""
    return results("backtest", infra_tools)


@pytest.fixture(scope="module")
def trainings(infra_tools: Path) -> Results:
    """How each case ended with that of trainings."""
    return results("training", infra_tools)


@pytest.mark.parametrize("case", ["both end at once", "both take long"])
def test_both_tables_are_exported_as_of_one_moment_to_the_runs_own_folder(
    case: str, backtests: Results
) -> None:
    found = backtests[case]

    assert found["status"] == "SUCCEEDED", found["cause"]
    assert {request["TableArn"] for request in found["exported"]} == {HISTORY, LABELS}
    for request in found["exported"]:
        assert request["S3Prefix"] == f"exports/{RUN}"
        assert request["ExportFormat"] == "DYNAMODB_JSON"
        assert request.get("ExportType", "FULL_EXPORT") == "FULL_EXPORT"
        assert len(request["ClientToken"]) <= 37
    assert len({str(request["ExportTime"]) for request in found["exported"]}) == 1
    assert len({request["ClientToken"] for request in found["exported"]}) == 2
    assert found["not_seen"] == {}


def test_then_the_backtest_starts_with_the_callers_arguments(backtests: Results) -> None:
    job = resource_of("backtest", "aws_glue_job", "this")["name"]

    for case in ("both end at once", "both take long"):
        found = backtests[case]
        assert found["started"] == [{"JobName": job, "Arguments": ARGUMENTS["backtest"]}]
        assert found["output"]["JobRunId"] == "jr_1"


def test_or_the_training_with_the_runs_code_and_exports_and_without_a_network(trainings: Results) -> None:
    (job,) = trainings["both take long"]["started"]

    shape = get_session().get_service_model("sagemaker").operation_model("CreateTrainingJob").input_shape
    assert shape is not None
    report = ParamValidator().validate(job, shape)
    assert not report.has_errors(), report.generate_report()
    places = {
        each["ChannelName"]: each["DataSource"]["S3DataSource"]["S3Uri"] for each in job["InputDataConfig"]
    }
    bucket = resource_of("training", "aws_s3_bucket", "this")["bucket"]
    assert places == {
        name: f"s3://{bucket}/{name}s/{RUN}/".replace("codes", "code") for name in ("export", "code")
    }
    assert job["TrainingJobName"] == f"{NAME}-{RUN}"
    assert job["AlgorithmSpecification"]["ContainerArguments"] == ARGUMENTS["training"]
    assert job["EnableNetworkIsolation"] is True


@pytest.mark.parametrize("case", ["the history fails", "the labels fail"])
def test_a_failed_export_starts_no_job(case: str, backtests: Results, trainings: Results) -> None:
    for found in (backtests[case], trainings[case]):
        assert (found["status"], found["started"]) == ("FAILED", [])


@pytest.mark.parametrize("module", ["backtest", "training"])
def test_the_boundary_has_every_action_of_the_roles(module: str) -> None:
    allowed, _, _ = BOUNDARY.read_text().partition('effect    = "Deny"')
    bounds = re.findall(r'"([a-z0-9-]+:[A-Za-z0-9*]+)"', allowed)
    policies = [
        json.loads(resource_of(module, "aws_iam_role_policy", name)["policy"])
        for name in ("job", "this", *(["trainers"] if module == "training" else []))
    ]

    actions = {
        action for policy in policies for statement in policy["Statement"] for action in statement["Action"]
    }

    assert len(actions) > 15
    assert {action for action in actions if not any(fnmatchcase(action, bound) for bound in bounds)} == set()
