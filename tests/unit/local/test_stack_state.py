"""A stack's file is valid as long as its owner runs, and one folder has one owner."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from local.env import exports
from local.process_tree import ProcessRecord, start_mark
from local.resources import Resources
from local.stack import StackRunningError, StackState, read_state
from local.stack.state import StackFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def state() -> Callable[..., StackState]:
    """Factory of states of a stack that this process owns."""

    def make(**changes: Any) -> StackState:
        resources = Resources(
            tables={"transaction_history": "dev_transaction_history"},
            queues={"score-dead-letter": "http://127.0.0.1:1/0/score-dead-letter"},
            topics={"fraud_alerts": "arn:aws:sns:us-east-1:000000000000:fraud-alerts"},
            buckets={"landing": "it's a bucket"},
            kafka_topics=["transaction_stream"],
        )
        fields: dict[str, Any] = {
            "phase": "up",
            "owner": ProcessRecord("owner", os.getpid(), start_mark(os.getpid())),
            "processes": [],
            "started_at": datetime(2026, 1, 2, tzinfo=UTC),
            "functions": [],
            "ingestion": False,
            "bootstrap_servers": "127.0.0.1:9092",
            "cache_endpoint": "redis://127.0.0.1:6379",
            "aws_endpoint": "http://127.0.0.1:4566",
            "resources": resources,
        }
        return StackState(**(fields | changes))

    return make


def test_state_of_a_running_owner_is_read_back(tmp_path: Path, state: Callable[..., StackState]) -> None:
    written = state()
    StackFolder(tmp_path).write_state(written)

    assert read_state(tmp_path) == written


@pytest.mark.parametrize(
    "mark",
    [
        pytest.param("another-boot 1", id="the machine was started again"),
        pytest.param("{boot} 1", id="the pid was given to another process"),
    ],
)
def test_state_whose_owner_has_ended_is_ignored(
    tmp_path: Path, state: Callable[..., StackState], mark: str
) -> None:
    boot = start_mark(os.getpid()).split()[0]
    owner = ProcessRecord("owner", os.getpid(), mark.format(boot=boot))
    StackFolder(tmp_path).write_state(state(owner=owner))

    assert read_state(tmp_path) is None


@pytest.mark.parametrize("content", ["", "{", '{"phase": "of another version"}'])
def test_file_that_is_no_state_is_no_stack(tmp_path: Path, content: str) -> None:
    (tmp_path / "stack.json").write_text(content)

    assert read_state(tmp_path) is None


def test_folder_has_one_owner_at_a_time(tmp_path: Path) -> None:
    first, second = StackFolder(tmp_path), StackFolder(tmp_path)
    first.acquire()

    with pytest.raises(StackRunningError, match=f"a stack already runs in {tmp_path}"):
        second.acquire()

    first.release()
    second.acquire()
    second.release()


def test_exports_name_the_endpoints_and_every_resource(state: Callable[..., StackState]) -> None:
    variables = exports(state())

    assert variables == {
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092",
        "ELASTICACHE_REDIS_ENDPOINT": "redis://127.0.0.1:6379",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "SNS_TOPIC_ARN": "arn:aws:sns:us-east-1:000000000000:fraud-alerts",
        "SCORE_DEAD_LETTER_QUEUE_URL": "http://127.0.0.1:1/0/score-dead-letter",
        "TRANSACTION_HISTORY_TABLE": "dev_transaction_history",
        "LANDING_BUCKET": "it's a bucket",
        "LANDING_URL": "s3://it's a bucket/transactions/",
        "LABELS_LANDING_URL": "s3://it's a bucket/labels/",
    }


def test_state_says_everything_in_json(state: Callable[..., StackState]) -> None:
    written = state()

    assert msgspec.json.decode(msgspec.json.encode(written), type=StackState) == written
