"""What Lambda sends to an SQS queue or stores in a bucket: records that a mapping dead-letters, and asynchronous events that failed.

The message of a mapping says where the records are in the source and does not hold them: "you can use the metadata to retrieve
them from the stream". An object in a bucket holds the whole event as well. The message of an asynchronous event is the event
itself, with the reason in its attributes.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

if TYPE_CHECKING:
    from local.event_sources.records import Discard
    from local.runtime.invocation import FunctionError

MAPPING_ID: Final = "00000000-0000-0000-0000-000000000001"
"""The mapping's id in the keys of its objects; a stack has a bucket for each mapping."""


class MessageQueue(Protocol):
    """The SQS call that is used."""

    def send_message(
        self,
        *,
        QueueUrl: str,  # noqa: N803 - SQS's names
        MessageBody: str,  # noqa: N803
        MessageAttributes: dict[str, Any] = ...,  # noqa: N803
    ) -> Any:
        """Send one message to a queue."""


class ObjectStore(Protocol):
    """The S3 call that is used."""

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> Any:  # noqa: N803 - S3's names
        """Store one object."""


def invocation_record(
    discard: Discard, function_arn: str, batch_info: dict[str, dict[str, Any]], now: datetime
) -> dict[str, Any]:
    """Make the document that Lambda sends.

    Parameters
    ----------
    discard : Discard
        The records, and why they are discarded.
    function_arn : str
        Of the function that could not process them.
    batch_info : dict[str, dict]
        ``DDBStreamBatchInfo`` or ``KafkaBatchInfo``: where the records are in the source.
    now : datetime
        The clock, aware.

    Returns
    -------
    dict
        As in the developer guide's example invocation record. ``responseContext`` is null if the function was never
        called, and has no ``functionError`` if the function named the records itself.
    """
    piece = discard.piece
    response: dict[str, Any] | None = None
    if piece.invocations:
        response = {"statusCode": 200, "executedVersion": "$LATEST"}
        if piece.error is not None:
            response["functionError"] = "Unhandled"
    return {
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": function_arn,
            "condition": discard.condition,
            "approximateInvokeCount": piece.invocations,
        },
        "responseContext": response,
        "version": "1.0",
        "timestamp": iso_milliseconds(now.timestamp()),
        **batch_info,
    }


class SqsDestination:
    """Sends invocation records to one SQS queue.

    Parameters
    ----------
    client : MessageQueue
        SQS.
    queue_url : str
        The stage's dead-letter queue.
    """

    def __init__(self, client: MessageQueue, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, record: dict[str, Any], origin: str, event: bytes) -> None:  # noqa: ARG002 - it is not sent
        """Send one invocation record; errors of the client are raised to the caller."""
        self._client.send_message(QueueUrl=self._queue_url, MessageBody=msgspec.json.encode(record).decode())

    def send_event(self, event: bytes, request_id: str, error: FunctionError) -> None:
        """Send an asynchronous event that failed for good; errors of the client are raised to the caller."""
        attributes = {
            "RequestID": request_id,
            "ErrorCode": "200",
            "ErrorMessage": error.message[:1000] or error.type,
        }
        self._client.send_message(
            QueueUrl=self._queue_url,
            MessageBody=event.decode(),
            MessageAttributes={
                name: {"DataType": "Number" if name == "ErrorCode" else "String", "StringValue": value}
                for name, value in attributes.items()
            },
        )


class BucketDestination:
    """Stores invocation records with their events in a bucket.

    Parameters
    ----------
    objects : ObjectStore
        S3.
    bucket : str
        The stage's bucket for dead letters.
    """

    def __init__(self, objects: ObjectStore, bucket: str) -> None:
        self._objects = objects
        self._bucket = bucket

    def send(self, record: dict[str, Any], origin: str, event: bytes) -> None:
        """Store one invocation record; errors of the clients are raised to the caller.

        Parameters
        ----------
        record : dict
            Made by :func:`invocation_record`.
        origin : str
            The shard.
        event : bytes
            What the function was invoked with, JSON; stored as text, as Lambda does.
        """
        time = record["timestamp"][:19].replace("-", "/").replace("T", "/").replace(":", "/")
        key = f"aws/lambda/{MAPPING_ID}/{origin}/{time}/{uuid.uuid4()}"
        body = msgspec.json.encode({**record, "payload": event.decode()})
        self._objects.put_object(Bucket=self._bucket, Key=key, Body=body)


def iso_milliseconds(at_s: float) -> str:
    """Format a time as Lambda does: UTC, milliseconds, with a ``Z``."""
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
