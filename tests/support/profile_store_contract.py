"""What the score stage relies on in its profile store, checked on every implementation of it.

A subclass gives the fixture ``cache``; the same tests then hold for the store in memory, fakeredis, a real Valkey, and the
checkpoints in DynamoDB. The model test and its mutants run on the store in memory: everything that they rely on must be a test here.

:class:`CacheContract` is for caches alone. A cache evicts profiles, and may answer from a replica that lags behind, so it looks at
the marks before it writes any profile, in one step. DynamoDB evicts nothing, and its consistent reads never go back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest

from contract.scored import Position
from engine.profile import Profile, to_bytes
from score.delivery import Span
from score.errors import CacheUnavailableError
from score.profile_store import (
    REVISION_BYTES,
    CachedProfile,
    CacheReading,
    PartitionProgress,
    ProfileWrite,
    RedisProfileStore,
    read_profile,
)
from tests.support.kafka_events import TOPIC
from tests.support.payments import APPROVED, make_transaction, trusted_facts

if TYPE_CHECKING:
    import redis

    from score.checkpoint_store import DynamoCheckpointStore
    from score.profile_store import ProfileStore

ABSENT = CachedProfile(None, b"")
"""How a profile is read that the cache does not hold."""


class Cache(Protocol):
    """A profile store, and ways to lose what it holds."""

    @property
    def store(self) -> ProfileStore:
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
        self.store: ProfileStore = store
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
        self.store: ProfileStore = store
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


class ProfileStoreContract:
    """Tests of :class:`score.profile_store.ProfileStore`."""

    # Reading and writing

    def test_written_profiles_and_marks_are_read_back(self, cache: Cache) -> None:
        lost = cache.store.write([new("ü 1", "t-1", "t-2"), new("user-2", "t-3")], [mark(9, 4, partition=3)])

        reading = cache.store.read(["user-2", "nobody", "ü 1"], [Span(TOPIC, 3, 10, 12)])
        assert lost == []
        assert list(reading.profiles) == ["user-2", "nobody", "ü 1"]
        assert contents(reading.profiles["ü 1"]) == to_bytes(profile_of("t-1", "t-2"))
        assert contents(reading.profiles["user-2"]) == to_bytes(profile_of("t-3"))
        assert reading.profiles["nobody"] == ABSENT
        assert reading.progress == [mark(9, 4, read_folded_to=9, partition=3)]

    def test_nothing_to_read_or_write_is_nothing(self, cache: Cache) -> None:
        assert cache.store.write([], []) == []
        assert cache.store.read([], []) == CacheReading({}, [])

    def test_profiles_may_be_written_without_marks(self, cache: Cache) -> None:
        assert cache.store.write([new("user-1", "t-1")], []) == []

        assert read(cache, "user-1") == [to_bytes(profile_of("t-1"))]
        assert progress(cache) is None

    # Revisions and compare-and-set

    def test_profile_that_is_still_as_read_is_replaced(self, cache: Cache) -> None:
        cache.store.write([new("user-1", "t-1")], [])
        as_read = revision(cache, "user-1")

        lost = cache.store.write([ProfileWrite("user-1", profile_of("t-1", "t-2"), as_read)], [])

        assert lost == []
        assert read(cache, "user-1") == [to_bytes(profile_of("t-1", "t-2"))]

    def test_each_write_gives_a_profile_a_revision_of_its_own(self, cache: Cache) -> None:
        cache.store.write([new("user-1", "t"), new("user-2", "t")], [])
        before = revision(cache, "user-1")
        cache.store.write([ProfileWrite("user-1", profile_of("t"), before)], [])

        revisions = {before, revision(cache, "user-1"), revision(cache, "user-2")}

        assert len(revisions) == 3
        assert {len(one) for one in revisions} == {REVISION_BYTES}

    def test_profile_that_was_changed_since_is_lost_and_stays(self, cache: Cache) -> None:
        cache.store.write([new("user-1", "t-1")], [])
        stale = revision(cache, "user-1")
        cache.store.write([ProfileWrite("user-1", profile_of("t-1", "t-2"), stale)], [])

        lost = cache.store.write([ProfileWrite("user-1", profile_of("t-1", "t-3"), stale)], [])

        assert lost == ["user-1"]
        assert read(cache, "user-1") == [to_bytes(profile_of("t-1", "t-2"))]

    def test_profile_that_was_missing_when_read_and_exists_is_lost(self, cache: Cache) -> None:
        cache.store.write([new("user-1", "t-1")], [])

        assert cache.store.write([new("user-1", "t-2")], []) == ["user-1"]

        assert read(cache, "user-1") == [to_bytes(profile_of("t-1"))]

    def test_profile_that_existed_when_read_and_is_missing_is_lost(self, cache: Cache) -> None:
        cache.store.write([new("user-1", "t-1")], [])
        as_read = revision(cache, "user-1")
        cache.evict_profile("user-1")

        assert cache.store.write([ProfileWrite("user-1", profile_of("t-1", "t-2"), as_read)], []) == [
            "user-1"
        ]

        assert read(cache, "user-1") == [None]

    def test_write_that_is_sent_twice_is_lost_the_second_time(self, cache: Cache) -> None:
        writes = [new("user-1", "t-1"), new("user-2", "t-2")]
        cache.store.write(writes, [mark(5)])

        assert cache.store.write(writes, [mark(5)]) == ["user-1", "user-2"]

    def test_partial_loss_writes_the_other_profiles_and_leaves_all_marks(self, cache: Cache) -> None:
        cache.store.write([new("user-2", "t-1")], [mark(0, 0), mark(7, 2, partition=1)])

        lost = cache.store.write(
            [new("user-1", "t-2"), new("user-2", "t-3"), new("user-3", "t-4")],
            [mark(5, 1), mark(9, 3, partition=1), mark(4, partition=2)],
        )

        assert lost == ["user-2"]
        assert read(cache, "user-1", "user-2", "user-3") == [
            to_bytes(profile_of(name)) for name in ("t-2", "t-1", "t-4")
        ]
        assert [progress(cache, partition) for partition in range(3)] == [(0, 0), (7, 2), None]

    def test_lost_users_are_named_in_the_order_of_the_writes(self, cache: Cache) -> None:
        cache.store.write([new("a", "t"), new("c", "t")], [])

        assert cache.store.write([new("c", "t"), new("b", "t"), new("a", "t")], []) == ["c", "a"]

    # What a read reports about gaps

    @pytest.mark.parametrize("first", [0, 3, 9, 10])
    def test_batch_that_begins_up_to_the_offset_after_the_mark_finds_no_gap(
        self, cache: Cache, first: int
    ) -> None:
        cache.store.write([], [mark(9, 4)])

        assert cache.store.read([], [Span(TOPIC, 0, first, 19)]).progress == [mark(9, 4, read_folded_to=9)]

    @pytest.mark.parametrize("first", [11, 15])
    def test_batch_that_begins_later_finds_the_gap_and_trusts_no_older_profile(
        self, cache: Cache, first: int
    ) -> None:
        cache.store.write([], [mark(9, 4)])

        assert cache.store.read([], [Span(TOPIC, 0, first, 19)]).progress == [
            mark(first - 1, first, read_folded_to=9)
        ]

    @pytest.mark.parametrize("first", [0, 7])
    def test_batch_of_a_partition_without_a_mark_trusts_no_older_profile(
        self, cache: Cache, first: int
    ) -> None:
        cache.store.write([], [mark(9, 4, partition=1)])

        assert cache.store.read([], [Span(TOPIC, 0, first, 9)]).progress == [mark(first - 1, first)]

    def test_reading_writes_nothing(self, cache: Cache) -> None:
        cache.store.write([], [mark(9, 4)])

        cache.store.read(["user-1"], [Span(TOPIC, 0, 15, 19), Span(TOPIC, 1, 3, 4)])

        assert progress(cache) == (9, 4)
        assert progress(cache, partition=1) is None

    def test_spans_are_answered_in_their_order(self, cache: Cache) -> None:
        cache.store.write([], [mark(9, 4), mark(5, 3, partition=1)])

        answer = cache.store.read([], [Span(TOPIC, 1, 6, 6), Span(TOPIC, 2, 0, 0), Span(TOPIC, 0, 10, 10)])

        assert answer.progress == [
            mark(5, 3, read_folded_to=5, partition=1),
            mark(-1, 0, partition=2),
            mark(9, 4, read_folded_to=9),
        ]

    # Marks advance and never go back

    @pytest.mark.parametrize(
        ("written", "stored"),
        [
            ((25, 18), (25, 18)),
            ((25, 3), (25, 15)),
            ((12, 18), (20, 18)),
            ((12, 3), (20, 15)),
            ((20, 15), (20, 15)),
        ],
    )
    def test_each_half_of_a_mark_advances_and_never_goes_back(
        self, cache: Cache, written: tuple[int, int], stored: tuple[int, int]
    ) -> None:
        cache.store.write([], [mark(20, 15)])

        cache.store.write([], [mark(*written)])

        assert progress(cache) == stored

    def test_first_mark_of_a_partition_is_stored_as_it_is(self, cache: Cache) -> None:
        cache.store.write([], [mark(0, -1), mark(-1, -1, partition=1)])

        first, second = cache.store.read([], [Span(TOPIC, 0, 1, 1), Span(TOPIC, 1, 0, 0)]).progress

        assert (first, second) == (mark(0, -1, read_folded_to=0), mark(-1, -1, partition=1))

    # Marks that went back

    @pytest.mark.parametrize(("stored", "as_read"), [(None, 0), (None, 20), (15, 16), (19, 20)])
    def test_mark_that_is_lower_than_when_it_was_read_is_reported_and_stays(
        self, cache: Cache, stored: int | None, as_read: int
    ) -> None:
        if stored is not None:
            cache.store.write([], [mark(stored)])

        with pytest.raises(CacheUnavailableError, match=r"^WentBack$"):
            cache.store.write([], [mark(25, 0, read_folded_to=as_read)])

        assert progress(cache) == (None if stored is None else (stored, 0))

    @pytest.mark.parametrize(("stored", "as_read"), [(None, -1), (20, -1), (20, 19), (20, 20)])
    def test_mark_that_is_as_read_or_higher_is_written_over(
        self, cache: Cache, stored: int | None, as_read: int
    ) -> None:
        if stored is not None:
            cache.store.write([], [mark(stored)])

        assert cache.store.write([new("user-1", "t-1")], [mark(25, read_folded_to=as_read)]) == []

        assert read(cache, "user-1") == [to_bytes(profile_of("t-1"))]
        assert progress(cache) == (25, 0)

    # Batches that other writers have passed

    @pytest.mark.parametrize("folded_to", [20, 21])
    def test_missing_profile_is_written_by_the_batch_that_nobody_has_passed(
        self, cache: Cache, folded_to: int
    ) -> None:
        cache.store.write([], [mark(20, 5)])

        assert cache.store.write([new("user-1", "t-1")], [mark(folded_to, 5)]) == []

        assert read(cache, "user-1") == [to_bytes(profile_of("t-1"))]

    def test_existing_profile_is_changed_behind_the_progress_of_others(self, cache: Cache) -> None:
        cache.store.write([new("user-1", "t-1")], [mark(20, 5)])
        as_read = revision(cache, "user-1")

        lost = cache.store.write([ProfileWrite("user-1", profile_of("t-1", "t-2"), as_read)], [mark(10, 5)])

        assert lost == []
        assert read(cache, "user-1") == [to_bytes(profile_of("t-1", "t-2"))]


class CacheContract(ProfileStoreContract):
    """Tests of stores that evict profiles, and may go back."""

    # A cache whose marks went back

    @pytest.mark.parametrize(("stored", "as_read"), [(None, 0), (None, 20), (15, 16), (19, 20)])
    def test_nothing_is_written_where_a_mark_is_lower_than_when_it_was_read(
        self, cache: Cache, stored: int | None, as_read: int
    ) -> None:
        cache.store.write([new("user-2", "t-2")], [mark(3, partition=1)])
        if stored is not None:
            cache.store.write([], [mark(stored)])  # of a replica that lagged, and is the primary now
        before = cache.store.read(["user-1", "user-2"], [Span(TOPIC, 0, 0, 0), Span(TOPIC, 1, 0, 0)])
        second = ProfileWrite("user-2", profile_of("t-2", "t-3"), before.profiles["user-2"].revision)

        with pytest.raises(CacheUnavailableError, match=r"^WentBack$"):
            cache.store.write(
                [new("user-1", "t-1"), second],
                [mark(8, read_folded_to=3, partition=1), mark(25, 0, read_folded_to=as_read)],
            )

        assert cache.store.read(["user-1", "user-2"], [Span(TOPIC, 0, 0, 0), Span(TOPIC, 1, 0, 0)]) == before

    def test_mark_that_was_evicted_since_it_was_read_shows_that_the_cache_went_back(
        self, cache: Cache
    ) -> None:
        cache.store.write([], [mark(20)])
        cache.evict_progress(0)

        with pytest.raises(CacheUnavailableError, match=r"^WentBack$"):
            cache.store.write([new("user-1", "t-1")], [mark(25, read_folded_to=20)])

        assert read(cache, "user-1") == [None]

    def test_cache_that_went_back_is_reported_before_a_lost_profile(self, cache: Cache) -> None:
        cache.store.write([new("user-1", "t-1")], [])

        with pytest.raises(CacheUnavailableError, match=r"^WentBack$"):
            cache.store.write([new("user-1", "t-2")], [mark(25, read_folded_to=20)])

    # Batches that other writers have passed

    def test_missing_profile_stays_missing_behind_the_progress_of_others(self, cache: Cache) -> None:
        cache.store.write([], [mark(20, 5)])

        lost = cache.store.write([new("user-1", "t-1")], [mark(19, 7)])

        assert lost == []
        assert read(cache, "user-1") == [None]
        assert progress(cache) == (20, 7)

    def test_batch_that_was_passed_on_one_partition_of_several_leaves_missing_profiles_missing(
        self, cache: Cache
    ) -> None:
        cache.store.write([], [mark(20), mark(5, partition=1)])

        for marks in ([mark(19), mark(9, partition=1)], [mark(9, partition=1), mark(19)]):
            assert cache.store.write([new("user-1", "t-1")], marks) == []

        assert read(cache, "user-1") == [None]
        assert (progress(cache), progress(cache, partition=1)) == ((20, 0), (9, 0))

    def test_profile_that_appeared_behind_the_progress_of_others_is_lost(self, cache: Cache) -> None:
        cache.store.write([new("user-1", "t-1")], [mark(20, 5)])

        assert cache.store.write([new("user-1", "t-2"), new("user-2", "t-3")], [mark(10, 7)]) == ["user-1"]

        assert read(cache, "user-1", "user-2") == [to_bytes(profile_of("t-1")), None]
        assert progress(cache) == (20, 5)
