"""Redrive a dead-letter queue: ``make redrive QUEUE=``.

A dead-letter queue holds one of three things. Behind a queue or a subscription it holds the messages themselves, and those of a
queue are moved back (:mod:`ops.moved_messages`). Behind the bucket for a stream's dead letters it holds EventBridge's events of
the objects there: invocation records with the event that failed, which is passed to the function again, however old it is. Behind
Kafka or an asynchronous call it holds invocation records. A message is deleted only when the function has processed all of its
records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from botocore.exceptions import ClientError

from ops.errors import OpsError
from ops.moved_messages import move_messages

if TYPE_CHECKING:
    from collections.abc import Iterator

Document = dict[str, Any]

VISIBILITY_SECONDS: Final = 300
"""How long a received message is hidden from others; longer than any function may run. One that stays in the queue is made
visible again at the end."""


class Queue(Protocol):
    """The calls that are made of SQS."""

    def list_dead_letter_source_queues(self, *, QueueUrl: str) -> Document:  # noqa: N803
        """List the queues whose dead-letter queue this is."""

    def receive_message(self, **arguments: Any) -> Document:
        """Receive messages and hide them for a while."""

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> Document:  # noqa: N803
        """Delete a message."""

    def change_message_visibility(self, **arguments: Any) -> Document:
        """Make a message visible again, or hide it longer."""

    def send_message(self, **arguments: Any) -> Document:
        """Send a message."""


class Bucket(msgspec.Struct, frozen=True):
    """The bucket of an announced object."""

    name: str


class Object(msgspec.Struct, frozen=True):
    """An announced object."""

    key: str


class CreatedObject(msgspec.Struct, frozen=True):
    """Where an announced object is."""

    bucket: Bucket
    object: Object


class RequestContext(msgspec.Struct, frozen=True, rename="camel"):
    """Which function did not process them, and why they were dead-lettered."""

    function_arn: str
    condition: str


class InvocationRecord(msgspec.Struct, frozen=True, rename="camel"):
    """What Lambda sends to an on-failure destination."""

    request_context: RequestContext
    payload: str | Document | None = None
    """The event that failed, as text; only in a bucket."""
    kafka_batch: Document | None = msgspec.field(name="KafkaBatchInfo", default=None)
    request_payload: Document | None = None
    """The event, if the invocation was asynchronous."""


class Message(msgspec.Struct, frozen=True):
    """A message of a dead-letter queue: an invocation record, or EventBridge's event of one that was stored in a bucket."""

    created: CreatedObject | None = msgspec.field(name="detail", default=None)


class NoObjectError(Exception):
    """The object of a dead letter is no longer in its bucket; names it."""

    def __init__(self, bucket: str, key: str) -> None:
        super().__init__(f"its object is deleted: s3://{bucket}/{key}")
        self.bucket = bucket
        self.key = key


class RedriveResult(msgspec.Struct, frozen=True):
    """What was done with the messages of a queue."""

    put_back: int
    """Messages whose records were all processed."""
    kept: tuple[str, ...]
    """A sentence for each message that stays in the queue."""


class Redrive:
    """Redrives one queue at a time.

    Parameters
    ----------
    sqs, s3, functions
        Clients of SQS, S3 and Lambda.
    """

    def __init__(self, sqs: Queue, s3: Any, functions: Any) -> None:
        self._sqs = sqs
        self._s3 = s3
        self._functions = functions

    def run(self, url: str) -> RedriveResult:
        """Put back each message that can be, and say why each other one stays.

        Parameters
        ----------
        url : str
            The dead-letter queue.
        """
        # SQS lists only queues as sources: neither subscriptions of SNS nor event source mappings.
        if sources := self._sqs.list_dead_letter_source_queues(QueueUrl=url).get("queueUrls"):
            return RedriveResult(move_messages(self._sqs, url, sources[0]), ())
        return self.replay(url)

    def replay(self, url: str) -> RedriveResult:
        """Put back what the invocation records of a mapping's queue name; `run` for a queue that is known to be a mapping's.

        Parameters
        ----------
        url : str
            The dead-letter queue.
        """
        put_back, kept, hidden = 0, [], []
        try:
            for message in self._messages(url):
                hidden.append(message["ReceiptHandle"])
                reason = self._put_back(message["Body"])
                if reason is None:
                    self._sqs.delete_message(QueueUrl=url, ReceiptHandle=hidden.pop())
                    put_back += 1
                else:
                    kept.append(f"message {message['MessageId']} stays: {reason}")
        finally:
            # Whoever fixes the cause and tries again at once must find them.
            for handle in hidden:
                self._sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
        return RedriveResult(put_back, tuple(kept))

    def _messages(self, url: str) -> Iterator[Document]:
        # The loop ends because a message that stays is hidden while we work.
        while True:
            received = self._sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=1, VisibilityTimeout=VISIBILITY_SECONDS, WaitTimeSeconds=1
            )
            messages = received.get("Messages", [])
            if not messages:
                return
            yield from messages

    def _put_back(self, body: str) -> str | None:
        record = self._record(body)
        if isinstance(record, str):
            return record
        function = record.request_context.function_arn
        event = record.request_payload if record.payload is None else record.payload
        if event is not None:
            return self._invoke(function, event)
        if record.kafka_batch is not None:
            places = ", ".join(sorted(record.kafka_batch.get("recordsInfo", {}))) or "no partition"
            return f"its records are in Kafka ({places}); docs/runbooks/redrive-kafka.md says how to reset the group to them"
        return "it does not name the positions of its records"

    def _record(self, body: str) -> InvocationRecord | str:
        """The invocation record of a message, or a sentence that says why there is none."""
        try:
            created = msgspec.json.decode(body, type=Message).created
            return msgspec.json.decode(
                body if created is None else self._stored(created), type=InvocationRecord
            )
        except msgspec.DecodeError:
            return "it is not an invocation record; decide by its content"
        except NoObjectError as error:
            return str(error)

    def _stored(self, created: CreatedObject) -> bytes:
        where = created.bucket.name, created.object.key
        try:
            content: bytes = self._s3.get_object(Bucket=where[0], Key=where[1])["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            raise NoObjectError(*where) from error
        return content

    def _invoke(self, function: str, event: str | Document) -> str | None:
        payload = event.encode() if isinstance(event, str) else msgspec.json.encode(event)
        answer = self._functions.invoke(FunctionName=function, Payload=payload)
        answered = answer["Payload"].read()
        if answer.get("FunctionError"):
            return f"{function} failed again: {answer['FunctionError']}"
        result = msgspec.json.decode(answered or b"null")
        failures = result.get("batchItemFailures", []) if isinstance(result, dict) else []
        return f"{function} did not process {len(failures)} of its records" if failures else None


def queue_url(sqs: Any, name: str, urls_by_stage: dict[str, str]) -> str:
    """Find a dead-letter queue by its own name or by its stage's.

    Parameters
    ----------
    sqs
        SQS's client.
    name : str
        As an alarm shows it, ``fraud-dev-alert-dead-letter``, or short, ``alert``.
    urls_by_stage : dict
        The root module's output ``dead_letter_queue_urls``.

    Raises
    ------
    OpsError
        If there is none; the message lists the known ones.
    """
    if name in urls_by_stage:
        return urls_by_stage[name]
    try:
        url: str = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in (
            "AWS.SimpleQueueService.NonExistentQueue",
            "QueueDoesNotExist",
        ):
            raise OpsError(f"The queue {name} cannot be read: {error}") from error
        raise OpsError(
            f"There is no queue {name}; there are {', '.join(sorted(urls_by_stage)) or 'none'}."
        ) from error
    return url
