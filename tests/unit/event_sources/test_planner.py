"""Batching, retries and discards, compared with what the Lambda developer guide says of stream and Kafka mappings."""

from __future__ import annotations

import pytest

from local.event_sources.records import DeliveryResult
from tests.unit.event_sources.factories import NOW_S, QUEUE, policy, record, records
from tests.unit.event_sources.planning import (
    FAILED,
    OTHER,
    batch,
    deliver_all,
    discard,
    make_planner,
    offer,
    positions,
)


class TestBatching:
    """When a batch is sent, and what is in it."""

    def test_a_function_is_invoked_as_soon_as_records_are_available(self) -> None:
        """By default, Lambda invokes your function as soon as records are available."""
        planner = make_planner()
        offer(planner, records(1, 1))

        assert positions(batch(planner)) == [1]

    def test_a_batch_has_at_most_the_batch_size(self) -> None:
        """BatchSize: the maximum number of records in each batch."""
        planner = make_planner(batch_size=3)
        offer(planner, records(1, 5))

        batches, _ = deliver_all(planner, lambda _: DeliveryResult())

        assert batches == [[1, 2, 3], [4, 5]]

    def test_a_window_gathers_records_until_it_expires(self) -> None:
        """Lambda continues to read records until it has gathered a full batch, or until the batch window expires."""
        planner = make_planner(batch_window_seconds=5)
        offer(planner, records(1, 2))

        early = planner.next(NOW_S + 4.9)

        assert early is None
        assert planner.next_due_s() == NOW_S + 5
        assert positions(batch(planner, NOW_S + 5)) == [1, 2]

    def test_a_full_batch_does_not_wait_for_the_window(self) -> None:
        planner = make_planner(batch_window_seconds=5, batch_size=2)
        offer(planner, records(1, 2))

        assert positions(batch(planner)) == [1, 2]

    def test_a_batch_stays_under_the_payload_limit(self) -> None:
        """...until the batch reaches the payload limit of 6 MB."""
        planner = make_planner(max_batch_bytes=100, batch_window_seconds=5)
        offer(planner, [record(position, size=40) for position in (1, 2, 3)])

        assert positions(batch(planner)) == [1, 2]

    def test_a_record_that_no_payload_can_hold_is_discarded_without_an_invocation(self) -> None:
        """Condition MaximumPayloadSizeExceeded; responseContext is null."""
        planner = make_planner(max_batch_bytes=100)
        offer(planner, [record(1, size=101), record(2)])

        batches, discards = deliver_all(planner, lambda _: DeliveryResult())

        assert discards == [("MaximumPayloadSizeExceeded", [1])]
        assert batches == [[2]]

    def test_partitions_of_one_poller_share_a_batch(self) -> None:
        planner = make_planner((QUEUE, OTHER))
        offer(planner, records(1, 2) + records(7, 8, OTHER))

        assert positions(batch(planner)) == [1, 2, 7, 8]

    def test_queues_of_different_groups_do_not_share_a_batch(self) -> None:
        """ParallelizationFactor: the number of batches to process concurrently from each shard."""
        planner = make_planner((QUEUE,), "shard/0")
        planner.add_queue(OTHER, "shard/1")
        offer(planner, records(1, 2) + records(3, 4, OTHER))

        assert [positions(batch(planner)), positions(batch(planner))] == [[1, 2], [3, 4]]

    def test_a_queue_has_at_most_one_batch_in_flight(self) -> None:
        """Lambda processes each partition's messages sequentially; one batch of a shard's key at a time."""
        planner = make_planner(batch_size=2)
        offer(planner, records(1, 4))
        first = batch(planner)

        meanwhile = planner.next(NOW_S)

        assert meanwhile is None
        planner.settle(first, DeliveryResult(), NOW_S)
        assert positions(batch(planner)) == [3, 4]


