"""A stage gets inserted rows; failures are named by sequence number and logged without values."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from common.errors import StageError
from common.failures import describe_failure
from common.stream_reader import StreamReader, inserted_item
from common.time_left import MIN_REMAINING_MS
from contract.errors import InvalidRowError
from tests.support.crashes import make_crashes
from tests.support.payments import Context, Log, stream_event

A, B, C = ({"key": {"S": name}} for name in "abc")


def reader(handle: Any) -> tuple[StreamReader, Log]:
    log = Log()
    return StreamReader("rows", handle, log, make_crashes()), log


def failing_on(item: dict[str, Any], error: Exception) -> Any:
    def handle(seen: Any) -> None:
        if seen == item:
            raise error

    return handle


def test_every_inserted_row_is_handled_in_order() -> None:
    seen: list[Any] = []
    stream, _ = reader(seen.append)

    answer = stream.read(stream_event([A, B, C]), Context())

    assert seen == [A, B, C]
    assert answer == {"batchItemFailures": []}


@pytest.mark.parametrize("event_name", ["MODIFY", "REMOVE"])
def test_changes_and_deletions_are_skipped(event_name: str) -> None:
    seen: list[Any] = []
    stream, _ = reader(seen.append)

    answer = stream.read(stream_event([A], event_name), Context())

    assert seen == []
    assert answer == {"batchItemFailures": []}


def test_one_failed_row_stops_no_other_and_is_named() -> None:
    stream, log = reader(failing_on(B, InvalidRowError("rows", "key", "wrong")))

    answer = stream.read(stream_event([A, B, C]), Context())

    assert answer == {"batchItemFailures": [{"itemIdentifier": "101"}]}
    assert log.lines[0]["error"] == "InvalidRowError: rows.key: wrong"
    assert log.lines[0]["sequence_number"] == "101"
    assert log.lines[0]["message"] == "A stream record failed and will be delivered again"


def test_batch_whose_records_all_fail_is_answered_without_an_exception() -> None:
    stream, _ = reader(failing_on(A, RuntimeError()))

    assert stream.read(stream_event([A, A]), Context()) == {
        "batchItemFailures": [{"itemIdentifier": "100"}, {"itemIdentifier": "101"}]
    }


def test_reader_forgets_the_failures_of_the_batch_before() -> None:
    stream, _ = reader(failing_on(A, RuntimeError()))
    stream.read(stream_event([A]), Context())

    answer = stream.read(stream_event([B]), Context())

    assert answer == {"batchItemFailures": []}


def test_records_without_enough_time_are_left_to_the_next_invocation() -> None:
    context = Context()
    seen: list[Any] = []

    def handle(item: Any) -> None:
        seen.append(item)
        context.remaining_ms = MIN_REMAINING_MS - 1

    stream, log = reader(handle)

    answer = stream.read(stream_event([A, B, C]), context)

    assert seen == [A]
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["101", "102"]
    assert "OutOfTimeError" in str(log.lines[0]["error"])


def test_a_clock_that_is_an_hour_ahead_stops_no_record() -> None:
    context = Context()
    context.remaining_ms = 0  # what the runtime computes, from the first moment on
    seen: list[Any] = []
    stream, _ = reader(seen.append)

    answer = stream.read(stream_event([A, B, C]), context)

    assert seen == [A, B, C]
    assert answer == {"batchItemFailures": []}


def test_insert_without_its_row_is_an_error() -> None:
    (record,) = stream_event([A])["Records"]
    del record["dynamodb"]["NewImage"]

    with pytest.raises(InvalidRowError) as refusal:
        inserted_item("rows", record)

    assert (refusal.value.table, refusal.value.attribute) == ("rows", "$")


def test_failure_of_a_service_is_described_by_its_code_alone() -> None:
    error = ClientError({"Error": {"Code": "ValidationException", "Message": "Value 'secret' at"}}, "PutItem")

    assert describe_failure(error) == {"error": "PutItem: ValidationException", "stack": []}


def test_failure_of_a_parser_is_described_by_its_type_and_place() -> None:
    try:
        int("secret")
    except ValueError as error:
        described = describe_failure(error)

    assert described["error"] == "ValueError"
    assert "test_stream_reader.py" in str(described["stack"])
    assert "secret" not in str(described)


@pytest.mark.parametrize(("remaining_ms", "begun"), [(5_000, 2), (4_999, 1)])
def test_a_record_is_begun_while_five_seconds_are_left(remaining_ms: int, begun: int) -> None:
    context = Context()
    seen: list[Any] = []

    def handle(item: Any) -> None:
        seen.append(item)
        context.remaining_ms = remaining_ms

    stream, _ = reader(handle)

    answer = stream.read(stream_event([A, B]), context)

    assert len(seen) == begun
    assert len(answer["batchItemFailures"]) == 2 - begun


@pytest.mark.parametrize(("first_ms", "begun"), [(5_000, 0), (4_999, 1)])
def test_a_clock_is_right_if_an_invocation_begins_with_five_seconds(first_ms: int, begun: int) -> None:
    class Falling(Context):
        """Shows the first time once, and one second afterwards."""

        def get_remaining_time_in_millis(self) -> int:
            shown, self.remaining_ms = self.remaining_ms, 1_000
            return shown

    seen: list[Any] = []
    stream, _ = reader(seen.append)

    stream.read(stream_event([A]), Falling(first_ms))

    assert len(seen) == begun


@pytest.mark.parametrize("event_name", ["INSERT", None])
def test_record_without_an_event_name_is_skipped(event_name: str | None) -> None:
    (record,) = stream_event([A])["Records"]
    if event_name is None:
        del record["eventName"]

    assert inserted_item("rows", record) == (None if event_name is None else A)


def test_failure_of_a_stage_is_described_by_its_message() -> None:
    assert describe_failure(StageError("no table")) == {"error": "StageError: no table", "stack": []}


def test_failure_of_a_service_without_a_code_is_unknown() -> None:
    assert describe_failure(ClientError({}, "PutItem"))["error"] == "PutItem: unknown"


def test_stack_names_file_line_and_function_of_each_frame() -> None:
    def fail() -> None:
        raise ValueError("secret")

    try:
        fail()
    except ValueError as error:
        stack: Any = describe_failure(error)["stack"]

    assert [frame.rpartition(" ")[2] for frame in stack] == [
        "test_stack_names_file_line_and_function_of_each_frame",
        "fail",
    ]
    assert all(f"{__file__}:" in frame for frame in stack)
