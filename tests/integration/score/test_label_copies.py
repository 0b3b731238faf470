"""The cache's copies of what labels say, on a real Valkey."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cache.label_copies import RISK_PREFIX, RedisLabelCopies
from cache.primary import connect
from tests.support.label_copies_contract import CARD, LabelCopiesContract, read

if TYPE_CHECKING:
    import redis


@pytest.fixture
def client(redis_client: redis.Redis, cache_endpoint: str) -> redis.Redis:
    return connect(cache_endpoint)


@pytest.fixture
def admin(redis_client: redis.Redis) -> redis.Redis:
    return redis_client


class TestOnValkey(LabelCopiesContract):
    """With this module's client."""


def test_a_key_of_another_type_has_no_copy_and_is_replaced(
    client: redis.Redis, redis_client: redis.Redis
) -> None:
    redis_client.rpush(RISK_PREFIX + CARD, "x")

    before = read(client)
    RedisLabelCopies(client).write({CARD: b"1"}, {})

    assert before.risks == {}
    assert read(client).risks == {CARD: b"1"}


def test_all_copies_are_written_by_one_command(client: redis.Redis, redis_client: redis.Redis) -> None:
    copies = RedisLabelCopies(client)
    copies.write({CARD: b"1"}, {})  # the script is loaded by now
    redis_client.config_resetstat()

    copies.write({b"m%08d" % number: b"1" for number in range(200)}, {"user": b"2"})

    assert redis_client.info("commandstats")["cmdstat_evalsha"]["calls"] == 1
