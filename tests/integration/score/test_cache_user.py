"""The profile store as the user that Terraform makes: what it does is allowed, and nothing else."""

from __future__ import annotations

import re
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import redis

from cache.primary import connect
from engine.profile import Profile
from ops.manifests import ROOT
from score.delivery import Span
from score.entity_store import RedisEntityStore
from score.profile_store import PartitionProgress, ProfileWrite, RedisProfileStore
from tests.support.entity_store_contract import batch, payment
from tests.support.kafka_events import TOPIC

if TYPE_CHECKING:
    from collections.abc import Iterator

USERS = ROOT / "terraform" / "modules" / "cache" / "users.tf"


@pytest.fixture
def user_endpoint(redis_client: redis.Redis, cache_endpoint: str) -> Iterator[str]:
    (listed,) = re.findall(r"access_string = join\(\" \", \[(.*?)\]\)", USERS.read_text(), re.DOTALL)
    rules = re.findall(r'^\s*"([^"]+)"', listed, re.MULTILINE)
    redis_client.execute_command("ACL SETUSER", "profiles", "reset", *rules, ">secret")  # type: ignore[no-untyped-call]
    yield f"redis://profiles:secret@{urlsplit(cache_endpoint).netloc}"
    redis_client.acl_deluser("profiles")


def test_the_store_reads_and_writes_as_the_user(user_endpoint: str, redis_client: redis.Redis) -> None:
    redis_client.script_flush()
    store = RedisProfileStore(connect(user_endpoint), retention_days=90)

    lost = store.write([ProfileWrite("user", Profile(), b"")], [PartitionProgress("topic", 0, 9, 4)])

    assert lost == []
    assert store.read(["user"], [Span("topic", 0, 10, 12)]).profiles["user"].body is not None


def test_the_stores_count_and_read_entities_as_the_user(
    user_endpoint: str, redis_client: redis.Redis
) -> None:
    redis_client.script_flush()
    client = connect(user_endpoint)
    added = batch([payment(Random(5)) for _ in range(20)], 9, gap_s=1)

    assert RedisEntityStore(client).add(added) == []

    # Profiles and entities are read by one command, so a key that the user may not read loses both.
    reading = RedisProfileStore(client, retention_days=90).read(
        ["user"], [Span(TOPIC, 0, 10, 12)], [*added.added]
    )
    assert reading.entities.keys() == added.added.keys()
    assert (reading.counted_to, reading.complete_since_s) == ([9], 1)


@pytest.mark.parametrize(
    "command", [["FLUSHALL"], ["KEYS", "*"], ["CONFIG", "GET", "*"], ["GET", "other:key"]]
)
def test_the_user_may_do_nothing_else(user_endpoint: str, command: list[str]) -> None:
    with (
        redis.Redis.from_url(user_endpoint) as client,
        pytest.raises(redis.exceptions.NoPermissionError),
    ):
        client.execute_command(*command)
