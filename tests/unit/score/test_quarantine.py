"""What is sent to the quarantine: whole records, in bounded requests, and who is named where that fails."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

import msgspec
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from contract.scored import Position
from score.delivery import Rejected
from score.quarantine import (
    MAX_ENTRIES,
    MAX_INLINE_BASE64,
    MAX_REQUEST_BYTES,
    QuarantinedRecord,
    SqsQuarantine,
)

REFUSED = ClientError({"Error": {"Code": "AccessDenied"}}, "SendMessageBatch")


class Sqs:
    """Keeps requests; refuses entries of some places in each, or whole requests."""

    def __init__(self) -> None:
        self.requests: list[list[str]] = []
        self.refused_places: set[int] = set()
        self.error: Exception | None = None

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> Any:  # noqa: N803
        assert QueueUrl == "https://queue"
        assert [entry["Id"] for entry in Entries] == [str(number) for number in range(len(Entries))]
        if self.error is not None:
            raise self.error
        self.requests.append([entry["MessageBody"] for entry in Entries])
        refused = [{"Id": str(place)} for place in sorted(self.refused_places) if place < len(Entries)]
        return {"Failed": refused} if refused else {}


class S3:
    """Keeps objects, or refuses them."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.error: Exception | None = None

    def put_object(self, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803
        if self.error is not None:
            raise self.error
        self.objects[Bucket, Key] = Body


class Bench:
    def __init__(self) -> None:
        self.sqs, self.s3 = Sqs(), S3()
        sqs, s3 = self.sqs, self.s3
        self.quarantine = SqsQuarantine(sqs, s3, "https://queue", "bucket")  # type: ignore[arg-type]

    def records(self) -> list[QuarantinedRecord]:
        return [
            msgspec.json.decode(body, type=QuarantinedRecord)
            for bodies in self.sqs.requests
            for body in bodies
        ]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def rejected(offset: int, value: bytes | None = b"{}", key: bytes | None = b"user-1") -> Rejected:
    return Rejected(position(offset), 1_790_000_000_000, "amount", "negative", key, value)


def position(offset: int) -> Position:
    return Position("transaction_stream", 2, offset)


def test_record_is_sent_whole_with_its_place_and_reason(bench: Bench) -> None:
    assert bench.quarantine.put([rejected(7, b"\xff{")]) == set()

    assert bench.records() == [
        QuarantinedRecord(
            topic="transaction_stream",
            partition=2,
            offset=7,
            appended_at_ms=1_790_000_000_000,
            field="amount",
            problem="negative",
            size_bytes=2,
            key_base64=b64encode(b"user-1").decode(),
            value_base64=b64encode(b"\xff{").decode(),
        )
    ]
    assert bench.s3.objects == {}


@pytest.mark.parametrize("padding", [b"", b" " * 70_000])
def test_a_card_number_is_masked_in_the_stored_value_and_the_size_is_of_what_was_sent(
    bench: Bench, padding: bytes
) -> None:
    value = b'{"user_id": "1234567890123452", "x": "4111 1111 1111 1111", "amount": ' + padding

    bench.quarantine.put([rejected(7, value + b"-1}"), rejected(8, value)])

    stored = [
        *bench.s3.objects.values(),
        *(b64decode(r.value_base64) for r in bench.records() if r.value_base64),
    ]
    masked = value.replace(b"4111 1111 1111 1111", b"card_****1111")
    assert stored[0] == masked + b"-1}"
    assert b"4111" not in stored[1]
    assert [record.size_bytes for record in bench.records()] == [len(value) + 3, len(value)]


def test_null_key_and_value_are_left_out_and_take_no_bytes(bench: Bench) -> None:
    bench.quarantine.put([rejected(7, None, None)])

    [record] = bench.records()
    assert (record.size_bytes, record.key_base64, record.value_base64) == (0, None, None)
    assert "base64" not in bench.sqs.requests[0][0]


def test_empty_value_is_not_null(bench: Bench) -> None:
    bench.quarantine.put([rejected(7, b"", b"")])

    [record] = bench.records()
    assert (record.size_bytes, record.key_base64, record.value_base64) == (0, "", "")


@pytest.mark.parametrize(("size", "is_inline"), [(67_500, True), (67_501, False)])
def test_value_of_more_than_90000_characters_is_put_into_the_bucket(
    bench: Bench, size: int, is_inline: bool
) -> None:
    value = b"v" * size

    bench.quarantine.put([rejected(7, value)])

    [record] = bench.records()
    assert MAX_INLINE_BASE64 == 90_000
    assert record.size_bytes == size
    if is_inline:
        assert b64decode(record.value_base64 or "") == value
        assert (record.value_uri, bench.s3.objects) == (None, {})
    else:
        key = "stream/transaction_stream/2/00000000000000000007"
        assert (record.value_base64, record.value_uri) == (None, f"s3://bucket/{key}")
        assert bench.s3.objects == {("bucket", key): value}


def test_large_key_is_put_beside_the_value(bench: Bench) -> None:
    bench.quarantine.put([rejected(7, b"v", key=b"k" * 70_000)])

    [record] = bench.records()
    key = "stream/transaction_stream/2/00000000000000000007.key"
    assert (record.key_base64, record.key_uri) == (None, f"s3://bucket/{key}")
    assert bench.s3.objects == {("bucket", key): b"k" * 70_000}
    assert record.value_base64 == b64encode(b"v").decode()


@pytest.mark.parametrize(("count", "requests"), [(10, [10]), (11, [10, 1]), (25, [10, 10, 5])])
def test_request_has_at_most_ten_records(bench: Bench, count: int, requests: list[int]) -> None:
    assert bench.quarantine.put([rejected(offset) for offset in range(count)]) == set()

    assert MAX_ENTRIES == 10
    assert [len(bodies) for bodies in bench.sqs.requests] == requests
    assert [record.offset for record in bench.records()] == list(range(count))


@pytest.mark.parametrize(("excess", "requests"), [(0, [3, 3, 1]), (1, [2, 2, 3])])
def test_bodies_of_a_request_have_at_most_200000_bytes(
    bench: Bench, excess: int, requests: list[int]
) -> None:
    def body(offset: int, problem: int) -> Rejected:
        return Rejected(position(offset), 0, "$", "p" * problem, None, b"")

    bench.quarantine.put([body(1, 0)])
    overhead = len(bench.sqs.requests.pop()[0])
    sizes = [60_000, 80_000, 60_000 + excess] * 2

    bench.quarantine.put([*(body(offset, size - overhead) for offset, size in enumerate(sizes)), body(9, 0)])

    assert MAX_REQUEST_BYTES == 200_000
    assert [len(bodies) for bodies in bench.sqs.requests] == requests
    assert [record.offset for record in bench.records()] == [0, 1, 2, 3, 4, 5, 9]


def test_record_that_is_larger_than_a_request_is_sent_alone(bench: Bench) -> None:
    large = Rejected(position(1), 0, "$", "p" * 210_000, None, b"")

    bench.quarantine.put([rejected(0), large, rejected(2), rejected(3)])

    assert [len(bodies) for bodies in bench.sqs.requests] == [1, 1, 2]


def test_records_that_the_queue_refuses_are_named(bench: Bench) -> None:
    bench.sqs.refused_places = {1, 3}

    failed = bench.quarantine.put([rejected(offset) for offset in range(20, 32)])

    assert failed == {position(21), position(23), position(31)}


@pytest.mark.parametrize("error", [REFUSED, BotoCoreError()])
def test_all_records_of_a_request_that_fails_are_named(bench: Bench, error: Exception) -> None:
    bench.sqs.error = error

    assert bench.quarantine.put([rejected(1), rejected(2)]) == {position(1), position(2)}


@pytest.mark.parametrize("error", [REFUSED, BotoCoreError()])
def test_only_the_record_that_the_bucket_refuses_is_named(bench: Bench, error: Exception) -> None:
    bench.s3.error = error

    failed = bench.quarantine.put([rejected(1), rejected(2, b"v" * 70_000), rejected(3)])

    assert failed == {position(2)}
    assert [record.offset for record in bench.records()] == [1, 3]


def test_nothing_to_quarantine_sends_nothing(bench: Bench) -> None:
    assert bench.quarantine.put([]) == set()

    assert bench.sqs.requests == []
