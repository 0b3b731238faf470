"""Run the state machine that exports the history against moto's Step Functions, in the checks' own environment.

``python -m tests.terraform.export_runs`` reads ``{"definition": ..., "cases": {name: [state of the export at each look]}}`` from standard
input and writes, for each case, how the execution ended and what was exported. DynamoDB's part is played by the answers of the case,
because moto's exports end at once and never fail.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Final

import boto3
from moto import mock_aws
from moto.dynamodb.responses import DynamoHandler

from tests.terraform.keep_running import ended

ARN: Final = "arn:aws:dynamodb:us-east-1:123456789012:table/fraud-test-transaction_history/export/01"


def run_case(definition: dict[str, Any], states: list[str]) -> dict[str, Any]:
    """Run the state machine once; the export is in these states at each look."""
    exported: list[dict[str, Any]] = []
    left = list(states)

    def export_table_to_point_in_time(self: DynamoHandler) -> Any:
        exported.append(dict(self.body))
        return json.dumps({"ExportDescription": {"ExportArn": ARN, "ExportStatus": "IN_PROGRESS"}})

    def describe_export(self: DynamoHandler) -> Any:
        assert self.body["ExportArn"] == ARN
        return json.dumps({"ExportDescription": {"ExportArn": ARN, "ExportStatus": left.pop(0)}})

    DynamoHandler.export_table_to_point_in_time = export_table_to_point_in_time  # type: ignore[method-assign]
    DynamoHandler.describe_export = describe_export  # type: ignore[method-assign]
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        client = boto3.client("stepfunctions", region_name="us-east-1")
        machine = client.create_state_machine(
            name="export", definition=json.dumps(definition), roleArn="arn:aws:iam::123456789012:role/any"
        )
        started = client.start_execution(stateMachineArn=machine["stateMachineArn"], name="once")
        return {"status": ended(client, started["executionArn"]), "exported": exported, "not_seen": left}


def main() -> None:
    """Run all cases."""
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        os.environ[variable] = "mocked"
    request = json.load(sys.stdin)
    for state in request["definition"]["States"].values():
        if state["Type"] == "Wait":
            state["Seconds"] = 0
    cases = request["cases"].items()
    json.dump({name: run_case(request["definition"], states) for name, states in cases}, sys.stdout)


if __name__ == "__main__":
    main()
