"""Batching, retries, splits and discards, held to what the Lambda developer guide says of stream and Kafka mappings."""

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.event_sources.planner import Planner
from local.event_sources.records import Batch, Discard, LaneKey, Outcome, Policy
from local.runtime.invocation import FunctionError
from local.specs import KafkaTrigger, StreamTrigger, read_functions
from tests.unit.event_sources.factories import LANE, NOW_S, policy, record, records

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.event_sources.records import SourceRecord

ERROR = FunctionError("ValueError", "bad")
FAILED = Outcome(error=ERROR)
OTHER = LaneKey("topic-1")


def _planner(lanes: tuple[LaneKey, ...] = (LANE,), group: str = "poller-0", **changes: object) -> Planner:
    planner = Planner(policy(**changes))
    for lane in lanes:
        planner.add_lane(lane, group)
    return planner


def _offer(planner: Planner, offered: "list[SourceRecord]", now_s: float = NOW_S) -> None:
    by_lane: dict[LaneKey, list[SourceRecord]] = {}
    for each in offered:
        by_lane.setdefault(each.lane, []).append(each)
    for lane, of_lane in by_lane.items():
        planner.offer(lane.origin, {lane: of_lane}, of_lane[-1].identifier, now_s)


def _batch(planner: Planner, now_s: float = NOW_S) -> Batch:
    work = planner.next(now_s)
    assert isinstance(work, Batch)
    return work


def _discard(planner: Planner, now_s: float = NOW_S) -> Discard:
    work = planner.next(now_s)
    assert isinstance(work, Discard)
    return work


def _positions(work: Batch | Discard) -> list[int]:
    found = work.records if isinstance(work, Batch) else work.piece.records
    return [each.position for each in found]


def _deliver_all(
    planner: Planner, answer: "Callable[[Batch], Outcome]", now_s: float = NOW_S
) -> tuple[list[list[int]], list[tuple[str, list[int]]]]:
    """Work until nothing is left, the clock jumping to whatever is due: positions of each batch, and of each discard."""
    batches: list[list[int]] = []
    discards: list[tuple[str, list[int]]] = []
    for _ in range(10_000):
        work = planner.next(now_s)
        if isinstance(work, Batch):
            batches.append(_positions(work))
            planner.settle(work, answer(work), now_s)
        elif isinstance(work, Discard):
            discards.append((work.condition, _positions(work)))
            planner.finish_discard(work)
        elif planner.unfinished():
            due_s = planner.next_due_s()
            assert due_s is not None
            now_s = max(now_s, due_s)
        else:
            return batches, discards
    raise AssertionError("no end")


class TestBatching:
    """When a batch is sent, and what is in it."""

    def test_a_function_is_invoked_as_soon_as_records_are_available(self) -> None:
        """By default, Lambda invokes your function as soon as records are available."""
        planner = _planner()
        _offer(planner, records(1, 1))

        assert _positions(_batch(planner)) == [1]

    def test_a_batch_has_at_most_the_batch_size(self) -> None:
        """BatchSize: the maximum number of records in each batch."""
        planner = _planner(batch_size=3)
        _offer(planner, records(1, 5))

        batches, _ = _deliver_all(planner, lambda _: Outcome())

        assert batches == [[1, 2, 3], [4, 5]]

    def test_a_window_gathers_records_until_it_expires(self) -> None:
        """Lambda continues to read records until it has gathered a full batch, or until the batch window expires."""
        planner = _planner(batch_window_seconds=5)
        _offer(planner, records(1, 2))

        early = planner.next(NOW_S + 4.9)

        assert early is None
        assert planner.next_due_s() == NOW_S + 5
        assert _positions(_batch(planner, NOW_S + 5)) == [1, 2]

    def test_a_full_batch_does_not_wait_for_the_window(self) -> None:
        planner = _planner(batch_window_seconds=5, batch_size=2)
        _offer(planner, records(1, 2))

        assert _positions(_batch(planner)) == [1, 2]

    def test_a_batch_stays_under_the_payload_limit(self) -> None:
        """...until the batch reaches the payload limit of 6 MB."""
        planner = _planner(max_batch_bytes=100, batch_window_seconds=5)
        _offer(planner, [record(position, size=40) for position in (1, 2, 3)])

        assert _positions(_batch(planner)) == [1, 2]

    def test_a_record_that_no_payload_can_hold_is_given_up_without_an_invocation(self) -> None:
        """Condition MaximumPayloadSizeExceeded; responseContext is null."""
        planner = _planner(max_batch_bytes=100)
        _offer(planner, [record(1, size=101), record(2)])

        batches, discards = _deliver_all(planner, lambda _: Outcome())

        assert discards == [("MaximumPayloadSizeExceeded", [1])]
        assert batches == [[2]]

    def test_partitions_of_one_poller_share_a_batch(self) -> None:
        planner = _planner((LANE, OTHER))
        _offer(planner, records(1, 2) + records(7, 8, OTHER))

        assert _positions(_batch(planner)) == [1, 2, 7, 8]

    def test_lanes_of_different_groups_do_not_share_a_batch(self) -> None:
        """ParallelizationFactor: the number of batches to process concurrently from each shard."""
        planner = _planner((LANE,), "shard/0")
        planner.add_lane(OTHER, "shard/1")
        _offer(planner, records(1, 2) + records(3, 4, OTHER))

        assert [_positions(_batch(planner)), _positions(_batch(planner))] == [[1, 2], [3, 4]]

    def test_a_lane_has_at_most_one_batch_in_flight(self) -> None:
        """Lambda processes each partition's messages sequentially; one batch of a shard's key at a time."""
        planner = _planner(batch_size=2)
        _offer(planner, records(1, 4))
        first = _batch(planner)

        meanwhile = planner.next(NOW_S)

        assert meanwhile is None
        planner.settle(first, Outcome(), NOW_S)
        assert _positions(_batch(planner)) == [3, 4]


