"""Redriving a dead-letter queue."""

from __future__ import annotations

import io
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from ops.dead_letters import Redrive, queue_url
from ops.errors import OpsError

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:fraud-dev-alert:live"
EVENT = '{"Records": [{"eventName": "INSERT", "dynamodb": {"SequenceNumber": "3"}}]}'


def letter(**fields: Any) -> bytes:
    context = {"functionArn": FUNCTION, "condition": "RecordAgeExceeded", "approximateInvokeCount": 11}
    return msgspec.json.encode({"requestContext": context, "responseContext": None, **fields})


def announced(key: str) -> str:
    detail = {"bucket": {"name": "dead"}, "object": {"key": key, "size": 7}}
    return msgspec.json.encode(
        {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}
    ).decode()


class FakeSqs:
    def __init__(self, bodies: list[str], sources: list[str] | None = None) -> None:
        self.waiting = [
            {
                "MessageId": f"m{i}",
                "ReceiptHandle": f"h{i}",
                "Body": body,
                "Attributes": {"SentTimestamp": "1772355600000"},
            }
            for i, body in enumerate(bodies)
        ]
        self.sources = sources or []
        self.deleted: list[str] = []
        self.sent: list[tuple[str, str]] = []
        self.given_back: list[str] = []

    def list_dead_letter_source_queues(self, **_: str) -> dict[str, Any]:
        return {"queueUrls": self.sources}

    def send_message(self, **call: Any) -> dict[str, Any]:
        self.sent.append((call["QueueUrl"], call["MessageBody"]))
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

    def get_queue_url(self, *, QueueName: str) -> dict[str, Any]:  # noqa: N803
        if QueueName == "fraud-dev-alert-dead-letter":
            return {"QueueUrl": "https://sqs/alert"}
        raise ClientError({"Error": {"Code": "QueueDoesNotExist", "Message": "no"}}, "GetQueueUrl")


class FakeS3:
    def __init__(self, **objects: bytes) -> None:
        self.objects = objects

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        assert Bucket == "dead"
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": ""}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[Key])}


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


def test_the_event_of_a_stored_letter_is_delivered_again_and_the_message_is_deleted() -> None:
    sqs, functions = FakeSqs([announced("a")]), FakeFunctions({"batchItemFailures": []})

    outcome = Redrive(sqs, FakeS3(a=letter(payload=EVENT)), functions).run("u")

    assert (outcome.put_back, outcome.kept) == (1, ())
    assert sqs.deleted == ["h0"]
    assert functions.events == [msgspec.json.decode(EVENT)]


def test_an_event_that_is_stored_as_an_object_is_delivered_too() -> None:
    functions = FakeFunctions({"batchItemFailures": []})

    Redrive(FakeSqs([announced("a")]), FakeS3(a=letter(payload=msgspec.json.decode(EVENT))), functions).run(
        "u"
    )

    assert functions.events == [msgspec.json.decode(EVENT)]


def test_a_message_stays_while_the_function_does_not_process_a_record() -> None:
    sqs = FakeSqs([announced("a")])
    functions = FakeFunctions({"batchItemFailures": [{"itemIdentifier": "2"}]})

    outcome = Redrive(sqs, FakeS3(a=letter(payload=EVENT)), functions).run("u")

    assert sqs.deleted == []
    assert outcome.kept == (f"message m0 stays: {FUNCTION} did not process 1 of its records",)


def test_messages_that_stay_can_be_put_back_again_at_once() -> None:
    sqs = FakeSqs([announced("a"), announced("gone"), announced("b")])
    s3 = FakeS3(a=letter(payload=EVENT), b=letter(payload=EVENT))

    outcome = Redrive(sqs, s3, FakeFunctions({"batchItemFailures": []})).run("u")

    assert (outcome.put_back, len(outcome.kept)) == (2, 1)
    assert sqs.given_back == ["h1"]


def test_a_message_stays_while_the_function_fails() -> None:
    functions = FakeFunctions(error="Unhandled")

    outcome = Redrive(FakeSqs([announced("a")]), FakeS3(a=letter(payload=EVENT)), functions).run("u")

    assert outcome.kept == (f"message m0 stays: {FUNCTION} failed again: Unhandled",)


def test_a_message_whose_object_is_deleted_stays_and_says_so() -> None:
    functions = FakeFunctions()

    outcome = Redrive(FakeSqs([announced("a")]), FakeS3(), functions).run("u")

    assert outcome.kept == ("message m0 stays: its object is deleted: s3://dead/a",)
    assert functions.events == []


def test_an_object_that_is_no_invocation_record_is_left() -> None:
    outcome = Redrive(FakeSqs([announced("a")]), FakeS3(a=b"rows"), FakeFunctions()).run("u")

    assert outcome.kept[0].startswith("message m0 stays: it is not an invocation record")


def test_an_asynchronous_invocation_is_made_again_with_its_own_event() -> None:
    body = {"requestContext": {"functionArn": FUNCTION, "condition": "x"}, "requestPayload": {"topics": []}}
    sqs, functions = FakeSqs([msgspec.json.encode(body).decode()]), FakeFunctions({})

    Redrive(sqs, FakeS3(), functions).run("u")

    assert functions.events == [{"topics": []}]
    assert sqs.deleted == ["h0"]


def test_records_of_kafka_are_named_and_left() -> None:
    info = {"recordsInfo": {"transaction_stream-3": {"firstRecordOffset": "1"}}}
    body = {"requestContext": {"functionArn": FUNCTION, "condition": "x"}, "KafkaBatchInfo": info}

    outcome = Redrive(FakeSqs([msgspec.json.encode(body).decode()]), FakeS3(), FakeFunctions()).run("u")

    assert "transaction_stream-3" in outcome.kept[0]
    assert "docs/runbooks/redrive-kafka.md" in outcome.kept[0]


def test_what_is_not_an_invocation_record_is_left() -> None:
    sqs = FakeSqs(["an alert in words"])

    outcome = Redrive(sqs, FakeS3(), FakeFunctions()).run("u")

    assert outcome.put_back == 0
    assert sqs.deleted == []
    assert outcome.kept[0].startswith("message m0 stays: it is not an invocation record")


def test_behind_a_queue_messages_are_moved_back_into_it() -> None:
    sqs = FakeSqs(["anything", "else"], sources=["https://sqs/source"])

    outcome = Redrive(sqs, FakeS3(), FakeFunctions()).run("u")

    assert sqs.sent == [("https://sqs/source", "anything"), ("https://sqs/source", "else")]
    assert sqs.deleted == ["h0", "h1"]
    assert outcome.put_back == 2


def test_a_queue_is_found_by_its_stage_and_by_its_name() -> None:
    urls = {"alert": "https://sqs/alert"}

    assert queue_url(FakeSqs([]), "alert", urls) == "https://sqs/alert"
    assert queue_url(FakeSqs([]), "fraud-dev-alert-dead-letter", urls) == "https://sqs/alert"
    with pytest.raises(OpsError, match="There is no queue alarm; there are alert"):
        queue_url(FakeSqs([]), "alarm", urls)
