"""What a stage dead-letters itself, in the form of Lambda's invocation records, so that one command redrives both."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import uuid4

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from mypy_boto3_s3 import S3Client

CONDITION: Final = "FunctionCrashed"
"""Why the record is dead-lettered; Lambda has no such condition."""


class StreamDeadLetters(Protocol):
    """Where a stage puts records of a stream."""

    def put(self, record: Mapping[str, Any], function_arn: str, crashes: int) -> None:
        """Store one record, whole."""
        ...


def invocation_record(function_arn: str, crashes: int, now: datetime) -> dict[str, Any]:
    """The part of an invocation record that does not depend on its source.

    Parameters
    ----------
    function_arn : str
        Of the function that the record crashed, as it was invoked.
    crashes : int
        How often it did, >= 1.
    now : datetime
        The clock, aware, UTC.
    """
    return {
        "requestContext": {
            "requestId": str(uuid4()),
            "functionArn": function_arn,
            "condition": CONDITION,
            "approximateInvokeCount": crashes,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


class BucketDeadLetters:
    """The stage's dead-letter bucket. A record that is put twice is one object.

    Parameters
    ----------
    connect : Callable
        Makes a low-level client of S3, when the first record is put: few processes ever need one.
    bucket : str
        The bucket's name in this environment.
    clock : Callable
        The time, aware, UTC.
    """

    def __init__(self, connect: Callable[[], S3Client], bucket: str, clock: Callable[[], datetime]) -> None:
        self._connect = connect
        self._bucket = bucket
        self._clock = clock

    def put(self, record: Mapping[str, Any], function_arn: str, crashes: int) -> None:
        """Store one record of a stream's event, whole; ClientError or BotoCoreError if that failed."""
        payload = msgspec.json.encode({"Records": [record]})
        body = invocation_record(function_arn, crashes, self._clock()) | {"payload": payload.decode()}
        # Access logs and notices show keys, so there is nothing of the payment in it; and a sequence number would be one of its shard alone.
        key = f"stage/{sha256(payload).hexdigest()}"
        self._connect().put_object(Bucket=self._bucket, Key=key, Body=msgspec.json.encode(body))