class TestRetries:
    """What happens to records that a function does not take."""

    def test_a_failed_batch_is_delivered_again_before_later_records(self) -> None:
        """If your function returns an error, Lambda retries the batch until success, expiry or the quota; it blocks the shard."""
        planner = _planner(batch_size=2)
        _offer(planner, records(1, 4))
        tries = iter([FAILED, Outcome(), Outcome()])

        batches, discards = _deliver_all(planner, lambda _: next(tries))

        assert batches == [[1, 2], [1, 2], [3, 4]]
        assert discards == []

    def test_retries_wait_longer_each_time(self) -> None:
        """Lambda retries with an exponential backoff."""
        planner = _planner(maximum_retries=3)
        _offer(planner, records(1, 1))
        now_s, delays = NOW_S, []
        for _ in range(3):
            planner.settle(_batch(planner, now_s), FAILED, now_s)
            due_s = planner.next_due_s()
            assert due_s is not None
            delays.append(due_s - now_s)
            now_s = due_s

        assert delays == [1, 2, 4]

    def test_a_delay_has_a_limit(self) -> None:
        assert policy(retry_maximum_seconds=5.0).delay_seconds(1000) == 5.0

    @pytest.mark.parametrize("maximum_retries", [0, 1, 3])
    def test_records_are_given_up_after_the_retries(self, maximum_retries: int) -> None:
        """Maximum retry attempts: the times Lambda retries when your function returns an error; not the first invocation."""
        planner = _planner(maximum_retries=maximum_retries)
        _offer(planner, records(1, 2))

        batches, discards = _deliver_all(planner, lambda _: FAILED)

        assert batches == [[1, 2]] * (1 + maximum_retries)
        assert discards == [("RetryAttemptsExhausted", [1, 2])]

    def test_records_behind_those_given_up_go_on(self) -> None:
        """Lambda discards the records and continues processing batches from the stream."""
        planner = _planner(batch_size=1, maximum_retries=0)
        _offer(planner, records(1, 2))

        batches, discards = _deliver_all(
            planner, lambda batch: FAILED if _positions(batch) == [1] else Outcome()
        )

        assert batches == [[1], [2]]
        assert discards == [("RetryAttemptsExhausted", [1])]

    def test_a_retry_of_one_lane_does_not_hold_up_another(self) -> None:
        planner = _planner((LANE, OTHER), batch_size=1)
        _offer(planner, records(1, 1) + records(1, 1, OTHER))
        planner.settle(_batch(planner), FAILED, NOW_S)

        assert _batch(planner).records[0].lane == OTHER

    def test_records_over_the_maximum_age_are_given_up(self) -> None:
        """Maximum age of record: the maximum age of a record that Lambda sends to your function."""
        planner = _planner(maximum_record_age_seconds=60)
        _offer(planner, [record(1, arrived_at_s=NOW_S - 61), record(2, arrived_at_s=NOW_S - 59)])

        batches, discards = _deliver_all(planner, lambda _: Outcome())

        assert discards == [("RecordAgeExceeded", [1])]
        assert batches == [[2]]

    def test_records_that_grow_too_old_between_retries_are_given_up(self) -> None:
        planner = _planner(maximum_record_age_seconds=60, maximum_retries=100)
        _offer(planner, [record(1, arrived_at_s=NOW_S - 50), record(2, arrived_at_s=NOW_S)])
        planner.settle(_batch(planner), FAILED, NOW_S)

        discard = _discard(planner, NOW_S + 11)

        assert (discard.condition, _positions(discard)) == ("RecordAgeExceeded", [1])
        planner.finish_discard(discard)
        assert _positions(_batch(planner, NOW_S + 11)) == [2]

    def test_given_up_records_stay_until_the_destination_is_told(self) -> None:
        planner = _planner(maximum_retries=0)
        _offer(planner, records(1, 1))
        planner.settle(_batch(planner), FAILED, NOW_S)
        first = _discard(planner, NOW_S + 1)
        while_told = planner.next(NOW_S + 1)

        planner.postpone_discard(first)

        assert while_told is None
        assert planner.unfinished() == 1
        assert _discard(planner, NOW_S + 1) == first


