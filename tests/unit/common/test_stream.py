"""A stage sees inserted rows; failures are named by sequence number and told without values."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from common.stream import MIN_REMAINING_MS, StreamReader, describe_failure, inserted_item
from contract.errors import InvalidRowError
from tests.support.payments import Context, Log, stream_event

A, B, C = ({"key": {"S": name}} for name in "abc")


def reader(handle: Any) -> tuple[StreamReader, Log]:
    log = Log()
    return StreamReader("rows", handle, log), log


def failing_on(item: dict[str, Any], error: Exception) -> Any:
    def handle(seen: Any) -> None:
        if seen == item:
            raise error

    return handle


def test_every_inserted_row_is_handed_over_in_order() -> None:
    seen: list[Any] = []
    stream, _ = reader(seen.append)

    answer = stream.read(stream_event([A, B, C]), Context())

    assert seen == [A, B, C]
    assert answer == {"batchItemFailures": []}
    assert stream.failures == 0


@pytest.mark.parametrize("event_name", ["MODIFY", "REMOVE"])
def test_changes_and_deletions_are_passed_over(event_name: str) -> None:
    seen: list[Any] = []
    stream, _ = reader(seen.append)

    answer = stream.read(stream_event([A], event_name), Context())

    assert seen == []
    assert answer == {"batchItemFailures": []}


def test_one_failed_row_stops_no_other_and_is_named() -> None:
    stream, log = reader(failing_on(B, InvalidRowError("rows", "key", "wrong")))

    answer = stream.read(stream_event([A, B, C]), Context())

    assert answer == {"batchItemFailures": [{"itemIdentifier": "101"}]}
    assert stream.failures == 1
    assert log.lines[0]["error"] == "InvalidRowError: rows.key: wrong"
    assert log.lines[0]["sequence_number"] == "101"


def test_batch_that_fails_whole_is_answered_not_raised() -> None:
    stream, _ = reader(failing_on(A, RuntimeError()))

    assert stream.read(stream_event([A, A]), Context()) == {
        "batchItemFailures": [{"itemIdentifier": "100"}, {"itemIdentifier": "101"}]
    }


def test_reader_forgets_the_failures_of_the_batch_before() -> None:
    stream, _ = reader(failing_on(A, RuntimeError()))
    stream.read(stream_event([A]), Context())

    answer = stream.read(stream_event([B]), Context())

    assert answer == {"batchItemFailures": []}
    assert stream.failures == 0


def test_records_that_there_is_no_time_for_are_left_to_the_next_invocation() -> None:
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
    context.remaining_ms = 0  # what the runtime makes of it, from the first moment on
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


def test_failure_of_a_service_is_told_by_its_code_alone() -> None:
    error = ClientError({"Error": {"Code": "ValidationException", "Message": "Value 'secret' at"}}, "PutItem")

    assert describe_failure(error) == {"error": "PutItem: ValidationException", "stack": []}


def test_failure_of_a_parser_is_told_by_its_kind_and_place() -> None:
    try:
        int("secret")
    except ValueError as error:
        told = describe_failure(error)

    assert told["error"] == "ValueError"
    assert "test_stream.py" in str(told["stack"])
    assert "secret" not in str(told)
