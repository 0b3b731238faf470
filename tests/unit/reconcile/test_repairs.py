"""Rows reach a stage as inserts of its table's stream; what the stage does not process is counted."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import msgspec
from botocore.exceptions import EndpointConnectionError

from common.stream_reader import new_item
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


class CrashedBy:
    """Lambda with one function, which crashes on the row of one user."""

    def __init__(self, user_id: str) -> None:
        self.user_id = user_id
        self.processed: set[str] = set()

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - Lambda's names
        del FunctionName
        records = msgspec.json.decode(Payload)["Records"]
        users = {record["dynamodb"]["NewImage"]["user_id"]["S"] for record in records}
        if self.user_id in users:
            return {"Payload": io.BytesIO(b"{}"), "FunctionError": "Unhandled"}
        self.processed |= users
        return {"Payload": io.BytesIO(b'{"batchItemFailures": []}')}


def always() -> bool:
    return True


def repair(functions: Functions | CrashedBy) -> StageRepair:
    return StageRepair(functions, "arn:persist:live", lambda: NOW)


def rows(count: int) -> list[dict[str, Any]]:
    return [{"user_id": {"S": f"user-{number}"}, "features": {"B": b"\x00\xff"}} for number in range(count)]


def test_a_row_is_an_insert_of_the_stream_as_lambda_delivers_it() -> None:
    functions = Functions({"batchItemFailures": []})

    failed = repair(functions).send(rows(1), always)

    assert failed == 0
    ((record,),) = [event["Records"] for event in functions.events]
    assert new_item("t", record) == {"user_id": {"S": "user-0"}, "features": {"B": "AP8="}}
    assert record["dynamodb"]["ApproximateCreationDateTime"] == NOW.timestamp()


def test_rows_are_sent_in_calls_that_fit_into_the_stage_s_time_and_failures_are_added_up() -> None:
    functions = Functions(
        {"batchItemFailures": [{"itemIdentifier": "1"}]}, {"batchItemFailures": [{"itemIdentifier": "0"}]}
    )

    failed = repair(functions).send(rows(ROWS_A_CALL + 3), always)

    assert failed == 2
    assert [len(event["Records"]) for event in functions.events] == [ROWS_A_CALL, 3]


def test_a_call_that_is_not_answered_fails_all_its_rows() -> None:
    functions = Functions(EndpointConnectionError(endpoint_url="http://127.0.0.1:1"))

    assert repair(functions).send(rows(4), always) == 4


def test_a_row_that_crashes_the_stage_keeps_no_other_from_being_repaired() -> None:
    functions = CrashedBy("user-17")

    failed = repair(functions).send(rows(ROWS_A_CALL), always)

    assert failed == 1
    assert functions.processed == {f"user-{number}" for number in range(ROWS_A_CALL)} - {"user-17"}


def test_no_call_is_begun_without_time_and_its_rows_are_not_processed() -> None:
    functions = CrashedBy("nobody")

    failed = repair(functions).send(rows(60), lambda: len(functions.processed) < ROWS_A_CALL)

    assert failed == 60 - ROWS_A_CALL == 60 - len(functions.processed)


def test_nothing_is_called_for_no_rows() -> None:
    assert repair(Functions()).send([], always) == 0
