"""What the score stage relies on in a cache, beyond what it relies on in every profile store.

A cache evicts profiles, and may answer from a replica that lags behind, so it looks at the marks before it writes any profile, in one
step. DynamoDB evicts nothing, and its consistent reads never go back.
"""

from __future__ import annotations

import pytest

from common.errors import CacheUnavailableError
from engine.profile import to_bytes
from score.delivery import Span
from score.profile_store import ProfileWrite
from tests.support.kafka_events import TOPIC
from tests.support.profile_store_contract import ProfileStoreContract
from tests.support.profile_stores import Cache, mark, new, profile_of, progress, read


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
