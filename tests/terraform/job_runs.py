"""Run a state machine of exports against moto's Step Functions, in the checks' own environment.

``python -m tests.terraform.job_runs`` reads ``{"definition": ..., "input": ..., "cases": {name: {table ARN: [state of its export at each look]}}}``
from standard input and writes, for each case, how the execution ended, what was exported, and which jobs were started.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import boto3
from moto import mock_aws
from moto.dynamodb.responses import DynamoHandler
from moto.glue.responses import GlueResponse
from moto.sagemaker.responses import SageMakerResponse

from tests.terraform.keep_running import ended


def run_case(
    definition: dict[str, Any], given: dict[str, Any], states: dict[str, list[str]]
) -> dict[str, Any]:
    """Run the state machine once; the export of each table is in these states, look by look."""
    exported: list[dict[str, Any]] = []
    started: list[dict[str, Any]] = []
    left = {arn: list(each) for arn, each in states.items()}

    def export_table_to_point_in_time(self: DynamoHandler) -> Any:
        exported.append(dict(self.body))
        arn = f"{self.body['TableArn']}/export/01"
        return json.dumps({"ExportDescription": {"ExportArn": arn, "ExportStatus": "IN_PROGRESS"}})

    def describe_export(self: DynamoHandler) -> Any:
        arn = self.body["ExportArn"]
        state = left[arn.removesuffix("/export/01")].pop(0)
        return json.dumps({"ExportDescription": {"ExportArn": arn, "ExportStatus": state}})

    def start_job_run(self: GlueResponse) -> Any:
        started.append(dict(self.parameters))
        return json.dumps({"JobRunId": "jr_1"})

    def create_training_job(self: SageMakerResponse) -> Any:
        started.append(json.loads(self.body))
        return json.dumps({"TrainingJobArn": "arn:job"})

    DynamoHandler.export_table_to_point_in_time = export_table_to_point_in_time  # type: ignore[method-assign]
    DynamoHandler.describe_export = describe_export  # type: ignore[method-assign]
    GlueResponse.start_job_run = start_job_run  # type: ignore[method-assign]
    SageMakerResponse.create_training_job = create_training_job  # type: ignore[method-assign]
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        client = boto3.client("stepfunctions", region_name="us-east-1")
        machine = client.create_state_machine(
            name="exports", definition=json.dumps(definition), roleArn="arn:aws:iam::123456789012:role/any"
        )
        arn = client.start_execution(
            stateMachineArn=machine["stateMachineArn"], name="once", input=json.dumps(given)
        )["executionArn"]
        status = ended(client, arn)
        described = client.describe_execution(executionArn=arn)
    return {
        "status": status,
        "exported": exported,
        "started": started,
        "not_seen": {arn: states for arn, states in left.items() if states},
        "output": json.loads(described.get("output") or "null"),
        "cause": described.get("cause"),
    }


def without_waits(states: dict[str, Any]) -> None:
    """Let the states wait for no time, those of a map too."""
    for state in states.values():
        if state["Type"] == "Wait":
            state["Seconds"] = 0
        if "ItemProcessor" in state:
            without_waits(state["ItemProcessor"]["States"])


def main() -> None:
    """Run all cases."""
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        os.environ[variable] = "mocked"
    request = json.load(sys.stdin)
    without_waits(request["definition"]["States"])
    cases = request["cases"].items()
    json.dump(
        {name: run_case(request["definition"], request["input"], states) for name, states in cases},
        sys.stdout,
        default=str,  # a request in CBOR has times
    )


if __name__ == "__main__":
    main()
