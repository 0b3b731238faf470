"""Which cached profiles a batch uses, which it may write, and how far it says each partition is folded."""

from __future__ import annotations

import pytest

from contract.scored import Position
from engine.profile import Profile, from_bytes, to_bytes
from score.batch_work import BatchWork
from score.delivery import Batch, Delivery, Span
from score.profile_store import CachedProfile, CacheReading, PartitionProgress
from tests.support.kafka_events import TOPIC
from tests.support.payments import APPROVED, make_transaction, trusted_facts

REVISION = b"revision"
NOW_S = 1_790_000_000


def delivery(offset: int, user_id: str = "user-1", partition: int = 0) -> Delivery:
    transaction = make_transaction(transaction_id=f"t-{offset}", user_id=user_id)
    return Delivery(trusted_facts(transaction), Position(TOPIC, partition, offset), 0, is_key_mismatch=False)


def work_of(*deliveries: Delivery, spans: list[Span] | None = None) -> BatchWork:
    offsets = [one.position.offset for one in deliveries]
    batch = Batch(list(deliveries), [], spans or [Span(TOPIC, 0, min(offsets), max(offsets))])
    return BatchWork(batch, NOW_S)


def cached(complete_to: int, partition: int = 0) -> CachedProfile:
    profile = Profile()
    profile.mark_complete_to(TOPIC, partition, complete_to)
    return CachedProfile(to_bytes(profile), REVISION)


def progress(folded_to: int, fresh_from: int, partition: int = 0, read: int = 7) -> PartitionProgress:
    return PartitionProgress(TOPIC, partition, folded_to, fresh_from, read)


def test_payments_are_grouped_by_user_in_their_order() -> None:
    work = work_of(delivery(5), delivery(6, "user-2"), delivery(7))

    assert {user: [one.position.offset for one in of_user] for user, of_user in work.by_user.items()} == {
        "user-1": [5, 7],
        "user-2": [6],
    }


@pytest.mark.parametrize(("complete_to", "is_used"), [(3, True), (4, True), (2, False)])
def test_cached_profile_is_used_if_it_was_folded_at_or_after_fresh_from(
    complete_to: int, is_used: bool
) -> None:
    work = work_of(delivery(5))

    work.use_cached(CacheReading({"user-1": cached(complete_to)}, [progress(4, fresh_from=3)]))

    assert (work.without_profile(["user-1"]) == []) is is_used


def test_cached_profile_must_be_fresh_on_every_partition_of_its_payments() -> None:
    spans = [Span(TOPIC, 0, 5, 5), Span(TOPIC, 1, 9, 9)]
    both, first = (
        work_of(delivery(5), delivery(9, partition=1), spans=spans),
        work_of(delivery(5), spans=spans),
    )
    reading = CacheReading({"user-1": cached(4)}, [progress(4, 3), progress(8, 3, partition=1)])

    for work in (both, first):
        work.use_cached(reading)

    assert both.without_profile(["user-1"]) == ["user-1"]
    assert first.without_profile(["user-1"]) == []


@pytest.mark.parametrize("broken", [CachedProfile(None, b""), CachedProfile(b"\xff", REVISION)])
def test_profile_that_is_missing_or_unreadable_is_left_to_be_rebuilt(broken: CachedProfile) -> None:
    work = work_of(delivery(5))

    work.use_cached(CacheReading({"user-1": broken}, [progress(4, 0)]))

    assert work.without_profile(["user-1"]) == ["user-1"]
    assert work.revision("user-1") == broken.revision


def test_second_reading_replaces_profiles_and_revisions_of_the_first() -> None:
    work = work_of(delivery(5))
    work.use_cached(CacheReading({"user-1": cached(4)}, [progress(4, 0)]))

    work.use_cached(CacheReading({"user-1": CachedProfile(None, b"")}, [progress(4, 0)]))

    assert work.profiles == {}
    assert work.revision("user-1") == b""


def test_profile_before_the_batch_is_known_after_payments_were_folded() -> None:
    work = work_of(delivery(5), delivery(6, "user-2"))
    work.use_cached(CacheReading({"user-1": cached(4)}, [progress(4, 0)]))
    rebuilt = Profile()
    rebuilt.mark_complete_to(TOPIC, 0, 3)
    work.use_rebuilt("user-2", rebuilt)
    for user_id in work.by_user:
        work.profiles[user_id].fold(delivery(5).facts, APPROVED, Position(TOPIC, 0, 5))

    before = [from_bytes(work.body_before(user_id)) for user_id in ("user-1", "user-2")]

    assert [profile.tx_count for profile in before] == [0, 0]
    assert [profile.folded_offset(TOPIC, 0) for profile in before] == [4, 3]


@pytest.mark.parametrize(("folded_to", "may_write"), [(5, True), (6, True), (7, False)])
def test_rebuilt_profile_may_be_written_unless_others_have_passed_the_batch(
    folded_to: int, may_write: bool
) -> None:
    work = work_of(delivery(5), delivery(6, "user-2"))
    work.use_cached(CacheReading({"user-2": cached(4)}, [progress(folded_to, 0)]))
    work.use_rebuilt("user-1", Profile())

    assert work.may_write("user-1") is may_write
    assert work.may_write("user-2")


def test_batch_is_passed_if_others_have_passed_one_of_its_partitions() -> None:
    spans = [Span(TOPIC, 0, 5, 6), Span(TOPIC, 1, 9, 9)]
    work = work_of(delivery(5), spans=spans)
    work.use_cached(CacheReading({}, [progress(5, 0), progress(10, 0, partition=1)]))
    work.use_rebuilt("user-1", Profile())

    assert not work.may_write("user-1")


def test_progress_is_the_end_of_each_partition_or_the_offset_before_its_first_failure() -> None:
    spans = [Span(TOPIC, 0, 5, 9), Span(TOPIC, 1, 20, 29), Span("other", 0, 1, 3)]
    work = work_of(delivery(5), spans=spans)
    work.use_cached(
        CacheReading({}, [progress(4, 2), progress(19, 11, 1, 18), PartitionProgress("other", 0, 0, 0, -1)])
    )

    done = work.progress({Position(TOPIC, 0, 8), Position(TOPIC, 0, 7)})

    assert done == [
        progress(6, 2),
        progress(29, 11, 1, 18),
        PartitionProgress("other", 0, 3, 0, -1),
    ]


def test_reading_without_marks_keeps_those_of_the_reading_before() -> None:
    work = work_of(delivery(5))
    work.use_cached(CacheReading({}, [progress(4, 3)]))

    work.use_cached(CacheReading({"user-1": cached(2)}, []))

    assert work.without_profile(["user-1"]) == ["user-1"]
    assert work.progress(set()) == [progress(5, 3)]
