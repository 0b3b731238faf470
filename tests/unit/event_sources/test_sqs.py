"""A queue's mapping with a queue and a function that the test makes: what is delivered, deleted, and left to come again."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError

from local.event_sources.source import SourceUnavailableError
from local.event_sources.sqs import QueueMapping
from local.runtime.invocation import FunctionError, InvocationResult
from ops.manifests import QueueTrigger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

QUEUE_ARN = "arn:aws:sqs:us-east-1:000000000000:labels"
WAIT_SECONDS = 30.0


class Queue:
    """Gives each of its answers to one request, then nothing; keeps what is deleted."""

    def __init__(self, *answers: Sequence[dict[str, Any]]) -> None:
        self.requests: list[dict[str, Any]] = []
        self.deleted: list[str] = []
        self.refused: set[str] = set()
        self.is_unavailable = False
        self._answers = list(answers)
        self._messages = sum(map(len, answers))

    def receive_message(self, **arguments: Any) -> dict[str, Any]:
        if self.is_unavailable:
            raise EndpointConnectionError(endpoint_url="http://sqs")
        self.requests.append(arguments)
        if self._answers:
            return {"Messages": self._answers.pop(0)}
        time.sleep(0.01)
        return {}

    def delete_message_batch(self, **arguments: Any) -> dict[str, Any]:
        failed = []
        for entry in arguments["Entries"]:
            if entry["ReceiptHandle"] in self.refused:
                failed.append({"Id": entry["Id"], "Code": "ReceiptHandleIsInvalid"})
            else:
                self.deleted.append(entry["ReceiptHandle"])
        return {"Failed": failed}

    def get_queue_attributes(self, **_: Any) -> dict[str, Any]:
        if self.is_unavailable:
            raise EndpointConnectionError(endpoint_url="http://sqs")
        return {"Attributes": {"ApproximateNumberOfMessages": str(self._messages - len(self.deleted))}}


def message(number: int, receives: int = 1, **changes: Any) -> dict[str, Any]:
    """Make a message as boto3 gives it, with the id ``m<number>`` and the receipt handle ``r<number>``."""
    return {
        "MessageId": f"m{number}",
        "ReceiptHandle": f"r{number}",
        "Body": json.dumps({"number": number}),
        "MD5OfBody": "md5",
        "Attributes": {"ApproximateReceiveCount": str(receives), "SentTimestamp": "1"},
    } | changes


class Function:
    """Answers as the test says, and keeps the events."""

    def __init__(
        self, answer: Callable[[dict[str, Any]], object] | None = None, error: str | None = None
    ) -> None:
        self.events: list[dict[str, Any]] = []
        self._answer = answer
        self._error = None if error is None else FunctionError("ValueError", error)
        self._lock = threading.Lock()

    def __call__(self, event: bytes) -> InvocationResult:
        document = json.loads(event)
        with self._lock:
            self.events.append(document)
        payload = json.dumps(None if self._answer is None else self._answer(document)).encode()
        return InvocationResult(request_id="1", payload=payload, error=self._error, duration_ms=1.0)


@contextmanager
def _running(queue: Queue, function: Function, **changes: Any) -> Iterator[QueueMapping]:
    values: dict[str, Any] = {
        "queue": "labels",
        "batch_size": 10,
        "batch_window_seconds": 0,
        "maximum_concurrency": 2,
        "report_batch_item_failures": True,
        "maximum_receives": 3,
    }
    visibility_seconds = changes.pop("visibility_seconds", None)
    mapping = QueueMapping(
        QueueTrigger(**values | changes),
        queue,
        "http://sqs/labels",
        QUEUE_ARN,
        function,
        2,
        visibility_seconds=visibility_seconds,
    )
    mapping.start()
    try:
        yield mapping
    finally:
        mapping.stop()


def _wait(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def test_messages_are_delivered_as_lambda_writes_them_and_deleted_when_they_succeed() -> None:
    attribute = {"StringValue": "console", "DataType": "String"}
    queue = Queue([message(1, MessageAttributes={"sender": attribute}), message(2)])
    function = Function()

    with _running(queue, function) as mapping:
        _wait(lambda: len(queue.deleted) == 2)

    (event,) = function.events
    assert event["Records"][0] == {
        "messageId": "m1",
        "receiptHandle": "r1",
        "body": '{"number": 1}',
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1"},
        "messageAttributes": {
            "sender": {
                "stringValue": "console",
                "dataType": "String",
                "stringListValues": [],
                "binaryListValues": [],
            }
        },
        "md5OfBody": "md5",
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE_ARN,
        "awsRegion": "us-east-1",
    }
    assert mapping.counters.records == 2
    assert mapping.counters.batches == 1


def test_only_the_messages_that_the_function_names_stay_in_the_queue() -> None:
    queue = Queue([message(1), message(2), message(3)])
    function = Function(lambda _: {"batchItemFailures": [{"itemIdentifier": "m2"}]})

    with _running(queue, function) as mapping:
        _wait(lambda: mapping.counters.partial_failures == 1)

    assert queue.deleted == ["r1", "r3"]
    assert mapping.counters.records == 2


@pytest.mark.parametrize(
    "function",
    [
        Function(error="as requested"),
        Function(lambda _: {"batchItemFailures": [{"itemIdentifier": "nobody"}]}),
        Function(lambda _: {"batchItemFailures": [{"itemIdentifier": ""}]}),
    ],
)
def test_no_message_is_deleted_if_the_invocation_fails_or_names_a_message_that_was_not_in_it(
    function: Function,
) -> None:
    queue = Queue([message(1), message(2)])

    with _running(queue, function) as mapping:
        _wait(lambda: mapping.counters.failures == 1)

    assert queue.deleted == []
    assert mapping.counters.records == 0
    assert mapping.last_error


def test_without_partial_failures_an_answer_names_nothing() -> None:
    queue = Queue([message(1)])
    function = Function(lambda _: {"batchItemFailures": [{"itemIdentifier": "m1"}]})

    with _running(queue, function, report_batch_item_failures=False):
        _wait(lambda: queue.deleted == ["r1"])


def test_a_window_gathers_the_messages_of_several_requests_up_to_the_batch_size() -> None:
    queue = Queue([message(number) for number in range(10)], [message(10), message(11)], [message(12)])
    function = Function()

    with _running(queue, function, batch_size=12, batch_window_seconds=300):
        _wait(lambda: function.events)

    sizes = [len(event["Records"]) for event in function.events]
    asked = [request["MaxNumberOfMessages"] for request in queue.requests[:2]]
    assert sizes[0] == 12
    assert asked == [10, 2]


def test_a_delivery_of_a_message_that_was_delivered_before_counts_as_a_retry() -> None:
    queue = Queue([message(1, receives=2)])

    with _running(queue, Function()) as mapping:
        _wait(lambda: mapping.counters.records == 1)

    assert mapping.counters.retries == 1


def test_a_message_that_sqs_does_not_delete_is_reported_and_not_counted() -> None:
    queue = Queue([message(1), message(2)])
    queue.refused = {"r1"}

    with _running(queue, Function()) as mapping:
        _wait(lambda: mapping.counters.batches == 1)

    assert queue.deleted == ["r2"]
    assert mapping.counters.records == 1
    assert "a message was not deleted: ReceiptHandleIsInvalid" in str(mapping.last_error)


def test_the_queue_decides_how_long_a_message_is_hidden_unless_time_is_compressed() -> None:
    usual, compressed = Queue([message(1)]), Queue([message(1)])

    with _running(usual, Function()):
        _wait(lambda: usual.deleted)
    with _running(compressed, Function(), visibility_seconds=2):
        _wait(lambda: compressed.deleted)

    assert "VisibilityTimeout" not in usual.requests[0]
    assert compressed.requests[0]["VisibilityTimeout"] == 2


def test_it_is_idle_once_the_queue_is_counted_empty_and_not_while_a_failed_message_waits() -> None:
    queue = Queue([message(1)])
    function = Function(lambda _: {"batchItemFailures": [{"itemIdentifier": "m1"}]})

    with _running(queue, function) as mapping:
        _wait(lambda: mapping.counters.partial_failures == 1)
        waiting = mapping.backlog(), mapping.is_idle()
        queue.deleted.append("r1")
        done = mapping.backlog(), mapping.is_idle()

    assert waiting == (1, False)
    assert done == (0, True)


def test_an_unavailable_queue_is_reported_and_asked_again() -> None:
    queue = Queue([message(1)])
    queue.is_unavailable = True

    with _running(queue, Function()) as mapping:
        _wait(lambda: mapping.last_error)
        with pytest.raises(SourceUnavailableError, match="http://sqs/labels"):
            mapping.backlog()
        queue.is_unavailable = False
        _wait(lambda: queue.deleted == ["r1"])
