"""The event source mapping of an SQS queue: polls messages, invokes the function with them, and deletes those that succeeded.

A queue has no order and no positions. A message that the function fails, or whose invocation fails, stays in the queue, hidden for the
queue's visibility time-out, and comes again. After as many deliveries as the queue's redrive policy allows, SQS itself moves it to the
dead-letter queue. Lambda's developer guide, "Using Lambda with Amazon SQS", says the same of AWS.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from local.event_sources.dispatcher import Dispatcher
from local.event_sources.records import MAX_BATCH_BYTES, Batch, Piece, QueueKey, SourceRecord
from local.event_sources.response import read_delivery_result
from local.event_sources.source import SourceUnavailableError
from local.runtime.pool import PoolStoppedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.runtime.invocation import InvocationResult
    from ops.manifests import QueueTrigger

POLL_SECONDS: Final = 1
"""How long a request waits for messages; Lambda's pollers wait 20 s, which would delay the end of the stack."""

MAX_MESSAGES: Final = 10
"""Most messages of one request to SQS, to receive or to delete them."""

MAX_RECEIVED_BYTES: Final = MAX_MESSAGES * 256 * 1024
"""Most that one request may add to a batch: SQS takes messages of 256 KiB."""

UNAVAILABLE_SECONDS: Final = 1.0
"""Delay before the queue is asked again after an error."""

Message = dict[str, Any]
"""A message as boto3 gives it."""


class Queue(Protocol):
    """The calls that are made of SQS."""

    def receive_message(self, **arguments: Any) -> dict[str, Any]:
        """Receive messages and hide them for a while."""

    def delete_message_batch(self, **arguments: Any) -> dict[str, Any]:
        """Delete messages that are done."""

    def get_queue_attributes(self, **arguments: Any) -> dict[str, Any]:
        """Count the messages."""


