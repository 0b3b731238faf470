"""Invocation records, compared with the examples in "Retain discarded records" and "Capturing discarded batches" of the guide."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from unittest.mock import Mock

from local.event_sources.destination import BucketDestination, SqsDestination, invocation_record
from local.event_sources.records import Discard, Piece
from local.runtime.invocation import FunctionError
from tests.unit.event_sources.factories import records

NOW = datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC)
ARN = "arn:aws:lambda:us-east-1:000000000000:function:score"


def _record(**piece: Any) -> dict[str, Any]:
    discard = Discard(Piece(tuple(records(1, 2)), **piece), "RetryAttemptsExhausted")
    return invocation_record(discard, ARN, {"DDBStreamBatchInfo": {"batchSize": 2}}, NOW)


def test_a_record_says_why_when_and_how_often() -> None:
    written = _record(invocations=4, error=FunctionError("ValueError", "bad"))

    request_id = written["requestContext"].pop("requestId")
    assert len(request_id) == 36
    assert written == {
        "requestContext": {
            "functionArn": ARN,
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 4,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": "2026-01-02T03:04:05.678Z",
        "DDBStreamBatchInfo": {"batchSize": 2},
    }


def test_records_that_the_function_named_itself_have_no_function_error() -> None:
    assert _record(invocations=1)["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}


def test_without_an_invocation_there_is_no_response() -> None:
    """ResponseContext: null if record is MaximumPayloadSizeExceeded."""
    assert _record()["responseContext"] is None


def test_the_queue_gets_it_as_json() -> None:
    queue = Mock()

    SqsDestination(queue, "http://127.0.0.1/dead").send({"version": "1.0"}, "topic-0", b"{}")

    queue.send_message.assert_called_once_with(
        QueueUrl="http://127.0.0.1/dead", MessageBody=json.dumps({"version": "1.0"}, separators=(",", ":"))
    )


def test_the_bucket_gets_the_event_too() -> None:
    objects = Mock()
    event = b'{"Records": [{"eventName": "INSERT"}]}'

    BucketDestination(objects, "dead").send(_record(invocations=1), "shardId-7", event)

    stored = objects.put_object.call_args.kwargs
    assert stored["Bucket"] == "dead"
    assert stored["Key"].startswith("aws/lambda/")
    assert "/shardId-7/2026/01/02/03/04/05/" in stored["Key"]
    content = json.loads(stored["Body"])
    assert content["payload"] == event.decode()
    assert content["DDBStreamBatchInfo"] == {"batchSize": 2}
