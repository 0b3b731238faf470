"""Run the state machine of backtests against moto's Step Functions, in the checks' own environment.

``python -m tests.terraform.backtest_runs`` reads ``{"definition": ..., "input": ..., "cases": {name: [state of an export at each look]}}`` from
standard input and writes, for each case, how the execution ended, what was exported, and which runs of the job were started.
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

from tests.terraform.keep_running import ended


def run_case(definition: dict[str, Any], given: dict[str, Any], states: list[str]) -> dict[str, Any]:
    """Run the state machine once; the exports are in these states, look by look."""
    exported: list[dict[str, Any]] = []
    started: list[dict[str, Any]] = []
    left = list(states)

    def export_table_to_point_in_time(self: DynamoHandler) -> Any:
        exported.append(dict(self.body))
        arn = f"{self.body['TableArn']}/export/01"
        return json.dumps({"ExportDescription": {"ExportArn": arn, "ExportStatus": "IN_PROGRESS"}})

    def describe_export(self: DynamoHandler) -> Any:
        arn = self.body["ExportArn"]
        assert arn == f"{exported[-1]['TableArn']}/export/01"
        return json.dumps({"ExportDescription": {"ExportArn": arn, "ExportStatus": left.pop(0)}})

    def start_job_run(self: GlueResponse) -> Any:
        started.append(dict(self.parameters))
        return json.dumps({"JobRunId": "jr_1"})

    DynamoHandler.export_table_to_point_in_time = export_table_to_point_in_time  # type: ignore[method-assign]
    DynamoHandler.describe_export = describe_export  # type: ignore[method-assign]
    GlueResponse.start_job_run = start_job_run  # type: ignore[method-assign]
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        client = boto3.client("stepfunctions", region_name="us-east-1")
        machine = client.create_state_machine(
            name="backtest", definition=json.dumps(definition), roleArn="arn:aws:iam::123456789012:role/any"
        )
        arn = client.start_execution(
            stateMachineArn=machine["stateMachineArn"], name="once", input=json.dumps(given)
        )["executionArn"]
        status = ended(client, arn)
        output = client.describe_execution(executionArn=arn).get("output")
    return {
        "status": status,
        "exported": exported,
        "started": started,
        "not_seen": left,
        "output": json.loads(output or "null"),
    }


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
        {name: run_case(request["definition"], request["input"], states) for name, states in cases},
        sys.stdout,
    )


if __name__ == "__main__":
    main()