class TestRetries:
    """What happens to records that a function fails to process."""

    def test_a_failed_batch_is_delivered_again_before_later_records(self) -> None:
        """If your function returns an error, Lambda retries the batch until success, expiry or the quota; it blocks the shard."""
        planner = make_planner(batch_size=2)
        offer(planner, records(1, 4))
        tries = iter([FAILED, DeliveryResult(), DeliveryResult()])

        batches, discards = deliver_all(planner, lambda _: next(tries))

        assert batches == [[1, 2], [1, 2], [3, 4]]
        assert discards == []

    def test_backoff_wait_longer_each_time(self) -> None:
        """Lambda retries with an exponential backoff."""
        planner = make_planner(maximum_retries=3)
        offer(planner, records(1, 1))
        now_s, delays = NOW_S, []
        for _ in range(3):
            planner.settle(batch(planner, now_s), FAILED, now_s)
            due_s = planner.next_due_s()
            assert due_s is not None
            delays.append(due_s - now_s)
            now_s = due_s

        assert delays == [1, 2, 4]

    def test_a_delay_has_a_limit(self) -> None:
        assert policy(retry_maximum_seconds=5.0).delay_seconds(1000) == 5.0

    @pytest.mark.parametrize("maximum_retries", [0, 1, 3])
    def test_records_are_discarded_after_the_retries(self, maximum_retries: int) -> None:
        """Maximum retry attempts: the times Lambda retries when your function returns an error; not the first invocation."""
        planner = make_planner(maximum_retries=maximum_retries)
        offer(planner, records(1, 2))

        batches, discards = deliver_all(planner, lambda _: FAILED)

        assert batches == [[1, 2]] * (1 + maximum_retries)
        assert discards == [("RetryAttemptsExhausted", [1, 2])]

    def test_without_a_number_of_retries_records_are_retried_until_they_are_too_old(self) -> None:
        """When set to infinite (-1), failed records are retried until the record expires."""
        planner = make_planner(
            maximum_retries=-1, maximum_record_age_seconds=3600, retry_maximum_seconds=60.0
        )
        offer(planner, records(1, 1))

        batches, discards = deliver_all(planner, lambda _: FAILED)

        assert len(batches) >= 60
        assert discards == [("RecordAgeExceeded", [1])]

    def test_records_behind_discarded_ones_are_delivered(self) -> None:
        """Lambda discards the records and continues processing batches from the stream."""
        planner = make_planner(batch_size=1, maximum_retries=0)
        offer(planner, records(1, 2))

        batches, discards = deliver_all(
            planner, lambda batch: FAILED if positions(batch) == [1] else DeliveryResult()
        )

        assert batches == [[1], [2]]
        assert discards == [("RetryAttemptsExhausted", [1])]

    def test_a_retry_of_one_queue_does_not_delay_another(self) -> None:
        planner = make_planner((QUEUE, OTHER), batch_size=1)
        offer(planner, records(1, 1) + records(1, 1, OTHER))
        planner.settle(batch(planner), FAILED, NOW_S)

        assert batch(planner).records[0].queue == OTHER

    def test_records_over_the_maximum_age_are_discarded(self) -> None:
        """Maximum age of record: the maximum age of a record that Lambda sends to your function."""
        planner = make_planner(maximum_record_age_seconds=60)
        offer(planner, [record(1, arrived_at_s=NOW_S - 61), record(2, arrived_at_s=NOW_S - 59)])

        batches, discards = deliver_all(planner, lambda _: DeliveryResult())

        assert discards == [("RecordAgeExceeded", [1])]
        assert batches == [[2]]

    def test_records_that_become_too_old_between_retries_are_discarded(self) -> None:
        planner = make_planner(maximum_record_age_seconds=60, maximum_retries=100)
        offer(planner, [record(1, arrived_at_s=NOW_S - 50), record(2, arrived_at_s=NOW_S)])
        planner.settle(batch(planner), FAILED, NOW_S)

        discarded = discard(planner, NOW_S + 11)

        assert (discarded.condition, positions(discarded)) == ("RecordAgeExceeded", [1])
        planner.finish_discard(discarded)
        assert positions(batch(planner, NOW_S + 11)) == [2]

    def test_discarded_records_stay_until_the_destination_has_received_them(self) -> None:
        planner = make_planner(maximum_retries=0)
        offer(planner, records(1, 1))
        planner.settle(batch(planner), FAILED, NOW_S)
        first = discard(planner, NOW_S + 1)
        meanwhile = planner.next(NOW_S + 1)

        planner.postpone_discard(first)

        assert meanwhile is None
        assert planner.unfinished() == 1
        assert discard(planner, NOW_S + 1) == first


class TestPartialFailures:
    """What is delivered again if the function names the records that failed."""

    def test_the_lowest_failed_record_and_all_behind_it_are_delivered_again(self) -> None:
        """Lambda uses the record with the lowest sequence number as the checkpoint, and retries all records from there."""
        planner = make_planner()
        offer(planner, records(1, 5))
        tries = iter([DeliveryResult(failed={QUEUE: 3}), DeliveryResult()])

        batches, _ = deliver_all(planner, lambda _: next(tries))

        assert batches == [[1, 2, 3, 4, 5], [3, 4, 5]]

    def test_a_partition_without_a_failed_offset_is_done(self) -> None:
        planner = make_planner((QUEUE, OTHER))
        offer(planner, records(1, 2) + records(1, 2, OTHER))

        done = planner.settle(batch(planner), DeliveryResult(failed={OTHER: 2}), NOW_S)

        assert done == 3
        assert planner.resume_point(QUEUE.origin).first_unfinished is None
        waiting = planner.resume_point(OTHER.origin).first_unfinished
        assert waiting is not None
        assert waiting.position == 2

    def test_without_bisecting_a_partial_failure_counts_as_a_retry(self) -> None:
        planner = make_planner(maximum_retries=1)
        offer(planner, records(1, 3))

        batches, discards = deliver_all(planner, lambda _: DeliveryResult(failed={QUEUE: 3}))

        assert batches == [[1, 2, 3], [3]]
        assert discards == [("RetryAttemptsExhausted", [3])]
