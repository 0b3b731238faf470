"""The checkpoints on AWS's own DynamoDB Local, and on the emulator that the local stack uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from common.errors import CacheUnavailableError
from engine.profile import to_bytes
from score.checkpoint_items import KeptProfile
from score.checkpoint_store import DynamoCheckpointStore
from score.delivery import Span
from score.dynamo_calls import DynamoCalls
from score.profile_store import ProfileWrite
from tests.support.kafka_events import TOPIC
from tests.support.payments import NOW
from tests.support.profile_store_contract import ProfileStoreContract
from tests.support.profile_stores import CheckpointTable, mark, new, profile_of
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_BYTES = 6 * 1024
"""Of a profile."""


@pytest.fixture(params=["dynamodb-local", "ministack"])
def dynamodb(request: pytest.FixtureRequest, aws_client: Callable[[str], Any]) -> Any:
    if request.param == "ministack":
        return aws_client("dynamodb")
    return request.getfixturevalue("dynamodb_local")


@pytest.fixture
def table(dynamodb: Any, unique_name: Callable[[str], str]) -> str:
    return make_table(dynamodb, "profile_checkpoints", unique_name)


@pytest.fixture
def store(dynamodb: Any, table: str) -> DynamoCheckpointStore:
    return DynamoCheckpointStore(DynamoCalls(dynamodb), table, 90, lambda _: None, lambda: NOW)


class TestOnDynamoDb(ProfileStoreContract):
    @pytest.fixture
    def cache(self, store: DynamoCheckpointStore, dynamodb: Any, table: str) -> CheckpointTable:
        return CheckpointTable(store, dynamodb, table)


def bodies(store: DynamoCheckpointStore, *user_ids: str) -> list[bytes | None]:
    profiles = store.read(user_ids, []).profiles
    return [profiles[user_id].body for user_id in user_ids]


def test_500_profiles_of_the_largest_size_are_kept_read_and_kept_again(store: DynamoCheckpointStore) -> None:
    users = [f"user-{number}" for number in range(500)]
    first = [KeptProfile(user, bytes([number % 256]) * MOST_BYTES, 10) for number, user in enumerate(users)]
    second = [KeptProfile(user, bytes([7]) * MOST_BYTES, 20) for user in users]

    assert store.keep(first) == set(users)
    assert bodies(store, *users) == [profile.body for profile in first]
    assert store.keep(second) == set(users)
    assert bodies(store, *users) == [profile.body for profile in second]


def test_checkpoint_of_a_higher_version_stays_and_counts_as_kept(store: DynamoCheckpointStore) -> None:
    store.keep(
        [
            KeptProfile("ahead", b"nine", 9),
            KeptProfile("level", b"five", 5),
            KeptProfile("behind", b"four", 4),
        ]
    )

    kept = store.keep([KeptProfile(user, b"new", 5) for user in ("ahead", "level", "behind", "first")])

    assert kept == {"ahead", "level", "behind", "first"}
    assert bodies(store, "ahead", "level", "behind", "first") == [b"nine", b"new", b"new", b"new"]


def test_profile_that_was_kept_since_it_was_read_is_lost_to_its_writer(store: DynamoCheckpointStore) -> None:
    store.write([new("user-1", "t-1")], [])
    as_read = store.read(["user-1"], []).profiles["user-1"]
    store.keep([KeptProfile("user-1", to_bytes(profile_of("t-1", "t-2")), 2)])
    kept = store.read(["user-1"], []).profiles["user-1"]

    assert store.write([ProfileWrite("user-1", profile_of("t-1", "t-3"), as_read.revision)], []) == ["user-1"]
    assert store.write([ProfileWrite("user-1", profile_of("t-1", "t-3"), kept.revision)], []) == []

    written = store.read(["user-1"], []).profiles["user-1"]
    assert [as_read.is_kept, kept.is_kept, written.is_kept] == [False, True, False]


def test_profiles_expire_after_their_retention_and_marks_never(
    store: DynamoCheckpointStore, dynamodb: Any, table: str
) -> None:
    store.write([new("user-1", "t-1")], [mark(5)])
    store.keep([KeptProfile("user-2", b"body", 1)])

    items = dynamodb.scan(TableName=table)["Items"]

    expiries = {item["item_key"]["S"]: item.get("expires_at") for item in items}
    in_90_days = {"N": str(int(NOW.timestamp()) + 90 * 86_400)}
    assert expiries == {"u#user-1": in_90_days, "u#user-2": in_90_days, f"p#{TOPIC}/0": None}


def test_user_whose_id_looks_like_the_key_of_a_mark_is_a_user(store: DynamoCheckpointStore) -> None:
    store.write([new(f"{TOPIC}/0", "t-1"), new(f"p#{TOPIC}/0", "t-2")], [mark(5)])

    reading = store.read([f"{TOPIC}/0", f"p#{TOPIC}/0"], [Span(TOPIC, 0, 6, 6)])

    assert [profile.body for profile in reading.profiles.values()] == [
        to_bytes(profile_of("t-1")),
        to_bytes(profile_of("t-2")),
    ]
    assert reading.progress == [mark(5, read_folded_to=5)]


def test_table_that_cannot_be_reached_is_reported_as_unavailable_and_keeps_nothing() -> None:
    client = boto3.client(
        "dynamodb",
        endpoint_url="http://127.0.0.1:1",
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(connect_timeout=1, retries={"total_max_attempts": 1}),
    )
    store = DynamoCheckpointStore(DynamoCalls(client), "profile_checkpoints", 90, lambda _: None, lambda: NOW)

    with pytest.raises(CacheUnavailableError, match="BatchGetItem: EndpointConnectionError"):
        store.read(["user-1"], [])
    with pytest.raises(CacheUnavailableError, match="BatchExecuteStatement: EndpointConnectionError"):
        store.write([new("user-1", "t")], [mark(1)])
    assert store.keep([KeptProfile("user-1", b"body", 1)]) == set()


def test_table_that_does_not_exist_is_reported_as_unavailable_at_once(dynamodb: Any) -> None:
    waits: list[float] = []
    store = DynamoCheckpointStore(DynamoCalls(dynamodb), "no-such-table", 90, waits.append, lambda: NOW)

    with pytest.raises(CacheUnavailableError, match="BatchGetItem: ResourceNotFoundException"):
        store.read(["user-1"], [])
    with pytest.raises(CacheUnavailableError, match="BatchExecuteStatement: ResourceNotFound"):
        store.write([new("user-1", "t")], [])
    assert store.keep([KeptProfile("user-1", b"body", 1)]) == set()
    assert waits == []
