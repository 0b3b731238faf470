"""Faults that the model-based test found in the score stage, each as the shortest sequence that shows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from common.errors import CacheUnavailableError
from engine.profile import from_bytes
from engine.profile.recent_payments import RING_CAPACITY
from score.delivery import KafkaEvent, PartialBatchResponse
from score.stage import ScoreStage
from tests.support.kafka_events import event_of
from tests.support.payments import NOW, make_grocery_payment, trusted_facts
from tests.support.stage_world import Killed, NoTelemetry, Surroundings

if TYPE_CHECKING:
    from contract.transaction import Transaction
    from engine.rules.ruleset import Ruleset
    from score.entity_store import EntityAdditions
    from score.profile_store import PartitionProgress, ProfileWrite

Handle = Callable[[KafkaEvent], PartialBatchResponse]
LONG_AGO = NOW - timedelta(days=2)


@pytest.fixture
def world() -> Surroundings:
    return Surroundings()


@pytest.fixture
def handle(world: Surroundings, ruleset: Ruleset) -> Handle:
    stage = ScoreStage(
        world.profiles,
        world.profiles,
        world.checkpoints,
        world.history,
        world.quarantine,
        lambda: ruleset,
        NoTelemetry(),
        lambda: NOW,
    )
    return lambda event: stage.handle(event, lambda: True)


def payments(count: int, first: int = 0) -> list[Transaction]:
    return [
        make_grocery_payment(transaction_id=f"t-{n}", timestamp=LONG_AGO + timedelta(minutes=n))
        for n in range(first, first + count)
    ]


def crash() -> None:
    raise Killed


def versions(world: Surroundings) -> list[int]:
    """How many payments user-1's profile held when each of theirs was scored."""
    return [row.profile_version for row in world.history.scored() if row.transaction.user_id == "user-1"]


def tx_count(world: Surroundings) -> int:
    return from_bytes(world.profiles.body("user-1")).tx_count


def test_a_repeat_of_a_payment_too_old_for_the_recent_ones_is_found_within_its_batch(
    world: Surroundings, handle: Handle
) -> None:
    late = make_grocery_payment(transaction_id="late", timestamp=LONG_AGO - timedelta(days=1))
    handle(event_of(*payments(RING_CAPACITY)))

    handle(event_of(late, late, first_offset=RING_CAPACITY))

    assert len(world.history.rows) == tx_count(world) == RING_CAPACITY + 1


def test_a_repeat_is_found_when_its_batch_displaced_the_original_from_the_recent_ones(
    world: Surroundings, handle: Handle
) -> None:
    first, *others = payments(RING_CAPACITY + 2)
    handle(event_of(first))

    handle(event_of(*others, first, payments(1, first=90)[0], first_offset=1))

    assert [row.profile_version for row in world.history.scored()] == list(range(RING_CAPACITY + 3))
    assert tx_count(world) == RING_CAPACITY + 3


def test_a_batch_that_others_have_passed_does_not_bring_an_old_profile_back(
    world: Surroundings, handle: Handle
) -> None:
    batch = payments(4)
    first = event_of(*batch[:2])
    handle(first)
    handle(event_of(*batch[2:], first_offset=2))
    world.profiles.values.clear()  # evicted; the progress marks are still there

    handle(first)

    handle(event_of(*payments(1, first=4), first_offset=4))
    assert tx_count(world) == 5


def test_a_writer_that_was_overtaken_does_not_bring_an_evicted_profile_back(
    world: Surroundings, handle: Handle
) -> None:
    batch = payments(5)
    first = event_of(*batch[:2])

    def overtake() -> None:
        handle(first)
        handle(event_of(*batch[2:4], first_offset=2))
        world.profiles.values.clear()

    world.profiles.before_write = overtake
    handle(first)

    handle(event_of(batch[4], first_offset=4))
    assert tx_count(world) == 5


def test_a_loser_leaves_a_vanished_profile_to_the_next_batch(world: Surroundings, handle: Handle) -> None:
    batch = payments(5)
    handle(event_of(batch[0]))

    def overtake() -> None:
        handle(event_of(batch[1], first_offset=1))
        world.history.fail = lambda row: row.transaction.transaction_id == "t-2"
        handle(event_of(*batch[2:4], first_offset=2))
        world.history.fail = lambda _: False
        world.profiles.values.clear()

    world.profiles.before_write = overtake
    handle(event_of(batch[1], first_offset=1))

    handle(event_of(*batch[2:], first_offset=2))
    assert [row.profile_version for row in world.history.scored()] == [0, 1, 2, 3, 4]


