"""The parts of reading a stream that need no stream: shard order, event records, checkpoints, lookups."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import msgspec
import pytest
from aws_lambda_powertools.utilities.data_classes import DynamoDBStreamEvent

from local.event_sources.checkpoints import Checkpoint, CheckpointError, Checkpoints
from local.event_sources.dynamodb_stream import DynamoDbStreamSource, ready_shards, to_event_record
from local.event_sources.records import Batch, Discard, Piece, ResumePoint
from ops.manifests import StreamTrigger, read_functions
from tests.unit.event_sources.factories import QUEUE, record, records

STREAM_ARN = "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000"


def _read_record(**changes: Any) -> dict[str, Any]:
    return {
        "eventID": "1",
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": datetime(2026, 1, 1, tzinfo=UTC),
            "Keys": {"id": {"S": "a"}},
            "NewImage": {"id": {"S": "a"}, "amount": {"N": "12.30"}, "raw": {"B": b"\x00\xff"}},
            "SequenceNumber": "000123",
            "SizeBytes": 10,
            "StreamViewType": "NEW_IMAGE",
        },
        **changes,
    }


def _source() -> DynamoDbStreamSource:
    trigger = read_functions()["persist"].trigger
    assert isinstance(trigger, StreamTrigger)
    return DynamoDbStreamSource(Mock(), Mock(), trigger, Path("unused"))


def test_an_event_record_is_what_lambda_sends() -> None:
    """The guide's example event: wire-typed values, numbers as strings, binary as base64, time in seconds."""
    document = json.loads(msgspec.json.encode(to_event_record(_read_record(), STREAM_ARN)))

    assert document["eventSourceARN"] == STREAM_ARN
    assert document["dynamodb"]["ApproximateCreationDateTime"] == 1767225600.0
    assert document["dynamodb"]["SequenceNumber"] == "000123"
    assert document["dynamodb"]["NewImage"] == {
        "id": {"S": "a"},
        "amount": {"N": "12.30"},
        "raw": {"B": "AP8="},
    }


def test_a_deletion_by_time_to_live_is_marked() -> None:
    deleted = _read_record(userIdentity={"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"})

    assert to_event_record(deleted, STREAM_ARN)["userIdentity"] == {
        "type": "Service",
        "principalId": "dynamodb.amazonaws.com",
    }


def test_the_event_is_read_by_powertools() -> None:
    document = msgspec.json.encode(to_event_record(_read_record(), STREAM_ARN))
    batch = Batch((Piece((_with_document(document),)),))

    event = DynamoDBStreamEvent(json.loads(_source().event(batch)))

    (read,) = list(event.records)
    assert read.dynamodb is not None
    assert read.dynamodb.sequence_number == "000123"
    assert read.dynamodb.new_image["id"] == "a"


def _with_document(document: bytes) -> Any:
    made = record(123)
    return type(made)(made.queue, made.position, "000123", made.arrived_at_s, document)


def test_a_child_is_read_after_its_parent_is_done() -> None:
    """Lambda processes a parent shard's records before its children's."""
    shards = {"parent": None, "child": "parent", "orphan": "trimmed"}

    first = ready_shards(shards, started=[], finished=[])
    while_reading = ready_shards(shards, started=["parent", "orphan"], finished=[])
    after = ready_shards(shards, started=["parent", "orphan"], finished=["parent"])

    assert first == ["parent", "orphan"]
    assert while_reading == []
    assert after == ["child"]


def test_a_sequence_number_is_found_as_it_was_written() -> None:
    batch = Batch((Piece(tuple(records(1, 3))),))

    assert _source().locate("2", batch) == (QUEUE, 2)
    assert _source().locate("02", batch) is None
    assert _source().locate(2, batch) is None


def test_discarded_records_are_named_by_their_place_in_the_stream() -> None:
    """The guide's example: shardId, startSequenceNumber, endSequenceNumber, arrivals, batchSize, streamArn."""
    info = _source().batch_info(Discard(Piece(tuple(records(1, 3))), "RetryAttemptsExhausted"))

    assert info["DDBStreamBatchInfo"] == {
        "shardId": "topic-0",
        "startSequenceNumber": "1",
        "endSequenceNumber": "3",
        "approximateArrivalOfFirstRecord": "1970-01-12T13:46:40.000Z",
        "approximateArrivalOfLastRecord": "1970-01-12T13:46:40.000Z",
        "batchSize": 3,
        "streamArn": "",
    }


def test_a_checkpoint_survives_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "state" / "persist.json"
    checkpoints = Checkpoints(file, STREAM_ARN)
    checkpoints.save("done", ResumePoint(None, "9"))
    checkpoints.save("waiting", ResumePoint(record(4), "9"))
    checkpoints.save("unread", ResumePoint(None, None))

    again = Checkpoints(file, STREAM_ARN)

    assert again.get("done") == Checkpoint("9", is_done=True)
    assert again.get("waiting") == Checkpoint("4", is_done=False)
    assert again.get("unread") is None


def test_checkpoints_of_an_earlier_stream_are_ignored(tmp_path: Path) -> None:
    file = tmp_path / "persist.json"
    Checkpoints(file, STREAM_ARN).save("shard", ResumePoint(None, "9"))

    assert Checkpoints(file, STREAM_ARN + "1").get("shard") is None


def test_an_invalid_checkpoint_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "persist.json"
    file.write_text("{")

    with pytest.raises(CheckpointError, match=r"persist\.json"):
        Checkpoints(file, STREAM_ARN)
