"""The store of entities on a real Valkey: the contract of all stores, and what only a server shows."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from cache.primary import ENTITY_PREFIX, connect
from engine.entities.kinds import POPULATION_IDS
from score.delivery import Span
from score.entity_store import COMPLETE_SINCE_KEY, RETENTION_S, RedisEntityStore, mark_key
from score.profile_store import RedisProfileStore
from tests.support.entity_store_contract import EntityStoreContract, batch, payment, state_of
from tests.support.kafka_events import TOPIC

if TYPE_CHECKING:
    from collections.abc import Sequence

    import redis

    from score.profile_store import CacheReading


class RedisEntities:
    """The store on a client of redis-py."""

    def __init__(self, client: redis.Redis) -> None:
        self.store = RedisEntityStore(client)
        self._client, self._profiles = client, RedisProfileStore(client, retention_days=1)

    def read(self, spans: Sequence[Span], entity_ids: Sequence[bytes]) -> CacheReading:
        return self._profiles.read([], spans, entity_ids)

    def put(self, entity_id: bytes, value: bytes) -> None:
        self._client.set(ENTITY_PREFIX + entity_id, value)


class TestOnValkey(EntityStoreContract):
    @pytest.fixture
    def entities(self, redis_client: redis.Redis, cache_endpoint: str) -> RedisEntities:
        return RedisEntities(connect(cache_endpoint))


@pytest.fixture
def entities(redis_client: redis.Redis, cache_endpoint: str) -> RedisEntities:
    return RedisEntities(connect(cache_endpoint))


def test_an_entity_expires_after_its_longest_window(
    entities: RedisEntities, redis_client: redis.Redis
) -> None:
    entities.store.add(batch([payment(Random(5))], 0))

    seconds = {redis_client.ttl(key) for key in redis_client.keys("entity:*")}

    assert seconds
    assert all(RETENTION_S - 60 < each <= RETENTION_S for each in seconds)


def test_a_large_batch_is_one_command_each_way(entities: RedisEntities, redis_client: redis.Redis) -> None:
    random = Random(6)
    payments = [payment(random) for _ in range(500)]
    entities.store.add(batch([], 0))  # the script is loaded by now
    redis_client.config_resetstat()

    entities.read([Span(TOPIC, 0, 1, 500)], [*state_of(payments)])
    entities.store.add(batch(payments, 500, read=0, first=1))

    commands = redis_client.info("commandstats")
    assert commands["cmdstat_mget"]["calls"] == 1
    assert commands["cmdstat_evalsha"]["calls"] == 1


@pytest.mark.parametrize("is_list", [True, False])
def test_values_of_another_type_or_form_count_as_missing(
    entities: RedisEntities, redis_client: redis.Redis, is_list: bool
) -> None:
    payments = [payment(Random(number)) for number in range(5)]
    wanted = state_of(payments)
    for key in [COMPLETE_SINCE_KEY, mark_key(TOPIC, 0), *(ENTITY_PREFIX + each for each in wanted)]:
        if is_list:
            redis_client.rpush(key, "x")
        else:
            redis_client.set(key, "-0x1f")

    assert entities.store.add(batch(payments, 4, gap_s=9)) == []

    reading = entities.read([Span(TOPIC, 0, 0, 0)], [*wanted])
    assert (reading.entities, reading.counted_to, reading.complete_since_s) == (wanted, [4], 9)


def test_populations_have_keys_of_their_own(entities: RedisEntities, redis_client: redis.Redis) -> None:
    entities.store.add(batch([payment(Random(number)) for number in range(9)], 8))

    keys = set(redis_client.keys("entity:*"))

    assert keys >= {ENTITY_PREFIX + each for each in POPULATION_IDS}
