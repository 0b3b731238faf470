"""The profile store without a server, and the store in memory, by one contract. What needs a server: the integration tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fakeredis
import pytest

from cache.primary import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, connect
from common.errors import CacheUnavailableError
from score.profile_store import RedisProfileStore
from tests.support.cache_contract import CacheContract
from tests.support.foreign_values import ForeignValues
from tests.support.kafka_events import TOPIC
from tests.support.profile_stores import RedisCache, mark, new
from tests.support.score_stores import MemoryProfileStore

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

SECONDS_PER_DAY = 86_400


@pytest.fixture
def client() -> redis.Redis:
    return fakeredis.FakeRedis()


class TestOnFakeredis(CacheContract):
    @pytest.fixture
    def cache(self, client: redis.Redis) -> RedisCache:
        return RedisCache(RedisProfileStore(client, retention_days=1), client)


class TestForeignValuesOnFakeredis(ForeignValues):
    """With this module's client."""


class MemoryCache:
    """The store in memory."""

    def __init__(self) -> None:
        self.store = MemoryProfileStore()

    def evict_profile(self, user_id: str) -> None:
        del self.store.values[user_id]

    def evict_progress(self, partition: int) -> None:
        del self.store.marks[TOPIC, partition]


class TestInMemory(CacheContract):
    @pytest.fixture
    def cache(self) -> MemoryCache:
        return MemoryCache()


def test_profile_expires_after_its_retention_and_a_mark_never(client: redis.Redis) -> None:
    RedisProfileStore(client, retention_days=3).write([new("user", "t")], [mark(4)])

    assert client.ttl("profile:{1}:user") == 3 * SECONDS_PER_DAY
    assert client.ttl(f"progress:{{1}}:{TOPIC}/0") == -1


def test_nothing_to_do_sends_no_command() -> None:
    server = fakeredis.FakeServer()
    server.connected = False
    store = RedisProfileStore(fakeredis.FakeRedis(server=server), retention_days=1)

    assert store.write([], []) == []
    assert store.read([], []).profiles == {}


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.read(["user"], []),
        lambda store: store.write([new("user", "t")], []),
    ],
)
def test_any_refusal_of_the_server_is_an_unavailable_cache(
    call: Callable[[RedisProfileStore], object],
) -> None:
    server = fakeredis.FakeServer()
    server.connected = False
    store = RedisProfileStore(fakeredis.FakeRedis(server=server), retention_days=1)

    with pytest.raises(CacheUnavailableError, match="ConnectionError"):
        call(store)


def test_client_gives_up_a_slow_cache_in_a_second_and_tries_a_broken_connection_once_more() -> None:
    settings = connect("cache:6379").connection_pool.connection_kwargs

    assert (settings["socket_connect_timeout"], settings["socket_timeout"]) == (0.25, 0.75)
    assert (CONNECT_TIMEOUT_S, READ_TIMEOUT_S) == (0.25, 0.75)
    assert settings["socket_keepalive"] is True
    assert settings["retry"].get_retries() == 1
