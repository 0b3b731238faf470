"""Records that are not valid payments, put aside whole: in a queue, and in a bucket where a queue's message is too small."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

    from contract.scored import Position
    from score.delivery import Rejected

MAX_REQUEST_BYTES: Final = 200_000
"""Bodies of one request together. SQS took 256 KiB for long and takes 1 MiB now; consumers may expect the former."""
MAX_INLINE_BASE64: Final = 90_000
"""Larger keys and values stand in the bucket, so that both together fit into a message."""
MAX_ENTRIES: Final = 10
"""Entries of one `SendMessageBatch`."""


class QuarantinedRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """A quarantine message's body, as JSON."""

    topic: str
    partition: int
    offset: int
    appended_at_ms: int
    field: str
    """The field at fault; ``$`` for the record as a whole."""
    problem: str
    size_bytes: int
    key_base64: str | None = None
    key_uri: str | None = None
    value_base64: str | None = None
    """The record's value, whole; None for a null value, and where it stands in the bucket."""
    value_uri: str | None = None
    """``s3://`` place of the value where it is too large for a message."""


class Quarantine(Protocol):
    """The call that the stage makes."""

    def put(self, rejected: Sequence[Rejected]) -> set[Position]:
        """Put records aside; returns the positions of those that could not be."""
        ...


class SqsQuarantine:
    """The quarantine queue, with a bucket beside it.

    A redelivered record is put aside again: its position tells that it is the same.
    """

    def __init__(self, sqs: SQSClient, s3: S3Client, queue_url: str, bucket: str) -> None:
        self._sqs = sqs
        self._s3 = s3
        self._queue_url = queue_url
        self._bucket = bucket

    def put(self, rejected: Sequence[Rejected]) -> set[Position]:
        """Send all, ten a request and less where they are large.

        Returns
        -------
        set[Position]
            Those that could be put nowhere; to be delivered again.
        """
        failed: set[Position] = set()
        bodies: list[tuple[Position, str]] = []
        for record in rejected:
            try:
                bodies.append((record.position, self._body(record)))
            except (ClientError, BotoCoreError):
                failed.add(record.position)
        for group in _groups(bodies):
            failed |= self._send(group)
        return failed

    def _body(self, record: Rejected) -> str:
        position, value = record.position, record.value
        place = f"stream/{position.topic}/{position.partition}/{position.offset:020d}"
        value_base64, value_uri = self._placed(value, place)
        key_base64, key_uri = self._placed(record.key, f"{place}.key")
        body = QuarantinedRecord(
            topic=position.topic,
            partition=position.partition,
            offset=position.offset,
            appended_at_ms=record.appended_at_ms,
            field=record.field,
            problem=record.problem,
            size_bytes=0 if value is None else len(value),
            key_base64=key_base64,
            key_uri=key_uri,
            value_base64=value_base64,
            value_uri=value_uri,
        )
        return msgspec.json.encode(body).decode()

    def _placed(self, data: bytes | None, key: str) -> tuple[str | None, str | None]:
        """The data in base64, or its place in the bucket where it is too large for a message."""
        if data is None:
            return None, None
        text = b64encode(data).decode()
        if len(text) <= MAX_INLINE_BASE64:
            return text, None
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=data)
        return None, f"s3://{self._bucket}/{key}"

    def _send(self, group: Sequence[tuple[Position, str]]) -> set[Position]:
        entries: Any = [{"Id": str(index), "MessageBody": body} for index, (_, body) in enumerate(group)]
        try:
            answer = self._sqs.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
        except (ClientError, BotoCoreError):
            return {position for position, _ in group}
        return {group[int(failure["Id"])][0] for failure in answer.get("Failed", [])}


def _groups(bodies: Sequence[tuple[Position, str]]) -> Iterator[list[tuple[Position, str]]]:
    group: list[tuple[Position, str]] = []
    size = 0
    for position, body in bodies:
        if group and (len(group) == MAX_ENTRIES or size + len(body) > MAX_REQUEST_BYTES):
            yield group
            group, size = [], 0
        group.append((position, body))
        size += len(body)
    if group:
        yield group
