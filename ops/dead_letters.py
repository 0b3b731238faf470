"""Redrive a dead-letter queue: ``make redrive QUEUE=``.

A dead-letter queue holds one of two things. Behind a queue or a subscription it holds the messages themselves, and SQS
moves them back. As the on-failure destination of an event source mapping it holds invocation records. These name the
positions of records in a stream, without their content. The records are read from the stream again and passed to the
function. A message is deleted only when the function has processed all of its records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from botocore.exceptions import ClientError

from ops.errors import OpsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Document = dict[str, Any]

VISIBILITY_SECONDS: Final = 300
"""How long a received message is hidden from others; longer than any function may run. One that stays in the queue is made
visible again at the end."""

BATCH: Final = 100
"""Stream records in one invocation. Lambda's limit is 6 MB; an item has 400 kB at most, and about 2 kB here."""

EMPTY_PAGES: Final = 20
"""Empty pages in a row after which a shard is considered read. An open shard has no last page, and one empty page proves nothing."""


class Queue(Protocol):
    """The calls that are made of SQS."""

    def list_dead_letter_source_queues(self, *, QueueUrl: str) -> Document:  # noqa: N803
        """List the queues whose dead-letter queue this is."""

    def start_message_move_task(self, *, SourceArn: str) -> Document:  # noqa: N803
        """Move all messages back to the queue they came from."""

    def receive_message(self, **arguments: Any) -> Document:
        """Receive messages and hide them for a while."""

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> Document:  # noqa: N803
        """Delete a message."""

    def change_message_visibility(self, **arguments: Any) -> Document:
        """Make a message visible again, or hide it longer."""

    def get_queue_attributes(self, **arguments: Any) -> Document:
        """Read settings and counts of the queue."""


class StreamBatch(msgspec.Struct, frozen=True, rename="camel"):
    """The positions of records in a table's stream."""

    shard_id: str
    start_sequence_number: str
    end_sequence_number: str
    batch_size: int
    stream_arn: str


class RequestContext(msgspec.Struct, frozen=True, rename="camel"):
    """Which function did not process them, and why they were dead-lettered."""

    function_arn: str
    condition: str


class InvocationRecord(msgspec.Struct, frozen=True, rename="camel"):
    """What Lambda sends to an on-failure destination."""

    request_context: RequestContext
    stream_batch: StreamBatch | None = msgspec.field(name="DDBStreamBatchInfo", default=None)
    kafka_batch: Document | None = msgspec.field(name="KafkaBatchInfo", default=None)
    request_payload: Document | None = None
    """The event, if the invocation was asynchronous."""


class RedriveResult(msgspec.Struct, frozen=True):
    """What was done with the messages of a queue."""

    put_back: int
    """Messages whose records were all processed."""
    kept: tuple[str, ...]
    """A sentence for each message that stays in the queue."""


def stream_events(records: Iterable[Document], stream_arn: str) -> list[Document]:
    """Give records of the streams API the form in which Lambda passes them to a function.

    Parameters
    ----------
    records : iterable of dict
        As `GetRecords` returns them.
    stream_arn : str
        Of the stream that they are from.
    """
    events = []
    for record in records:
        change = dict(record["dynamodb"])
        if "ApproximateCreationDateTime" in change:
            change["ApproximateCreationDateTime"] = change["ApproximateCreationDateTime"].timestamp()
        names = ("eventID", "eventName", "eventVersion", "eventSource", "awsRegion")
        kept = {name: record[name] for name in names if name in record}
        events.append(kept | {"dynamodb": change, "eventSourceARN": stream_arn})
    return events


class Redrive:
    """Redrives one queue at a time.

    Parameters
    ----------
    sqs, streams, functions
        Clients of SQS, DynamoDB Streams and Lambda.
    """

    def __init__(self, sqs: Queue, streams: Any, functions: Any) -> None:
        self._sqs = sqs
        self._streams = streams
        self._functions = functions

    def run(self, url: str) -> RedriveResult:
        """Put back each message that can be, and say why each other one stays.

        Parameters
        ----------
        url : str
            The dead-letter queue.
        """
        # SQS lists only queues as sources: neither subscriptions of SNS nor event source mappings.
        if self._sqs.list_dead_letter_source_queues(QueueUrl=url).get("queueUrls"):
            names = ["QueueArn", "ApproximateNumberOfMessages"]
            attributes = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            self._sqs.start_message_move_task(SourceArn=attributes["QueueArn"])
            return RedriveResult(int(attributes["ApproximateNumberOfMessages"]), ())
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
        try:
            record = msgspec.json.decode(body, type=InvocationRecord)
        except msgspec.DecodeError:
            return "it is not an invocation record; decide by its content"
        function = record.request_context.function_arn
        if record.request_payload is not None:
            return self._invoke(function, record.request_payload)
        if record.stream_batch is not None:
            return self._replay(function, record.stream_batch)
        if record.kafka_batch is not None:
            places = ", ".join(sorted(record.kafka_batch.get("recordsInfo", {}))) or "no partition"
            return f"its records are in Kafka ({places}); docs/runbooks/redrive-kafka.md says how to reset the group to them"
        return "it does not name the positions of its records"

    def _replay(self, function: str, batch: StreamBatch) -> str | None:
        try:
            records = list(self._read(batch))
        except ClientError as error:
            if error.response["Error"]["Code"] in ("TrimmedDataAccessException", "ResourceNotFoundException"):
                return "the stream no longer has its records (24 hours); the rows are in the table"
            raise
        if len(records) < batch.batch_size:
            return f"the stream has {len(records)} of its {batch.batch_size} records"
        for start in range(0, len(records), BATCH):
            event = {"Records": stream_events(records[start : start + BATCH], batch.stream_arn)}
            reason = self._invoke(function, event)
            if reason is not None:
                return reason
        return None

    def _read(self, batch: StreamBatch) -> Iterator[Document]:
        iterator = self._streams.get_shard_iterator(
            StreamArn=batch.stream_arn,
            ShardId=batch.shard_id,
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=batch.start_sequence_number,
        )["ShardIterator"]
        last = int(batch.end_sequence_number)
        empty_pages = 0
        while iterator and empty_pages < EMPTY_PAGES:
            page = self._streams.get_records(ShardIterator=iterator)
            for record in page["Records"]:
                if int(record["dynamodb"]["SequenceNumber"]) > last:
                    return
                yield record
                if int(record["dynamodb"]["SequenceNumber"]) == last:
                    return
            empty_pages = 0 if page["Records"] else empty_pages + 1
            iterator = page.get("NextShardIterator")

    def _invoke(self, function: str, event: Document) -> str | None:
        answer = self._functions.invoke(FunctionName=function, Payload=msgspec.json.encode(event))
        payload = answer["Payload"].read()
        if answer.get("FunctionError"):
            return f"{function} failed again: {answer['FunctionError']}"
        result = msgspec.json.decode(payload or b"null")
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
