"""The profile store on a real Valkey: the contract of all stores, and what only a server shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cache.label_copies import LabelCopies, RedisLabelCopies
from cache.primary import connect
from common.errors import CacheUnavailableError
from contract.entity_ids import entity_ids
from engine.entities.kinds import POPULATION_IDS
from engine.entities.risk import with_risk
from score.delivery import Span
from score.profile_store import ProfileWrite, RedisProfileStore, read_profile
from tests.support.cache_contract import CacheContract
from tests.support.foreign_values import ForeignValues
from tests.support.kafka_events import TOPIC
from tests.support.payments import make_transaction
from tests.support.profile_stores import RedisCache, mark, new, profile_of

if TYPE_CHECKING:
    import redis


@pytest.fixture
def store(redis_client: redis.Redis, cache_endpoint: str) -> RedisProfileStore:
    return RedisProfileStore(connect(cache_endpoint), retention_days=90)


class TestForeignValuesOnValkey(ForeignValues):
    @pytest.fixture
    def client(self, redis_client: redis.Redis) -> redis.Redis:
        return redis_client


class TestOnValkey(CacheContract):
    @pytest.fixture
    def cache(self, store: RedisProfileStore, redis_client: redis.Redis) -> RedisCache:
        return RedisCache(store, redis_client)


def test_a_profile_expires(store: RedisProfileStore, redis_client: redis.Redis) -> None:
    store.write([new("ü 1", "t-1")], [])

    assert 90 * 86_400 - 60 < redis_client.ttl("profile:{1}:ü 1") <= 90 * 86_400


def test_a_large_batch_is_one_command_each_way(store: RedisProfileStore, redis_client: redis.Redis) -> None:
    users = [f"user-{number}" for number in range(500)]
    store.write([], [mark(0)])  # the script is loaded by now
    redis_client.config_resetstat()

    store.read(users, [Span(TOPIC, 0, 1, 500)])
    store.write([new(user, "t") for user in users], [mark(500)])

    commands = redis_client.info("commandstats")
    assert commands["cmdstat_mget"]["calls"] == 1
    assert commands["cmdstat_evalsha"]["calls"] == 1


def test_what_labels_say_comes_with_the_same_command(
    store: RedisProfileStore, redis_client: redis.Redis, cache_endpoint: str
) -> None:
    ids = [each for each in entity_ids(make_transaction()) if each is not None]
    risky = with_risk(entity_ids(make_transaction()))
    copies = RedisLabelCopies(connect(cache_endpoint))
    copies.write(dict.fromkeys(risky, b"risk"), {"user": b"verdicts"})
    copies.write_usual_rate(0.002)
    redis_client.config_resetstat()

    reading = store.read(["user", "other"], [Span(TOPIC, 0, 1, 500)], [*POPULATION_IDS, *ids])

    assert reading.labels == LabelCopies(
        dict.fromkeys(risky, b"risk"), {"user": b"verdicts"}, b"0.002000", is_complete=False
    )
    assert (reading.entities, reading.counted_to) == ({}, [-1])
    assert redis_client.info("commandstats")["cmdstat_mget"]["calls"] == 1


def test_a_profile_of_another_format_counts_as_missing(
    store: RedisProfileStore, redis_client: redis.Redis
) -> None:
    redis_client.set("profile:{1}:user", b"revision" + b"\xff not a profile")

    cached = store.read(["user"], []).profiles["user"]

    assert read_profile(cached) is None
    assert store.write([ProfileWrite("user", profile_of("t-1"), cached.revision)], []) == []


def test_a_cache_that_does_not_answer_is_reported_as_unavailable() -> None:
    store = RedisProfileStore(connect("127.0.0.1:1"), retention_days=1)

    with pytest.raises(CacheUnavailableError, match="ConnectionError"):
        store.read(["user"], [])
    with pytest.raises(CacheUnavailableError):
        store.write([new("user", "t")], [])


def test_a_full_cache_is_reported_as_unavailable(store: RedisProfileStore, redis_client: redis.Redis) -> None:
    limits: dict[str, str] = redis_client.config_get("maxmemory*")  # type: ignore[assignment]
    redis_client.config_set("maxmemory-policy", "noeviction")
    redis_client.config_set("maxmemory", 1)
    try:
        with pytest.raises(CacheUnavailableError):
            store.write([new("user", "t")], [])
    finally:
        redis_client.config_set("maxmemory", limits["maxmemory"])
        redis_client.config_set("maxmemory-policy", limits["maxmemory-policy"])
