"""The profile store on a real Valkey: one round trip each way, compare-and-set, and marks that tell stale profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract.scored import Position
from engine.profile import Profile
from engine.profile.profile import PaymentFacts
from score.delivery import Span
from score.errors import CacheUnavailableError
from score.profile_store import (
    CachedProfile,
    PartitionProgress,
    ProfileWrite,
    RedisProfileStore,
    connect,
    read_profile,
)
from tests.support.payments import make_transaction

if TYPE_CHECKING:
    import redis

TOPIC = "transaction_stream"


@pytest.fixture
def store(redis_client: redis.Redis, cache_endpoint: str) -> RedisProfileStore:
    return RedisProfileStore(connect(cache_endpoint), retention_days=90)


def profile_of(*names: str) -> Profile:
    profile = Profile()
    for offset, name in enumerate(names):
        facts = PaymentFacts.of(make_transaction(transaction_id=name))
        profile.fold(facts, Position(TOPIC, 0, offset))
    return profile


def stored(cached: CachedProfile) -> bytes:
    profile = read_profile(cached)
    assert profile is not None
    return profile.to_bytes()


def test_what_is_written_is_read_back_and_expires(
    store: RedisProfileStore, redis_client: redis.Redis
) -> None:
    profile = profile_of("t-1", "t-2")

    lost = store.write([ProfileWrite("ü 1", profile, b"")], [PartitionProgress(TOPIC, 3, 9, 4)])

    reading = store.read(["ü 1", "nobody"], [Span(TOPIC, 3, 10, 12)])
    assert lost == []
    assert stored(reading.profiles["ü 1"]) == profile.to_bytes()
    assert reading.profiles["nobody"] == CachedProfile(None, b"")
    assert reading.progress == [PartitionProgress(TOPIC, 3, 9, 4, 9)]
    assert 0 < redis_client.ttl("profile:{1}:ü 1") <= 90 * 86_400


def test_a_write_over_a_changed_profile_is_lost_and_moves_no_progress(store: RedisProfileStore) -> None:
    store.write([ProfileWrite("user", profile_of("t-1"), b"")], [PartitionProgress(TOPIC, 0, 0, 0)])
    stale = store.read(["user"], []).profiles["user"].revision
    winner = profile_of("t-1", "t-2")
    store.write([ProfileWrite("user", winner, stale)], [])

    lost = store.write(
        [
            ProfileWrite("user", profile_of("t-1", "t-3"), stale),
            ProfileWrite("other", profile_of("o-1"), b""),
        ],
        [PartitionProgress(TOPIC, 0, 5, 0)],
    )

    reading = store.read(["user", "other"], [Span(TOPIC, 0, 1, 5)])
    assert lost == ["user"]
    assert stored(reading.profiles["user"]) == winner.to_bytes()
    assert stored(reading.profiles["other"]) == profile_of("o-1").to_bytes()
    assert reading.progress == [PartitionProgress(TOPIC, 0, 0, 0, 0)]


def test_a_write_is_lost_where_a_profile_stands_that_was_missing_when_read(store: RedisProfileStore) -> None:
    store.write([ProfileWrite("user", profile_of("t-1"), b"")], [])

    assert store.write([ProfileWrite("user", profile_of("t-2"), b"")], []) == ["user"]


def test_a_profile_rewritten_with_the_same_content_has_another_revision(store: RedisProfileStore) -> None:
    store.write([ProfileWrite("user", profile_of("t-1"), b"")], [])
    first = store.read(["user"], []).profiles["user"].revision
    store.write([ProfileWrite("user", profile_of("t-1"), first)], [])

    assert store.read(["user"], []).profiles["user"].revision != first


def test_a_batch_beyond_the_mark_finds_the_gap(store: RedisProfileStore) -> None:
    store.write([], [PartitionProgress(TOPIC, 0, 9, 0)])

    without_gap = store.read([], [Span(TOPIC, 0, 10, 19)]).progress
    again = store.read([], [Span(TOPIC, 0, 3, 9)]).progress
    with_gap = store.read([], [Span(TOPIC, 0, 15, 19)]).progress
    unknown = store.read([], [Span(TOPIC, 1, 7, 9)]).progress

    assert without_gap == again == [PartitionProgress(TOPIC, 0, 9, 0, 9)]
    assert with_gap == [PartitionProgress(TOPIC, 0, 14, 15, 9)]
    assert unknown == [PartitionProgress(TOPIC, 1, 6, 7)]


def test_progress_never_goes_back(store: RedisProfileStore) -> None:
    store.write([], [PartitionProgress(TOPIC, 0, 20, 15)])

    store.write([], [PartitionProgress(TOPIC, 0, 12, 3)])

    assert store.read([], [Span(TOPIC, 0, 21, 22)]).progress == [PartitionProgress(TOPIC, 0, 20, 15, 20)]


@pytest.mark.parametrize("standing", [None, PartitionProgress(TOPIC, 0, 15, 0)])
def test_nothing_is_written_to_a_cache_whose_progress_is_behind_what_was_read(
    store: RedisProfileStore, standing: PartitionProgress | None
) -> None:
    store.write([], [] if standing is None else [standing])  # a replica that lagged, and is the primary now
    before = store.read(["user"], [Span(TOPIC, 0, 0, 0)])

    with pytest.raises(CacheUnavailableError, match="WentBack"):
        store.write([ProfileWrite("user", profile_of("t-1"), b"")], [PartitionProgress(TOPIC, 0, 25, 0, 20)])

    assert store.read(["user"], [Span(TOPIC, 0, 0, 0)]) == before


def test_a_large_batch_is_one_command_each_way(store: RedisProfileStore, redis_client: redis.Redis) -> None:
    users = [f"user-{number}" for number in range(500)]
    store.write([], [PartitionProgress(TOPIC, 0, 0, 0)])  # the script is loaded by now
    redis_client.config_resetstat()

    store.read(users, [Span(TOPIC, 0, 1, 500)])
    store.write(
        [ProfileWrite(user, profile_of("t"), b"") for user in users], [PartitionProgress(TOPIC, 0, 500, 0)]
    )

    commands = redis_client.info("commandstats")
    assert commands["cmdstat_mget"]["calls"] == 1
    assert commands["cmdstat_evalsha"]["calls"] == 1


def test_a_profile_of_another_format_counts_as_missing(
    store: RedisProfileStore, redis_client: redis.Redis
) -> None:
    redis_client.set("profile:{1}:user", b"revision" + b"\xff not a profile")

    cached = store.read(["user"], []).profiles["user"]

    assert read_profile(cached) is None
    assert store.write([ProfileWrite("user", profile_of("t-1"), cached.revision)], []) == []


def test_a_cache_that_is_away_is_said_to_be_so() -> None:
    store = RedisProfileStore(connect("127.0.0.1:1"), retention_days=1)

    with pytest.raises(CacheUnavailableError, match="ConnectionError"):
        store.read(["user"], [])
    with pytest.raises(CacheUnavailableError):
        store.write([ProfileWrite("user", profile_of("t"), b"")], [])


def test_a_full_cache_is_said_to_be_away(store: RedisProfileStore, redis_client: redis.Redis) -> None:
    limits: dict[str, str] = redis_client.config_get("maxmemory*")  # type: ignore[assignment]
    redis_client.config_set("maxmemory-policy", "noeviction")
    redis_client.config_set("maxmemory", 1)
    try:
        with pytest.raises(CacheUnavailableError):
            store.write([ProfileWrite("user", profile_of("t"), b"")], [])
    finally:
        redis_client.config_set("maxmemory", limits["maxmemory"])
        redis_client.config_set("maxmemory-policy", limits["maxmemory-policy"])


def test_a_profile_rebuilt_behind_the_progress_of_others_stays_missing(store: RedisProfileStore) -> None:
    store.write([], [PartitionProgress(TOPIC, 0, 20, 5)])

    lost = store.write([ProfileWrite("user", profile_of("t-1"), b"")], [PartitionProgress(TOPIC, 0, 10, 7)])

    reading = store.read(["user"], [Span(TOPIC, 0, 21, 25)])
    assert lost == []
    assert reading.profiles["user"] == CachedProfile(None, b"")
    assert reading.progress == [PartitionProgress(TOPIC, 0, 20, 7, 20)]


def test_a_batch_behind_the_progress_of_others_may_change_a_profile_that_stands(
    store: RedisProfileStore,
) -> None:
    store.write([ProfileWrite("user", profile_of("t-1"), b"")], [PartitionProgress(TOPIC, 0, 20, 5)])
    revision = store.read(["user"], []).profiles["user"].revision

    store.write(
        [ProfileWrite("user", profile_of("t-1", "t-2"), revision)], [PartitionProgress(TOPIC, 0, 10, 5)]
    )

    assert stored(store.read(["user"], []).profiles["user"]) == profile_of("t-1", "t-2").to_bytes()