class TestPartialFailures:
    """What is delivered again where the function names the records that failed."""

    def test_the_lowest_failed_record_and_all_behind_it_are_delivered_again(self) -> None:
        """Lambda uses the record with the lowest sequence number as the checkpoint, and retries all records from there."""
        planner = _planner()
        _offer(planner, records(1, 5))
        tries = iter([Outcome(failed={LANE: 3}), Outcome()])

        batches, _ = _deliver_all(planner, lambda _: next(tries))

        assert batches == [[1, 2, 3, 4, 5], [3, 4, 5]]

    def test_a_partition_without_a_failed_offset_is_done(self) -> None:
        planner = _planner((LANE, OTHER))
        _offer(planner, records(1, 2) + records(1, 2, OTHER))

        done = planner.settle(_batch(planner), Outcome(failed={OTHER: 2}), NOW_S)

        assert done == 3
        assert planner.progress(LANE.origin).first_unfinished is None
        waiting = planner.progress(OTHER.origin).first_unfinished
        assert waiting is not None
        assert waiting.position == 2

    def test_without_bisecting_a_partial_failure_takes_one_of_the_retries(self) -> None:
        planner = _planner(maximum_retries=1)
        _offer(planner, records(1, 3))

        batches, discards = _deliver_all(planner, lambda _: Outcome(failed={LANE: 3}))

        assert batches == [[1, 2, 3], [3]]
        assert discards == [("RetryAttemptsExhausted", [3])]


class TestBisecting:
    """BisectBatchOnFunctionError."""

    def test_a_failed_batch_is_split_in_two(self) -> None:
        """When your function returns an error, split the batch into two smaller batches and retry each separately."""
        planner = _planner(bisect_on_error=True)
        _offer(planner, records(1, 4))
        tries = iter([FAILED, Outcome(), Outcome()])

        batches, _ = _deliver_all(planner, lambda _: next(tries))

        assert batches == [[1, 2, 3, 4], [1, 2], [3, 4]]

    def test_splitting_does_not_consume_the_retry_quota(self) -> None:
        """Splitting batches doesn't consume the retry quota."""
        planner = _planner(bisect_on_error=True, maximum_retries=0, batch_size=16)
        _offer(planner, records(0, 15))

        batches, discards = _deliver_all(
            planner, lambda batch: FAILED if 6 in _positions(batch) else Outcome()
        )

        assert discards == [("RetryAttemptsExhausted", [6])]
        assert sorted({each for batch in batches for each in batch}) == list(range(16))

    def test_a_partial_failure_is_split_at_the_returned_record(self) -> None:
        """The batch is bisected at the returned sequence number and Lambda retries only the remaining records."""
        planner = _planner(bisect_on_error=True, maximum_retries=0)
        _offer(planner, records(1, 4))
        tries = iter([Outcome(failed={LANE: 3}), Outcome()])

        batches, discards = _deliver_all(planner, lambda _: next(tries))

        assert batches == [[1, 2, 3, 4], [3, 4]]
        assert discards == []

    def test_a_record_that_always_fails_is_given_up_alone(self) -> None:
        planner = _planner(bisect_on_error=True)
        _offer(planner, records(1, 10))

        _, discards = _deliver_all(
            planner,
            lambda batch: Outcome(failed={LANE: 4}) if 4 in _positions(batch) else Outcome(),
        )

        assert discards == [("RetryAttemptsExhausted", [4])]

    def test_a_failed_batch_of_several_partitions_is_split_between_them(self) -> None:
        planner = _planner((LANE, OTHER), bisect_on_error=True)
        _offer(planner, records(1, 2) + records(7, 8, OTHER))
        tries = iter([FAILED, Outcome(), Outcome()])

        batches, _ = _deliver_all(planner, lambda _: next(tries))

        assert batches == [[1, 2, 7, 8], [1, 2], [7, 8]]

    def test_a_lone_record_is_retried_as_often_as_the_quota_says(self) -> None:
        planner = _planner(bisect_on_error=True, maximum_retries=2)
        _offer(planner, records(1, 1))

        batches, discards = _deliver_all(planner, lambda _: FAILED)

        assert batches == [[1]] * 3
        assert len(discards) == 1


