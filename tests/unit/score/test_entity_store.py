"""The store of entities in memory, by the contract that the one in Redis is held to (its script needs a server)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fakeredis
import pytest

from common.errors import CacheUnavailableError
from score.entity_store import RedisEntityStore
from tests.support.entity_store_contract import EntityStoreContract, batch
from tests.support.score_stores import MemoryProfileStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from score.delivery import Span
    from score.profile_store import CacheReading


class MemoryEntities:
    """The store in memory."""

    def __init__(self) -> None:
        self.store = MemoryProfileStore()

    def read(self, spans: Sequence[Span], entity_ids: Sequence[bytes]) -> CacheReading:
        return self.store.read([], spans, entity_ids)

    def put(self, entity_id: bytes, value: bytes) -> None:
        self.store.entities[entity_id] = value


class TestInMemory(EntityStoreContract):
    @pytest.fixture
    def entities(self) -> MemoryEntities:
        return MemoryEntities()


def test_cache_that_does_not_answer_is_reported_by_the_name_of_its_error() -> None:
    server = fakeredis.FakeServer()
    server.connected = False
    store = RedisEntityStore(fakeredis.FakeRedis(server=server))

    with pytest.raises(CacheUnavailableError, match=r"^ConnectionError$"):
        store.add(batch([], 0))