def test_a_payment_stored_below_the_mark_of_a_rebuilt_profile_is_folded(
    world: Surroundings, handle: Handle
) -> None:
    first, second, elsewhere, last = payments(4)
    world.history.fail = lambda row: row.transaction.transaction_id == "t-0"
    handle(event_of(first, second))
    world.history.fail = lambda _: False
    handle(event_of(elsewhere, partition=1))  # rebuilt: holds the second one, at offset 1, and not the first

    world.profiles.before_write = crash
    with pytest.raises(Killed):
        handle(event_of(first, second))
    handle(event_of(first, second))

    handle(event_of(last, first_offset=2))
    assert tx_count(world) == 4


def test_a_loser_folds_what_only_the_mark_of_a_rebuilt_profile_hides(
    world: Surroundings, handle: Handle
) -> None:
    before, first, second, elsewhere = payments(4)
    handle(event_of(before))

    def rebuild_elsewhere_between_the_inserts() -> None:
        key = (first.user_id, trusted_facts(first).event_key)
        row = world.history.rows.pop(key)
        world.profiles.values.clear()  # evicted
        handle(event_of(elsewhere, partition=1))
        world.history.rows[key] = row

    world.profiles.before_write = rebuild_elsewhere_between_the_inserts
    handle(event_of(first, second, first_offset=1))

    assert tx_count(world) == 4


def test_a_cache_that_goes_back_while_a_batch_is_processed_is_detected_by_the_next(
    world: Surroundings, handle: Handle
) -> None:
    batch = payments(4)
    other = make_grocery_payment(transaction_id="o-1", user_id="user-2", timestamp=LONG_AGO)
    handle(event_of(batch[0], other))
    values, marks = dict(world.profiles.values), dict(world.profiles.marks)
    handle(event_of(batch[1], first_offset=2))

    def fail_over() -> None:
        world.profiles.values, world.profiles.marks = dict(values), dict(marks)

    world.profiles.before_write = fail_over
    handle(
        event_of(other, first_offset=3)
    )  # a repeat by its producer: the stale profile of user-1 is not in this batch

    handle(event_of(*batch[2:], first_offset=4))
    assert versions(world) == [0, 1, 2, 3]
    assert tx_count(world) == 4


def test_what_a_failed_server_had_written_is_written_again_when_others_lost(
    world: Surroundings, handle: Handle
) -> None:
    batch = payments(3)
    other = make_grocery_payment(transaction_id="o-1", user_id="user-2", timestamp=LONG_AGO)
    handle(event_of(batch[0], other))
    values, marks = dict(world.profiles.values), dict(world.profiles.marks)

    def change_the_other() -> None:
        world.profiles.values["user-2"] = (b"changed!", world.profiles.values["user-2"][1])

    write = world.profiles.write

    def write_and_fail_over(
        writes: Sequence[ProfileWrite], progress: Sequence[PartitionProgress]
    ) -> list[str]:
        lost = write(writes, progress)
        world.profiles.write = write  # type: ignore[method-assign]
        world.profiles.values, world.profiles.marks = dict(values), dict(marks)
        return lost

    world.profiles.write = write_and_fail_over  # type: ignore[method-assign]
    world.profiles.before_write = change_the_other
    more = make_grocery_payment(transaction_id="o-2", user_id="user-2", timestamp=NOW)
    handle(event_of(batch[1], more, first_offset=2))

    handle(event_of(batch[2], first_offset=4))
    assert versions(world) == [0, 1, 2]
    assert tx_count(world) == 3


def test_payments_whose_entities_could_not_be_counted_are_in_the_next_profile(
    world: Surroundings, handle: Handle
) -> None:
    batch = payments(3)
    handle(event_of(batch[0]))

    def time_out(additions: EntityAdditions) -> list[int]:
        raise CacheUnavailableError("TimeoutError")

    world.profiles.add = time_out  # type: ignore[method-assign]
    handle(event_of(batch[1], first_offset=1))
    del world.profiles.add

    handle(event_of(batch[2], first_offset=2))
    assert versions(world) == [0, 1, 2]
    assert tx_count(world) == 3
    assert world.profiles.complete_since_s == int(NOW.timestamp())