class QueueMapping(Dispatcher):
    """Deliver messages from a queue to a function, until :meth:`stop`.

    Parameters
    ----------
    trigger : QueueTrigger
        Batch size, window, partial failures.
    sqs : Queue
        SQS.
    queue_url : str
        The queue; its visibility time-out and its redrive policy are its own.
    queue_arn : str
        In the events.
    invoke : Callable[[bytes], InvocationResult]
        The function.
    max_concurrency : int
        Most invocations at a time, >= 1.
    visibility_seconds : int | None
        Instead of the queue's visibility time-out, where time is compressed.
    clock : Callable[[], float]
        Seconds of any clock that does not run backwards.
    """

    def __init__(
        self,
        trigger: QueueTrigger,
        sqs: Queue,
        queue_url: str,
        queue_arn: str,
        invoke: Callable[[bytes], InvocationResult],
        max_concurrency: int,
        *,
        visibility_seconds: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(max_concurrency)
        self._trigger = trigger
        self._sqs = sqs
        self._queue_url = queue_url
        self._queue_arn = queue_arn
        self._invoke = invoke
        self._hidden = {} if visibility_seconds is None else {"VisibilityTimeout": visibility_seconds}
        self._clock = clock
        self._left: int | None = None
        """Messages in the queue when it was last counted; None if something was received since."""
        self._received = 0

    def backlog(self) -> int:
        """Count the messages that are not deleted: visible, hidden and delayed; SourceUnavailableError if SQS does not answer."""
        with self._changed:
            received = self._received
        kinds = ("", "NotVisible", "Delayed")
        names = [f"ApproximateNumberOfMessages{kind}" for kind in kinds]
        try:
            answer = self._sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=names)
        except (BotoCoreError, ClientError) as error:
            raise SourceUnavailableError(f"{self._queue_url}: {error}") from error
        left = sum(int(answer["Attributes"].get(name, 0)) for name in names)
        with self._changed:
            if received == self._received:
                self._left = left
        return left

    def is_idle(self) -> bool:
        """Return whether nothing is in flight, and the queue was empty when it was last counted."""
        with self._changed:
            return self._in_flight == 0 and self._left == 0

    def _dispatch(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopping or not self._is_busy())
                if self._stopping:
                    return
            if messages := self._collect():
                with self._changed:
                    self._submit(self._deliver, messages)

    def _collect(self) -> list[Message]:
        """Receive a batch: what one request brings, or with a window what comes within it, up to the batch size."""
        messages = self._receive(self._trigger.batch_size)
        until = self._clock() + self._trigger.batch_window_seconds
        while messages and not self._stopping and self._clock() < until:
            left = self._trigger.batch_size - len(messages)
            if not left or sum(map(_bytes, messages)) > MAX_BATCH_BYTES - MAX_RECEIVED_BYTES:
                break
            messages += self._receive(left)
        return messages

    def _receive(self, count: int) -> list[Message]:
        try:
            answer = self._sqs.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=min(count, MAX_MESSAGES),
                WaitTimeSeconds=POLL_SECONDS,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
                **self._hidden,
            )
        except (BotoCoreError, ClientError) as error:
            self.report(f"{self._queue_url}: {error}")
            with self._changed:
                self._changed.wait_for(lambda: self._stopping, UNAVAILABLE_SECONDS)
            return []
        messages: list[Message] = answer.get("Messages", [])
        if messages:
            with self._changed:
                self._received += 1
                self._left = None
        return messages

    def _deliver(self, messages: list[Message]) -> None:
        batch = Batch(tuple(Piece((self._record(message),)) for message in messages))
        event = b'{"Records":[' + b",".join(record.document for record in batch.records) + b"]}"
        try:
            invocation = self._invoke(event)
        except PoolStoppedError:
            return  # the stack stops; the messages stay in the queue
        result = read_delivery_result(
            invocation,
            batch,
            report_batch_item_failures=self._trigger.report_batch_item_failures,
            locate=lambda message_id, batch: batch.find(message_id),
        )
        if result.error is not None:
            self.report(f"{result.error.type}: {result.error.message}")
            done: list[Message] = []
        else:
            done = [message for message in messages if QueueKey(message["MessageId"]) not in result.failed]
        deleted = self._delete(done)
        with self._changed:
            self._count(result, deleted, is_retry=any(_receives(message) > 1 for message in messages))

    def _delete(self, messages: list[Message]) -> int:
        """Delete messages that are done; one that cannot be deleted is delivered again."""
        deleted = 0
        for first in range(0, len(messages), MAX_MESSAGES):
            some = messages[first : first + MAX_MESSAGES]
            entries = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(some)
            ]
            try:
                answer = self._sqs.delete_message_batch(QueueUrl=self._queue_url, Entries=entries)
            except (BotoCoreError, ClientError) as error:
                self.report(f"{self._queue_url}: {error}")
                continue
            for failed in answer.get("Failed", []):
                self.report(f"{self._queue_url}: a message was not deleted: {failed.get('Code')}")
            deleted += len(entries) - len(answer.get("Failed", []))
        return deleted

    def _record(self, message: Message) -> SourceRecord:
        """Make of a message what Lambda puts into the event; each is a queue of its own, since none waits for another."""
        attributes = {name: _camel(value) for name, value in message.get("MessageAttributes", {}).items()}
        document = {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": attributes,
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._queue_arn,
            "awsRegion": self._queue_arn.split(":")[3],
        }
        return SourceRecord(
            queue=QueueKey(message["MessageId"]),
            position=0,
            identifier=message["MessageId"],
            arrived_at_s=0.0,
            document=msgspec.json.encode(document),
        )


def _camel(attribute: dict[str, Any]) -> dict[str, Any]:
    """Write an attribute's members as Lambda does: ``stringValue`` for SQS's ``StringValue``."""
    lists: dict[str, Any] = {"stringListValues": [], "binaryListValues": []}
    return lists | {f"{name[0].lower()}{name[1:]}": value for name, value in attribute.items()}


def _bytes(message: Message) -> int:
    return len(message["Body"].encode())


def _receives(message: Message) -> int:
    return int(message.get("Attributes", {}).get("ApproximateReceiveCount", 1))
