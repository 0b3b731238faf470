"""Values in the cache that are not the store's: of another type, of another form. The same tests hold for fakeredis and a real Valkey."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from score.delivery import Span
from score.profile_store import CachedProfile, PartitionProgress, RedisProfileStore
from tests.support.kafka_events import TOPIC
from tests.support.profile_stores import mark, new

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import redis

    Put = Callable[[redis.Redis, str], object]

FOREIGN: Mapping[str, Put] = {
    "one number": lambda client, key: client.set(key, "42"),
    "no number": lambda client, key: client.set(key, "a:b"),
    "three numbers": lambda client, key: client.set(key, "1:2:3"),
    "bytes": lambda client, key: client.set(key, b"\xff"),
    "empty": lambda client, key: client.set(key, ""),
    "a hash": lambda client, key: client.hset(key, "a", "1"),
    "a list": lambda client, key: client.rpush(key, "a"),
}
PROFILE_KEY = "profile:{1}:user"
MARK_KEY = f"progress:{{1}}:{TOPIC}/0"


class ForeignValues:
    """A subclass, or its module, gives the fixture ``client``."""

    @pytest.mark.parametrize("put", FOREIGN.values(), ids=FOREIGN)
    def test_a_mark_of_another_form_or_type_counts_as_missing(self, client: redis.Redis, put: Put) -> None:
        store = RedisProfileStore(client, retention_days=1)
        put(client, MARK_KEY)

        assert store.read([], [Span(TOPIC, 0, 7, 9)]).progress == [PartitionProgress(TOPIC, 0, 6, 7)]
        assert store.write([new("user", "t")], [mark(9, 7)]) == []
        assert client.get(MARK_KEY) == b"9:7"

    @pytest.mark.parametrize("kind", ["a hash", "a list"])
    def test_a_profile_of_another_type_counts_as_missing(self, client: redis.Redis, kind: str) -> None:
        store = RedisProfileStore(client, retention_days=1)
        FOREIGN[kind](client, PROFILE_KEY)

        assert store.read(["user"], []).profiles["user"] == CachedProfile(None, b"")
        assert store.write([new("user", "t")], [mark(9)]) == []
        assert store.read(["user"], []).profiles["user"].body is not None
