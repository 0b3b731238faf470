"""Splits, resume points and that each record ends once, compared with the Lambda developer guide on stream and Kafka mappings."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.event_sources.planner import Planner
from local.event_sources.records import Batch, DeliveryResult, Discard, Policy, QueueKey
from ops.manifests import KafkaTrigger, StreamTrigger, read_functions
from tests.unit.event_sources.factories import NOW_S, QUEUE, policy, record, records
from tests.unit.event_sources.planning import (
    FAILED,
    OTHER,
    batch,
    deliver_all,
    make_planner,
    offer,
    positions,
)


class TestBisecting:
    """BisectBatchOnFunctionError."""

    def test_a_failed_batch_is_split_in_two(self) -> None:
        """When your function returns an error, split the batch into two smaller batches and retry each separately."""
        planner = make_planner(bisect_on_error=True)
        offer(planner, records(1, 4))
        tries = iter([FAILED, DeliveryResult(), DeliveryResult()])

        batches, _ = deliver_all(planner, lambda _: next(tries))

        assert batches == [[1, 2, 3, 4], [1, 2], [3, 4]]

    def test_splitting_does_not_consume_the_retry_quota(self) -> None:
        """Splitting batches doesn't consume the retry quota."""
        planner = make_planner(bisect_on_error=True, maximum_retries=0, batch_size=16)
        offer(planner, records(0, 15))

        batches, discards = deliver_all(
            planner, lambda batch: FAILED if 6 in positions(batch) else DeliveryResult()
        )

        assert discards == [("RetryAttemptsExhausted", [6])]
        assert sorted({each for batch in batches for each in batch}) == list(range(16))

    def test_a_partial_failure_is_split_at_the_returned_record(self) -> None:
        """The batch is bisected at the returned sequence number and Lambda retries only the remaining records."""
        planner = make_planner(bisect_on_error=True, maximum_retries=0)
        offer(planner, records(1, 4))
        tries = iter([DeliveryResult(failed={QUEUE: 3}), DeliveryResult()])

        batches, discards = deliver_all(planner, lambda _: next(tries))

        assert batches == [[1, 2, 3, 4], [3, 4]]
        assert discards == []

    def test_a_record_that_always_fails_is_discarded_alone(self) -> None:
        planner = make_planner(bisect_on_error=True)
        offer(planner, records(1, 10))

        _, discards = deliver_all(
            planner,
            lambda batch: DeliveryResult(failed={QUEUE: 4}) if 4 in positions(batch) else DeliveryResult(),
        )

        assert discards == [("RetryAttemptsExhausted", [4])]

    def test_a_failed_batch_of_several_partitions_is_split_between_them(self) -> None:
        planner = make_planner((QUEUE, OTHER), bisect_on_error=True)
        offer(planner, records(1, 2) + records(7, 8, OTHER))
        tries = iter([FAILED, DeliveryResult(), DeliveryResult()])

        batches, _ = deliver_all(planner, lambda _: next(tries))

        assert batches == [[1, 2, 7, 8], [1, 2], [7, 8]]

    def test_a_single_record_is_retried_up_to_the_quota(self) -> None:
        planner = make_planner(bisect_on_error=True, maximum_retries=2)
        offer(planner, records(1, 1))

        batches, discards = deliver_all(planner, lambda _: FAILED)

        assert batches == [[1]] * 3
        assert len(discards) == 1


class TestResumePoint:
    """Where reading resumes after a restart."""

    def test_it_is_the_first_record_that_is_not_done(self) -> None:
        planner = make_planner()
        offer(planner, records(1, 3))

        before = planner.resume_point(QUEUE.origin)
        planner.settle(batch(planner), DeliveryResult(failed={QUEUE: 2}), NOW_S)
        after = planner.resume_point(QUEUE.origin)

        assert before.first_unfinished == record(1)
        assert after.first_unfinished == record(2)

    def test_filtered_records_count_as_read(self) -> None:
        planner = make_planner()
        planner.offer(QUEUE.origin, {}, "7", NOW_S)

        assert planner.resume_point(QUEUE.origin).read_to == "7"

    def test_of_a_shard_it_is_the_earliest_of_its_queues(self) -> None:
        first, second = QueueKey("shard", 0), QueueKey("shard", 1)
        planner = make_planner((first,), "shard/0")
        planner.add_queue(second, "shard/1")
        planner.offer("shard", {first: [record(1, first)], second: [record(2, second)]}, "2", NOW_S)
        planner.settle(batch(planner), DeliveryResult(), NOW_S)

        assert planner.resume_point("shard").first_unfinished == record(2, second)


@settings(deadline=None, max_examples=200)
@given(
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=4),
    batch_size=st.integers(1, 8),
    bisect=st.booleans(),
    maximum_retries=st.integers(0, 3),
    data=st.data(),
)
def test_every_record_is_processed_or_discarded_once_and_in_order(
    sizes: list[int], batch_size: int, bisect: bool, maximum_retries: int, data: st.DataObject
) -> None:
    """With any failures: each queue's records end in order and once, and nothing is left."""
    queues = [QueueKey(f"topic-{index}") for index in range(len(sizes))]
    planner = Planner(policy(batch_size=batch_size, bisect_on_error=bisect, maximum_retries=maximum_retries))
    for queue, size in zip(queues, sizes, strict=True):
        planner.add_queue(queue, "poller-0")
        offer(planner, records(0, size - 1, queue))
    ended: dict[QueueKey, list[int]] = {queue: [] for queue in queues}
    poisoned = {
        queue: data.draw(st.sets(st.integers(0, size - 1))) for queue, size in zip(queues, sizes, strict=True)
    }
    now_s = NOW_S

    while planner.unfinished():
        work = planner.next(now_s)
        if isinstance(work, Discard):
            ended[work.piece.queue] += positions(work)
            planner.finish_discard(work)
        elif isinstance(work, Batch):
            outcome = _draw_outcome(work, poisoned, data)
            planner.settle(work, outcome, now_s)
            for piece in work.pieces:
                failed_at = outcome.failed.get(piece.queue)
                if outcome.error is None:
                    ended[piece.queue] += [
                        each.position
                        for each in piece.records
                        if failed_at is None or each.position < failed_at
                    ]
        else:
            due_s = planner.next_due_s()
            assert due_s is not None
            now_s = max(now_s, due_s)

    assert ended == {queue: list(range(size)) for queue, size in zip(queues, sizes, strict=True)}


def _draw_outcome(batch: Batch, poisoned: dict[QueueKey, set[int]], data: st.DataObject) -> DeliveryResult:
    bad = [each for each in batch.records if each.position in poisoned[each.queue]]
    if not bad:
        return DeliveryResult()
    if data.draw(st.booleans()):
        return FAILED
    failed: dict[QueueKey, int] = {}
    for each in bad:
        failed[each.queue] = min(each.position, failed.get(each.queue, each.position))
    return DeliveryResult(failed=failed)


@pytest.mark.parametrize("name", ["score", "persist", "alert"])
def test_the_policy_of_a_function_is_what_its_yaml_says(name: str) -> None:
    trigger = read_functions()[name].trigger
    assert isinstance(trigger, KafkaTrigger | StreamTrigger)

    made = Policy.from_trigger(trigger, 0.1, 5.0)

    assert made.batch_size == trigger.batch_size
    assert made.maximum_retries == trigger.maximum_retries
    assert made.maximum_record_age_seconds >= 23 * 3600
    assert made.bisect_on_error == trigger.bisect_on_error
