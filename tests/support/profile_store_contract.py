"""What the score stage relies on in its profile store, checked on every implementation of it.

A subclass gives the fixture ``cache``; the same tests then hold for the store in memory, fakeredis, a real Valkey, and the
checkpoints in DynamoDB. The model test and its mutants run on the store in memory: everything that they rely on must be a test here,
or in :class:`tests.support.cache_contract.CacheContract`, which is for caches alone.
"""

from __future__ import annotations

import pytest

from common.errors import CacheUnavailableError
from engine.profile import to_bytes
from score.delivery import Span
from score.profile_store import REVISION_BYTES, CacheReading, ProfileWrite
from tests.support.kafka_events import TOPIC
from tests.support.profile_stores import (
    ABSENT,
    Cache,
    contents,
    mark,
    new,
    profile_of,
    progress,
    read,
    revision,
)


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
