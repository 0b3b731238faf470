"""Records that are not valid payments, quarantined whole but for card numbers: in a queue, and in a bucket where a message is too small."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from contract.card_masks import masked_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

    from contract.scored import Position
    from score.delivery import Rejected

MAX_REQUEST_BYTES: Final = 200_000
"""All bodies of one request together. SQS's limit was 256 KiB for long and is 1 MiB now; consumers may expect the former."""
MAX_INLINE_BASE64: Final = 90_000
"""Larger keys and values are put into the bucket, so that both together fit into a message. Characters of base64."""
MAX_ENTRIES: Final = 10
"""SQS's limit of entries in one `SendMessageBatch`."""


class QuarantinedRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """A quarantine message's body, as JSON."""

    topic: str
    partition: int
    offset: int
    appended_at_ms: int
    field: str
    """The invalid field; ``$`` for the record as a whole."""
    problem: str
    size_bytes: int
    """Of the value as it was sent."""
    key_base64: str | None = None
    key_uri: str | None = None
    value_base64: str | None = None
    """The record's whole value, card numbers masked; None for a null value, and for one in the bucket."""
    value_uri: str | None = None
    """``s3://`` address of a value that is too large for a message."""


class Quarantine(Protocol):
    """The call that the stage makes."""

    def put(self, rejected: Sequence[Rejected]) -> set[Position]:
        """Quarantine records; return the positions of those that could not be."""
        ...


class SqsQuarantine:
    """The quarantine queue, with its bucket.

    A redelivered record is quarantined again; its position shows that it is the same one.
    """

    def __init__(self, sqs: SQSClient, s3: S3Client, queue_url: str, bucket: str) -> None:
        self._sqs = sqs
        self._s3 = s3
        self._queue_url = queue_url
        self._bucket = bucket

    def put(self, rejected: Sequence[Rejected]) -> set[Position]:
        """Send all, ten a request, or fewer where they are large.

        Returns
        -------
        set[Position]
            Those that could not be quarantined; to be delivered again.
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
        stored = None if value is None else masked_record(value)
        key = f"stream/{position.topic}/{position.partition}/{position.offset:020d}"
        value_base64, value_uri = self._inline_or_uri(stored, key)
        key_base64, key_uri = self._inline_or_uri(record.key, f"{key}.key")
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

    def _inline_or_uri(self, data: bytes | None, key: str) -> tuple[str | None, str | None]:
        """The data in base64, or its address in the bucket where it is too large for a message."""
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
