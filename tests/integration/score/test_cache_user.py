"""The profile store as the user that Terraform makes: what it does is allowed, and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import redis

from engine.profile import Profile
from ops.manifests import ROOT
from score.delivery import Span
from score.profile_store import PartitionProgress, ProfileWrite, RedisProfileStore, connect

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


@pytest.mark.parametrize(
    "command", [["FLUSHALL"], ["KEYS", "*"], ["CONFIG", "GET", "*"], ["GET", "other:key"]]
)
def test_the_user_may_do_nothing_else(user_endpoint: str, command: list[str]) -> None:
    with (
        redis.Redis.from_url(user_endpoint) as client,
        pytest.raises(redis.exceptions.NoPermissionError),
    ):
        client.execute_command(*command)
