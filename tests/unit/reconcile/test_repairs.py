"""Rows reach a stage as inserts of its table's stream; what the stage does not process is counted."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from botocore.exceptions import EndpointConnectionError

from common.stream_reader import inserted_item
from reconcile.repairs import ROWS_A_CALL, StageRepair

NOW = datetime(2026, 1, 5, tzinfo=UTC)


class Functions:
    """Lambda with one function, which answers each call with the given answer."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.events: list[dict[str, Any]] = []

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - Lambda's names
        assert FunctionName == "arn:persist:live"
        self.events.append(msgspec.json.decode(Payload))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        error = {"FunctionError": "Unhandled"} if answer is None else {}
        return {"Payload": io.BytesIO(msgspec.json.encode(answer)), **error}


def repair(functions: Functions) -> StageRepair:
    return StageRepair(functions, "arn:persist:live", lambda: NOW)


def rows(count: int) -> list[dict[str, Any]]:
    return [{"user_id": {"S": f"user-{number}"}, "features": {"B": b"\x00\xff"}} for number in range(count)]


def test_a_row_is_an_insert_of_the_stream_as_lambda_delivers_it() -> None:
    functions = Functions({"batchItemFailures": []})

    failed = repair(functions).send(rows(1))

    assert failed == 0
    ((record,),) = [event["Records"] for event in functions.events]
    assert inserted_item("t", record) == {"user_id": {"S": "user-0"}, "features": {"B": "AP8="}}
    assert record["dynamodb"]["ApproximateCreationDateTime"] == NOW.timestamp()


def test_rows_are_sent_in_calls_that_fit_into_the_stage_s_time_and_failures_are_added_up() -> None:
    functions = Functions(
        {"batchItemFailures": [{"itemIdentifier": "1"}]}, {"batchItemFailures": [{"itemIdentifier": "0"}]}
    )

    failed = repair(functions).send(rows(ROWS_A_CALL + 3))

    assert failed == 2
    assert [len(event["Records"]) for event in functions.events] == [ROWS_A_CALL, 3]


@pytest.mark.parametrize("answer", [None, EndpointConnectionError(endpoint_url="http://127.0.0.1:1")])
def test_a_call_that_fails_fails_all_its_rows(answer: Any) -> None:
    assert repair(Functions(answer)).send(rows(4)) == 4


def test_nothing_is_called_for_no_rows() -> None:
    assert repair(Functions()).send([]) == 0
