"""Run the state machine that keeps the Glue job running against moto's Step Functions and Glue, in the checks' own environment.

``python -m tests.terraform.keep_running`` reads ``{"definition": ..., "job": ..., "cases": {name: [state of each run, oldest first]}}``
from standard input and writes, for each case, how the execution ended and the states of all runs afterwards. The case `UNSEEN` has a
run that starts between the look and the start.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, Final

import boto3
from moto import mock_aws
from moto.glue.models import FakeJob, FakeJobRun, glue_backends
from moto.moto_api import state_manager

ACCOUNT: Final = "123456789012"
REGION: Final = "us-east-1"
UNSEEN: Final = "a run that started after the look"
EXECUTION_SECONDS: Final = 30.0


def ended(stepfunctions: Any, execution: str) -> str:
    """Wait for the end of an execution; give its status."""
    deadline = time.monotonic() + EXECUTION_SECONDS
    while time.monotonic() < deadline:
        described = stepfunctions.describe_execution(executionArn=execution)
        if described["status"] != "RUNNING":
            return str(described["status"])
        time.sleep(0.05)
    return "RUNNING"


def run_case(definition: dict[str, Any], job: str, name: str, states: list[str]) -> dict[str, Any]:
    """Run the state machine once beside runs in these states."""
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        state_manager.set_transition("glue::job_run", {"progression": "manual", "times": 1000})
        clients = {
            service: boto3.client(service, region_name=REGION) for service in ("glue", "stepfunctions")
        }
        clients["glue"].create_job(
            Name=job,
            Role="any",
            Command={"Name": "gluestreaming"},
            ExecutionProperty={"MaxConcurrentRuns": 1},
        )
        made: FakeJob = glue_backends[ACCOUNT][REGION].jobs[job]
        for state in states:
            made.job_runs.append(FakeJobRun(job_name=job))
            made.job_runs[-1].status = state
        if name == UNSEEN:
            made.get_job_runs = list  # type: ignore[method-assign]
        machine = clients["stepfunctions"].create_state_machine(
            name="keep-running", definition=json.dumps(definition), roleArn=f"arn:aws:iam::{ACCOUNT}:role/any"
        )
        started = clients["stepfunctions"].start_execution(
            stateMachineArn=machine["stateMachineArn"], name="once"
        )
        status = ended(clients["stepfunctions"], started["executionArn"])
        return {"status": status, "runs": [run.status for run in made.job_runs]}


def main() -> None:
    """Run all cases."""
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        os.environ[variable] = "mocked"
    request = json.load(sys.stdin)
    for state in request["definition"]["States"].values():
        if state["Type"] == "Wait":
            state["Seconds"] = 0
    cases = request["cases"].items()
    json.dump(
        {name: run_case(request["definition"], request["job"], name, states) for name, states in cases},
        sys.stdout,
    )


if __name__ == "__main__":
    main()
