"""Faults that the model-based test found in the score stage, each as the shortest story that shows it."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from contract.transaction import Transaction
from score.delivery import KafkaEvent, PartialBatchResponse
from score.profile import Profile
from score.profile.recent import RING_CAPACITY
from score.ruleset import Ruleset
from score.stage import ScoreStage

from .conftest import NOW, event_of, make_transaction
from .stage_world import NoTelemetry, Surroundings

Handle = Callable[[KafkaEvent], PartialBatchResponse]
LONG_AGO = NOW - timedelta(days=2)


@pytest.fixture
def world() -> Surroundings:
    return Surroundings()


@pytest.fixture
def handle(world: Surroundings, ruleset: Ruleset) -> Handle:
    stage = ScoreStage(
        world.profiles, world.history, world.quarantine, lambda: ruleset, NoTelemetry(), lambda: NOW
    )
    return lambda event: stage.handle(event, lambda: True)


def payments(count: int, first: int = 0) -> list[Transaction]:
    return [
        make_transaction(transaction_id=f"t-{n}", timestamp=LONG_AGO + timedelta(minutes=n))
        for n in range(first, first + count)
    ]


def tx_count(world: Surroundings) -> int:
    return Profile.from_bytes(world.profiles.body("user-1")).tx_count


def test_a_repeat_of_a_payment_too_late_for_the_ring_is_known_within_its_batch(
    world: Surroundings, handle: Handle
) -> None:
    late = make_transaction(transaction_id="late", timestamp=LONG_AGO - timedelta(days=1))
    handle(event_of(*payments(RING_CAPACITY)))

    handle(event_of(late, late, first_offset=RING_CAPACITY))

    assert len(world.history.rows) == tx_count(world) == RING_CAPACITY + 1


def test_a_repeat_is_known_when_its_batch_pushed_the_original_out_of_the_ring(
    world: Surroundings, handle: Handle
) -> None:
    first, *others = payments(RING_CAPACITY + 2)
    handle(event_of(first))

    handle(event_of(*others, first, payments(1, first=90)[0], first_offset=1))

    assert [row.profile_version for row in world.history.scored()] == list(range(RING_CAPACITY + 3))
    assert tx_count(world) == RING_CAPACITY + 3


def test_a_batch_that_others_left_behind_does_not_bring_an_old_profile_back(
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
