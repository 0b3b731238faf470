"""Profile stores under test: how a test writes to them, reads from them, and makes them lose what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from contract.scored import Position
from engine.profile import Profile, to_bytes
from score.delivery import Span
from score.profile_store import (
    CachedProfile,
    PartitionProgress,
    ProfileWrite,
    RedisProfileStore,
    read_profile,
)
from tests.support.kafka_events import TOPIC
from tests.support.payments import APPROVED, make_transaction, trusted_facts

if TYPE_CHECKING:
    from collections.abc import Sequence

    import redis

    from score.checkpoint_store import DynamoCheckpointStore
    from score.profile_store import CacheReading

ABSENT = CachedProfile(None, b"")
"""How a profile is read that the cache does not hold."""


class StoreUnderTest(Protocol):
    """The calls that the cache and the table of checkpoints share."""

    def read(self, user_ids: Sequence[str], spans: Sequence[Span], /) -> CacheReading: ...

    def write(
        self, writes: Sequence[ProfileWrite], progress: Sequence[PartitionProgress], /
    ) -> list[str]: ...


class Cache(Protocol):
    """A profile store, and ways to lose what it holds."""

    @property
    def store(self) -> StoreUnderTest:
        """What the stage is given."""
        ...

    def evict_profile(self, user_id: str) -> None:
        """Remove a profile."""
        ...

    def evict_progress(self, partition: int) -> None:
        """Remove a partition's mark."""
        ...


class RedisCache:
    """The store on a client of redis-py."""

    def __init__(self, store: RedisProfileStore, client: redis.Redis) -> None:
        self.store: StoreUnderTest = store
        self._client = client

    def evict_profile(self, user_id: str) -> None:
        """Remove a profile."""
        assert self._client.delete(f"profile:{{1}}:{user_id}") == 1

    def evict_progress(self, partition: int) -> None:
        """Remove a partition's mark."""
        assert self._client.delete(f"progress:{{1}}:{TOPIC}/{partition}") == 1


class CheckpointTable:
    """The store on a table in DynamoDB."""

    def __init__(self, store: DynamoCheckpointStore, client: Any, table: str) -> None:
        self.store: StoreUnderTest = store
        self.client, self.table = client, table

    def evict_profile(self, user_id: str) -> None:
        """Remove a profile."""
        self._delete(f"u#{user_id}")

    def evict_progress(self, partition: int) -> None:
        """Remove a partition's mark."""
        self._delete(f"p#{TOPIC}/{partition}")

    def _delete(self, key: str) -> None:
        answer = self.client.delete_item(
            TableName=self.table, Key={"item_key": {"S": key}}, ReturnValues="ALL_OLD"
        )
        assert answer["Attributes"]


def profile_of(*names: str) -> Profile:
    """A profile of these payments."""
    profile = Profile()
    for offset, name in enumerate(names):
        profile.fold(
            trusted_facts(make_transaction(transaction_id=name)), APPROVED, Position(TOPIC, 0, offset)
        )
    return profile


def new(user_id: str, *names: str) -> ProfileWrite:
    """The write of a profile that the cache did not hold when it was read."""
    return ProfileWrite(user_id, profile_of(*names), b"")


def mark(
    folded_to: int, fresh_from: int = 0, read_folded_to: int = -1, partition: int = 0
) -> PartitionProgress:
    """A partition's progress."""
    return PartitionProgress(TOPIC, partition, folded_to, fresh_from, read_folded_to)


def contents(cached: CachedProfile) -> bytes | None:
    """The bytes of a cached profile; None where there is none."""
    profile = read_profile(cached)
    return None if profile is None else to_bytes(profile)


def read(cache: Cache, *user_ids: str) -> list[bytes | None]:
    """The bytes of each user's profile."""
    profiles = cache.store.read(user_ids, []).profiles
    return [contents(profiles[user_id]) for user_id in user_ids]


def revision(cache: Cache, user_id: str) -> bytes:
    """The revision of a user's profile."""
    return cache.store.read([user_id], []).profiles[user_id].revision


def progress(cache: Cache, partition: int = 0) -> tuple[int, int] | None:
    """A partition's stored ``folded_to`` and ``fresh_from``; None where it has no mark."""
    [found] = cache.store.read([], [Span(TOPIC, partition, 0, 0)]).progress
    return None if found.read_folded_to < 0 else (found.folded_to, found.fresh_from)
