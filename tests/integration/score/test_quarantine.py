"""The quarantine on the emulator's SQS and S3: records of any content and size stay whole."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from contract.scored import Position
from score.delivery import Rejected
from score.quarantine import QuarantinedRecord, SqsQuarantine

if TYPE_CHECKING:
    from collections.abc import Callable


class Bench:
    """A quarantine with a queue and a bucket of its own."""

    def __init__(self, aws_client: Callable[[str], Any], unique_name: Callable[[str], str]) -> None:
        self.sqs, self.s3 = aws_client("sqs"), aws_client("s3")
        self.queue_url = self.sqs.create_queue(QueueName=unique_name("quarantine"))["QueueUrl"]
        self.bucket = unique_name("quarantine")
        self.s3.create_bucket(Bucket=self.bucket)
        self.quarantine = SqsQuarantine(self.sqs, self.s3, self.queue_url, self.bucket)

    def received(self) -> list[QuarantinedRecord]:
        """All messages, by offset."""
        records = []
        while messages := self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in messages:
                records.append(msgspec.json.decode(message["Body"], type=QuarantinedRecord))
                self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return sorted(records, key=lambda record: record.offset)

    def value(self, record: QuarantinedRecord) -> bytes | None:
        if record.value_uri is None:
            return None if record.value_base64 is None else b64decode(record.value_base64)
        key = record.value_uri.removeprefix(f"s3://{self.bucket}/")
        body: bytes = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body


@pytest.fixture
def bench(aws_client: Callable[[str], Any], unique_name: Callable[[str], str]) -> Bench:
    return Bench(aws_client, unique_name)


def rejected(offset: int, value: bytes | None, key: bytes | None = b"user") -> Rejected:
    return Rejected(Position("transaction_stream", 1, offset), 1_790_000_000_000, "$", "not JSON", key, value)


def test_records_of_any_content_are_quarantined_whole(bench: Bench) -> None:
    values = [b"", None, b"\xff\x00\xed\xa0\x80", b"{" * 1000, bytes(range(256)) * 4096, b"x" * 70_000]
    records = [rejected(offset, value) for offset, value in enumerate(values)]

    failed = bench.quarantine.put(records)

    kept = bench.received()
    assert failed == set()
    assert [bench.value(record) for record in kept] == values
    assert [record.size_bytes for record in kept] == [len(value or b"") for value in values]
    assert {(record.topic, record.partition, record.field, record.problem) for record in kept} == {
        ("transaction_stream", 1, "$", "not JSON")
    }


def test_more_records_than_a_request_holds_are_all_quarantined(bench: Bench) -> None:
    records = [rejected(offset, b"y" * (60_000 if offset % 3 == 0 else 10)) for offset in range(25)]

    assert bench.quarantine.put(records) == set()

    assert [record.offset for record in bench.received()] == list(range(25))


def test_a_key_too_large_for_a_message_is_put_into_the_bucket(bench: Bench) -> None:
    bench.quarantine.put([rejected(7, b"z", key=b"k" * 200_000)])

    [record] = bench.received()
    assert record.key_uri is not None
    assert record.key_uri.endswith("/transaction_stream/1/00000000000000000007.key")


def test_what_queue_and_bucket_refuse_is_named(aws_client: Callable[[str], Any], bench: Bench) -> None:
    broken = SqsQuarantine(bench.sqs, bench.s3, bench.queue_url + "-none", "no-such-bucket-here")

    failed = broken.put([rejected(1, b"small"), rejected(2, b"x" * 300_000)])

    assert failed == {Position("transaction_stream", 1, 1), Position("transaction_stream", 1, 2)}