class TestProgress:
    """Where a restart goes on."""

    def test_it_is_the_first_record_that_is_not_done_with(self) -> None:
        planner = _planner()
        _offer(planner, records(1, 3))

        before = planner.progress(LANE.origin)
        planner.settle(_batch(planner), Outcome(failed={LANE: 2}), NOW_S)
        after = planner.progress(LANE.origin)

        assert before.first_unfinished == record(1)
        assert after.first_unfinished == record(2)

    def test_filtered_records_count_as_read(self) -> None:
        planner = _planner()
        planner.offer(LANE.origin, {}, "7", NOW_S)

        assert planner.progress(LANE.origin).read_to == "7"

    def test_of_a_shard_it_is_the_least_of_its_lanes(self) -> None:
        first, second = LaneKey("shard", 0), LaneKey("shard", 1)
        planner = _planner((first,), "shard/0")
        planner.add_lane(second, "shard/1")
        planner.offer("shard", {first: [record(1, first)], second: [record(2, second)]}, "2", NOW_S)
        planner.settle(_batch(planner), Outcome(), NOW_S)

        assert planner.progress("shard").first_unfinished == record(2, second)


@settings(deadline=None, max_examples=200)
@given(
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=4),
    batch_size=st.integers(1, 8),
    bisect=st.booleans(),
    maximum_retries=st.integers(0, 3),
    data=st.data(),
)
def test_every_record_is_taken_or_given_up_once_and_in_order(
    sizes: list[int], batch_size: int, bisect: bool, maximum_retries: int, data: st.DataObject
) -> None:
    """Whatever fails, how often and how: each lane's records end in order, each once, with nothing left."""
    lanes = [LaneKey(f"topic-{index}") for index in range(len(sizes))]
    planner = Planner(policy(batch_size=batch_size, bisect_on_error=bisect, maximum_retries=maximum_retries))
    for lane, size in zip(lanes, sizes, strict=True):
        planner.add_lane(lane, "poller-0")
        _offer(planner, records(0, size - 1, lane))
    ended: dict[LaneKey, list[int]] = {lane: [] for lane in lanes}
    poisoned = {
        lane: data.draw(st.sets(st.integers(0, size - 1))) for lane, size in zip(lanes, sizes, strict=True)
    }
    now_s = NOW_S

    while planner.unfinished():
        work = planner.next(now_s)
        if isinstance(work, Discard):
            ended[work.piece.lane] += _positions(work)
            planner.finish_discard(work)
        elif isinstance(work, Batch):
            outcome = _draw_outcome(work, poisoned, data)
            planner.settle(work, outcome, now_s)
            for piece in work.pieces:
                failed_at = outcome.failed.get(piece.lane)
                if outcome.error is None:
                    ended[piece.lane] += [
                        each.position
                        for each in piece.records
                        if failed_at is None or each.position < failed_at
                    ]
        else:
            due_s = planner.next_due_s()
            assert due_s is not None
            now_s = max(now_s, due_s)

    assert ended == {lane: list(range(size)) for lane, size in zip(lanes, sizes, strict=True)}


def _draw_outcome(batch: Batch, poisoned: dict[LaneKey, set[int]], data: st.DataObject) -> Outcome:
    bad = [each for each in batch.records if each.position in poisoned[each.lane]]
    if not bad:
        return Outcome()
    if data.draw(st.booleans()):
        return FAILED
    failed: dict[LaneKey, int] = {}
    for each in bad:
        failed[each.lane] = min(each.position, failed.get(each.lane, each.position))
    return Outcome(failed=failed)


@pytest.mark.parametrize("name", ["score", "persist", "alert"])
def test_the_policy_of_a_function_is_what_its_yaml_says(name: str) -> None:
    trigger = read_functions()[name].trigger
    assert isinstance(trigger, KafkaTrigger | StreamTrigger)

    made = Policy.from_trigger(trigger, 0.1, 5.0)

    assert made.batch_size == trigger.batch_size
    assert made.maximum_retries == trigger.maximum_retries
    assert made.bisect_on_error == trigger.bisect_on_error
