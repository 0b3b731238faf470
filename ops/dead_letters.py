"""What a stage gave up, put back: ``make redrive QUEUE=``.

A dead-letter queue holds one of two things. Behind a queue or a subscription it holds the messages themselves, and SQS
moves them back. As an event source mapping's on-failure destination it holds invocation records, which say where the
records stand in their stream and not what they say: those are read from the stream again and given to the function, and
the message goes only when the function has taken all of them.
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
"""How long a message is ours; longer than any function may run. One that stays is given back when the work is over."""

BATCH: Final = 100
"""Stream records in one invocation; Lambda takes 6 MB, an item is 400 kB at most and some 2 kB in fact."""


EMPTY_PAGES: Final = 20
"""In a row, after which a shard is taken to have nothing more; an open one never says so, and one empty page means nothing."""


class Queue(Protocol):
    """The calls of SQS that are made."""

    def list_dead_letter_source_queues(self, *, QueueUrl: str) -> Document:  # noqa: N803
        """Name the queues that this one is behind."""

    def start_message_move_task(self, *, SourceArn: str) -> Document:  # noqa: N803
        """Move everything back to where it came from."""

    def receive_message(self, **arguments: Any) -> Document:
        """Take messages for a while."""

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> Document:  # noqa: N803
        """Remove a message."""

    def change_message_visibility(self, **arguments: Any) -> Document:
        """Give a message back, or keep it longer."""

    def get_queue_attributes(self, **arguments: Any) -> Document:
        """Tell of the queue."""


class StreamBatch(msgspec.Struct, frozen=True, rename="camel"):
    """Where records of a table's stream stand."""

    shard_id: str
    start_sequence_number: str
    end_sequence_number: str
    batch_size: int
    stream_arn: str


class RequestContext(msgspec.Struct, frozen=True, rename="camel"):
    """Who would not take them, and why they were given up."""

    function_arn: str
    condition: str


class InvocationRecord(msgspec.Struct, frozen=True, rename="camel"):
    """What Lambda sends to an on-failure destination."""

    request_context: RequestContext
    stream_batch: StreamBatch | None = msgspec.field(name="DDBStreamBatchInfo", default=None)
    kafka_batch: Document | None = msgspec.field(name="KafkaBatchInfo", default=None)
    request_payload: Document | None = None
    """The event itself, of an asynchronous invocation."""


class Outcome(msgspec.Struct, frozen=True):
    """What became of a queue."""

    put_back: int
    """Messages whose records were all taken."""
    kept: tuple[str, ...]
    """A sentence for each message that stays in the queue."""


def stream_events(records: Iterable[Document], stream_arn: str) -> list[Document]:
    """Dress records of the streams API as Lambda gives them to a function.

    Parameters
    ----------
    records : iterable of dict
        As `GetRecords` gives them.
    stream_arn : str
        Whose they are.
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
    """Put one queue's messages back.

    Parameters
    ----------
    sqs, streams, functions
        Clients of SQS, DynamoDB Streams and Lambda.
    """

    def __init__(self, sqs: Queue, streams: Any, functions: Any) -> None:
        self._sqs = sqs
        self._streams = streams
        self._functions = functions

    def run(self, url: str) -> Outcome:
        """Put back what can be, and say of the rest why it stays.

        Parameters
        ----------
        url : str
            The dead-letter queue.
        """
        # SQS knows who sends here only of queues; a subscription of SNS is not among them, and neither is a mapping.
        if self._sqs.list_dead_letter_source_queues(QueueUrl=url).get("queueUrls"):
            wanted = ["QueueArn", "ApproximateNumberOfMessages"]
            told = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"]
            self._sqs.start_message_move_task(SourceArn=told["QueueArn"])
            return Outcome(int(told["ApproximateNumberOfMessages"]), ())
        return self.replay(url)

    def replay(self, url: str) -> Outcome:
        """Put back what the invocation records in a mapping's queue name; as `run`, where it is known to be one.

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
            # Whoever mends the cause and tries again at once must find them.
            for handle in hidden:
                self._sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
        return Outcome(put_back, tuple(kept))

    def _messages(self, url: str) -> Iterator[Document]:
        # A message that stays is hidden while we work, so that this ends.
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
            return "it is no invocation record; whoever knows what it is decides"
        function = record.request_context.function_arn
        if record.request_payload is not None:
            return self._invoke(function, record.request_payload)
        if record.stream_batch is not None:
            return self._replay(function, record.stream_batch)
        if record.kafka_batch is not None:
            places = ", ".join(sorted(record.kafka_batch.get("recordsInfo", {}))) or "no partition"
            return f"its records stand in Kafka ({places}); docs/runbooks/redrive-kafka.md says how the group goes back to them"
        return "it does not say where its records stand"

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
        taken = msgspec.json.decode(payload or b"null")
        failures = taken.get("batchItemFailures", []) if isinstance(taken, dict) else []
        return f"{function} did not take {len(failures)} of its records" if failures else None


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
        Where there is none; it names those that there are.
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
