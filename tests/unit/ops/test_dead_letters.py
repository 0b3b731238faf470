"""Redriving a dead-letter queue."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from ops.dead_letters import Redrive, queue_url
from ops.errors import OpsError

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:fraud-dev-alert:live"
STREAM = "arn:aws:dynamodb:us-east-1:123456789012:table/fraud-dev-flagged_transactions/stream/2026"


def stream_message(first: int, last: int) -> str:
    batch = {
        "shardId": "shard-1",
        "startSequenceNumber": str(first),
        "endSequenceNumber": str(last),
        "batchSize": last - first + 1,
        "streamArn": STREAM,
    }
    context = {
        "functionArn": FUNCTION,
        "condition": "RetryAttemptsExhausted",
        "requestId": "r",
        "approximateInvokeCount": 11,
    }
    return msgspec.json.encode(
        {"requestContext": context, "responseContext": None, "DDBStreamBatchInfo": batch}
    ).decode()


class FakeSqs:
    def __init__(self, bodies: list[str], sources: list[str] | None = None) -> None:
        self.waiting = [
            {"MessageId": f"m{i}", "ReceiptHandle": f"h{i}", "Body": body} for i, body in enumerate(bodies)
        ]
        self.sources = sources or []
        self.deleted: list[str] = []
        self.moved: list[str] = []
        self.given_back: list[str] = []

    def list_dead_letter_source_queues(self, **_: str) -> dict[str, Any]:
        return {"queueUrls": self.sources}

    def start_message_move_task(self, *, SourceArn: str) -> dict[str, Any]:  # noqa: N803
        self.moved.append(SourceArn)
        return {}

    def receive_message(self, **_: Any) -> dict[str, Any]:
        return {"Messages": [self.waiting.pop(0)]} if self.waiting else {}

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> dict[str, Any]:  # noqa: N803
        self.deleted.append(ReceiptHandle)
        return {}

    def change_message_visibility(self, **call: Any) -> dict[str, Any]:
        assert call["VisibilityTimeout"] == 0
        self.given_back.append(call["ReceiptHandle"])
        return {}

    def get_queue_attributes(self, **_: Any) -> dict[str, Any]:
        return {"Attributes": {"QueueArn": "arn:queue", "ApproximateNumberOfMessages": "7"}}

    def get_queue_url(self, *, QueueName: str) -> dict[str, Any]:  # noqa: N803
        if QueueName == "fraud-dev-alert-dead-letter":
            return {"QueueUrl": "https://sqs/alert"}
        raise ClientError({"Error": {"Code": "QueueDoesNotExist", "Message": "no"}}, "GetQueueUrl")


class FakeStreams:
    def __init__(self, numbers: list[int], error: str | None = None, empty_pages: int = 0) -> None:
        self.numbers = numbers
        self.empty_pages = empty_pages
        self.error = error

    def get_shard_iterator(self, *, SequenceNumber: str, **_: str) -> dict[str, Any]:  # noqa: N803
        if self.error:
            raise ClientError({"Error": {"Code": self.error, "Message": ""}}, "GetShardIterator")
        return {"ShardIterator": SequenceNumber}

    def get_records(self, *, ShardIterator: str) -> dict[str, Any]:  # noqa: N803
        """Give two records a page, from the iterator on, and empty pages before that."""
        if self.empty_pages:
            self.empty_pages -= 1
            return {"Records": [], "NextShardIterator": ShardIterator}
        following = [number for number in self.numbers if number >= int(ShardIterator)]
        records = [
            {
                "eventID": str(number),
                "eventName": "INSERT",
                "dynamodb": {
                    "SequenceNumber": str(number),
                    "NewImage": {"transaction_id": {"S": f"t{number}"}},
                    "ApproximateCreationDateTime": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
                },
            }
            for number in following[:2]
        ]
        return {
            "Records": records,
            "NextShardIterator": str(following[1] + 1) if len(following) > 1 else str(10**9),
        }


class FakeFunctions:
    def __init__(self, answer: Any = None, error: str | None = None) -> None:
        self.answer = answer
        self.error = error
        self.events: list[dict[str, Any]] = []

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        assert FunctionName == FUNCTION
        self.events.append(msgspec.json.decode(Payload))
        answer = {"Payload": io.BytesIO(msgspec.json.encode(self.answer))}
        return answer | ({"FunctionError": self.error} if self.error else {})


def test_records_are_read_again_and_the_message_is_deleted_when_all_are_processed() -> None:
    sqs, functions = FakeSqs([stream_message(3, 5)]), FakeFunctions({"batchItemFailures": []})

    outcome = Redrive(sqs, FakeStreams([1, 2, 3, 4, 5, 6]), functions).run("u")

    assert (outcome.put_back, outcome.kept) == (1, ())
    assert sqs.deleted == ["h0"]
    (event,) = functions.events
    assert [record["dynamodb"]["SequenceNumber"] for record in event["Records"]] == ["3", "4", "5"]
    assert {record["eventSourceARN"] for record in event["Records"]} == {STREAM}
    assert event["Records"][0]["dynamodb"]["ApproximateCreationDateTime"] == 1767225600.0


def test_an_empty_page_is_not_the_end_of_a_shard() -> None:
    functions = FakeFunctions({"batchItemFailures": []})

    outcome = Redrive(FakeSqs([stream_message(1, 2)]), FakeStreams([1, 2], empty_pages=3), functions).run("u")

    assert outcome.put_back == 1
    assert len(functions.events[0]["Records"]) == 2


def test_a_message_stays_while_the_function_does_not_process_a_record() -> None:
    sqs = FakeSqs([stream_message(1, 2)])
    functions = FakeFunctions({"batchItemFailures": [{"itemIdentifier": "2"}]})

    outcome = Redrive(sqs, FakeStreams([1, 2]), functions).run("u")

    assert sqs.deleted == []
    assert outcome.kept == (f"message m0 stays: {FUNCTION} did not process 1 of its records",)


def test_messages_that_stay_can_be_put_back_again_at_once() -> None:
    sqs = FakeSqs([stream_message(1, 1), stream_message(9, 9), stream_message(2, 2)])

    outcome = Redrive(sqs, FakeStreams([1, 2]), FakeFunctions({"batchItemFailures": []})).run("u")

    assert (outcome.put_back, len(outcome.kept)) == (2, 1)
    assert sqs.given_back == ["h1"]


def test_a_message_stays_while_the_function_fails() -> None:
    outcome = Redrive(
        FakeSqs([stream_message(1, 1)]), FakeStreams([1]), FakeFunctions(error="Unhandled")
    ).run("u")

    assert outcome.kept == (f"message m0 stays: {FUNCTION} failed again: Unhandled",)


def test_a_message_whose_records_have_left_the_stream_stays_and_says_so() -> None:
    functions = FakeFunctions()

    outcome = Redrive(
        FakeSqs([stream_message(1, 1)]), FakeStreams([], "TrimmedDataAccessException"), functions
    ).run("u")

    assert "24 hours" in outcome.kept[0]
    assert functions.events == []


def test_a_batch_of_which_a_part_is_missing_is_not_put_back_in_part() -> None:
    functions = FakeFunctions()

    outcome = Redrive(FakeSqs([stream_message(1, 3)]), FakeStreams([2, 3]), functions).run("u")

    assert outcome.kept == ("message m0 stays: the stream has 2 of its 3 records",)
    assert functions.events == []


def test_an_asynchronous_invocation_is_made_again_with_its_own_event() -> None:
    body = {"requestContext": {"functionArn": FUNCTION, "condition": "x"}, "requestPayload": {"topics": []}}
    sqs, functions = FakeSqs([msgspec.json.encode(body).decode()]), FakeFunctions({})

    Redrive(sqs, FakeStreams([]), functions).run("u")

    assert functions.events == [{"topics": []}]
    assert sqs.deleted == ["h0"]


def test_records_of_kafka_are_named_and_left() -> None:
    info = {"recordsInfo": {"transaction_stream-3": {"firstRecordOffset": "1"}}}
    body = {"requestContext": {"functionArn": FUNCTION, "condition": "x"}, "KafkaBatchInfo": info}

    outcome = Redrive(FakeSqs([msgspec.json.encode(body).decode()]), FakeStreams([]), FakeFunctions()).run(
        "u"
    )

    assert "transaction_stream-3" in outcome.kept[0]
    assert "docs/runbooks/redrive-kafka.md" in outcome.kept[0]


def test_what_is_not_an_invocation_record_is_left() -> None:
    sqs = FakeSqs(["an alert in words"])

    outcome = Redrive(sqs, FakeStreams([]), FakeFunctions()).run("u")

    assert outcome.put_back == 0
    assert sqs.deleted == []
    assert outcome.kept[0].startswith("message m0 stays: it is not an invocation record")


def test_behind_a_queue_sqs_moves_the_messages_itself() -> None:
    sqs = FakeSqs(["anything"], sources=["https://sqs/source"])

    outcome = Redrive(sqs, FakeStreams([]), FakeFunctions()).run("u")

    assert sqs.moved == ["arn:queue"]
    assert outcome.put_back == 7


def test_a_queue_is_found_by_its_stage_and_by_its_name() -> None:
    urls = {"alert": "https://sqs/alert"}

    assert queue_url(FakeSqs([]), "alert", urls) == "https://sqs/alert"
    assert queue_url(FakeSqs([]), "fraud-dev-alert-dead-letter", urls) == "https://sqs/alert"
    with pytest.raises(OpsError, match="There is no queue alarm; there are alert"):
        queue_url(FakeSqs([]), "alarm", urls)
