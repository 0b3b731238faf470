"""What both sides say is counted once for each stored row, written every few seconds, and kept where DynamoDB does not take it."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from common.unreadable_rows import UnreadableRows
from contract.rollout_rows import LATE_AFTER
from contract.side import Side
from engine.rollout.counts import RolloutCounts, total
from engine.rollout.windows import hour_of
from rollouts.tables import CountsTable
from score.rollout_counter import WRITE_EVERY, DynamoCounts, RolloutCounter
from score.stage import ScoreStage
from tests.support.kafka_events import event_of
from tests.support.payments import NOW, Log
from tests.support.rule_samples import candidate_of, ruleset
from tests.support.tables import make_table
from tests.unit.score.stage_system import SilentTelemetry, System, payments

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from engine.rules.ruleset import Ruleset

BOTH = candidate_of({"points": 45, "when": "amount_base > 1.0"}, share=50)


@dataclass
class MemoryCounts:
    """Keeps what is written; refuses where a test says so."""

    rows: list[tuple[str, datetime, RolloutCounts]] = field(default_factory=list)
    is_down: bool = False
    is_late: bool = False
    """Whether a row is taken and the answer lost."""
    noted: list[tuple[str, datetime, datetime]] = field(default_factory=list)

    def put(self, digest: str, at: datetime, counts: RolloutCounts) -> None:
        if self.is_late:
            self.rows.append((digest, at, copy.deepcopy(counts)))
            raise ReadTimeoutError(endpoint_url="https://dynamodb.example")
        if self.is_down:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "PutItem")
        self.rows.append((digest, at, counts))

    def note_late(self, digest: str, at: datetime, now: datetime) -> None:
        self.noted.append((digest, at, now))


@dataclass
class World:
    """A stage that counts."""

    ruleset: Ruleset = BOTH
    counts: MemoryCounts = field(default_factory=MemoryCounts)
    failures: list[str] = field(default_factory=list)
    now: datetime = NOW

    def __post_init__(self) -> None:
        self.stores = System(self.ruleset)
        ticks = iter(range(0, 10**9, 50_000))
        self.counter = RolloutCounter(
            self.counts, lambda: self.now, lambda what, _: self.failures.append(what), lambda: next(ticks)
        )

    def handle(self, count: int, first_offset: int = 0, *, skip: int = 0) -> None:
        stage = ScoreStage(
            self.stores.profiles,
            self.stores.profiles,
            self.stores.checkpoints,
            self.stores.history,
            self.stores.quarantine,
            lambda: self.ruleset,
            SilentTelemetry(),
            lambda: NOW,
            self.counter,
        )
        stage.handle(event_of(*payments(count)[skip:], first_offset=first_offset), lambda: True)


def test_each_stored_payment_is_counted_with_what_both_sides_say() -> None:
    world = World()

    world.handle(4)

    ((digest, at, counts),) = world.counts.rows
    assert (digest, at) == (BOTH.digest, NOW)
    assert sum(counts.payments.values()) == 4
    assert list(counts.alerts.values()) == [[0, 0, 4]]
    rows = world.stores.history.scored()
    assert [each.event_key for each in counts.new["r"].examples] == [row.event_key for row in rows]


def test_one_payment_of_a_batch_is_timed_for_each_side_and_the_sides_take_turns() -> None:
    world = World()

    world.handle(2)

    counts = world.counts.rows[0][2]
    # The timer ticks by 50 µs.
    assert counts.champion_times == counts.candidate_times == {45: 1}


def test_a_redelivered_payment_is_not_counted_again() -> None:
    world = World()
    world.handle(3)
    world.now += WRITE_EVERY

    world.handle(3)
    world.handle(4, first_offset=3, skip=3)

    counted = total(counts for _, _, counts in world.counts.rows)
    assert sum(counted.payments.values()) == 4


def test_counts_are_written_every_few_seconds_and_then_together() -> None:
    world = World()
    world.handle(1)
    world.handle(3, first_offset=1, skip=1)
    early = len(world.counts.rows)

    world.now += WRITE_EVERY
    world.handle(4, first_offset=3, skip=3)

    assert early == 1
    assert [sum(counts.payments.values()) for _, _, counts in world.counts.rows] == [1, 3]


def test_counts_that_dynamodb_does_not_take_are_written_later() -> None:
    world = World(counts=MemoryCounts(is_down=True))
    world.handle(2)
    world.counts.is_down = False
    world.now += WRITE_EVERY

    world.handle(3, first_offset=2, skip=2)

    assert len(world.failures) == 1
    assert [sum(counts.payments.values()) for _, _, counts in world.counts.rows] == [2, 1]


def test_counts_whose_answer_was_lost_are_written_again_under_their_own_key_as_they_were() -> None:
    world = World(counts=MemoryCounts(is_late=True))
    world.handle(2)
    world.now += WRITE_EVERY
    world.handle(3, first_offset=2, skip=2)
    world.counts.is_late = False
    world.now += WRITE_EVERY

    world.handle(4, first_offset=3, skip=3)

    by_key = {(digest, at): sum(counts.payments.values()) for digest, at, counts in world.counts.rows}
    assert [*by_key.values()] == [2, 2]
    assert {sum(counts.payments.values()) for _, at, counts in world.counts.rows if at == NOW} == {2}


@pytest.mark.parametrize(
    ("after", "is_noted"), [(LATE_AFTER, True), (LATE_AFTER - timedelta(seconds=1), False)]
)
def test_counts_that_come_minutes_late_are_noted(after: timedelta, is_noted: bool) -> None:
    world = World(counts=MemoryCounts(is_down=True))
    world.handle(2)
    world.counts.is_down = False
    world.now += after

    world.handle(3, first_offset=2, skip=2)

    assert world.counts.noted == ([(BOTH.digest, NOW, NOW + after)] if is_noted else [])


def test_counts_of_a_ruleset_that_could_not_be_written_keep_its_digest() -> None:
    world = World(counts=MemoryCounts(is_down=True))
    world.handle(1)
    world.ruleset = candidate_of({"points": 45}, share=20)
    world.handle(2, first_offset=1, skip=1)
    world.counts.is_down = False
    world.now += WRITE_EVERY

    world.handle(3, first_offset=2, skip=2)

    assert [(digest, sum(counts.payments.values())) for digest, _, counts in world.counts.rows] == [
        (BOTH.digest, 1),
        (world.ruleset.digest, 2),
    ]


def test_counts_of_two_documents_are_never_in_one_row() -> None:
    world = World()
    world.handle(1)
    world.handle(2, first_offset=1, skip=1)
    other = candidate_of({"points": 45}, share=20)
    world.ruleset = other

    world.handle(3, first_offset=2, skip=2)
    world.now += WRITE_EVERY
    world.handle(4, first_offset=3, skip=3)

    assert [digest for digest, _, _ in world.counts.rows] == [BOTH.digest, BOTH.digest, other.digest]


@pytest.mark.parametrize(
    ("rules", "counted"),
    [(ruleset({}), 0), (ruleset({"max_share": 3}), 1), (ruleset({"max_share": 3, "mode": "shadow"}), 0)],
)
def test_without_a_candidate_only_a_ruleset_with_a_largest_share_is_counted(
    rules: Ruleset, counted: int
) -> None:
    world = World(rules)

    world.handle(2)

    assert len(world.counts.rows) == counted
    assert all(not counts.champion_times and not counts.candidate_times for _, _, counts in world.counts.rows)


def test_the_last_counts_are_written_when_a_ruleset_follows_that_is_not_counted() -> None:
    world = World()
    world.handle(1)
    world.handle(2, first_offset=1, skip=1)
    world.ruleset = ruleset({})

    world.handle(3, first_offset=2, skip=2)

    assert [(digest, sum(counts.payments.values())) for digest, _, counts in world.counts.rows] == [
        (BOTH.digest, 1),
        (BOTH.digest, 1),
    ]


def test_a_row_is_read_back_from_dynamodb(aws: Callable[[str], Any]) -> None:
    make_table(aws("dynamodb"), "rollout_counts")
    counts = RolloutCounts({1: 2})
    counts.add_time(Side.CANDIDATE, 80.0)

    DynamoCounts(aws("dynamodb"), "rollout_counts", "0f").put("0123456789ab", NOW, counts)

    counted = CountsTable(aws("dynamodb"), "rollout_counts", UnreadableRows(Log())).read(
        "0123456789ab", NOW + timedelta(minutes=1)
    )
    assert [part.counts for part in counted.parts] == [counts]


def test_a_row_that_comes_after_its_hour_was_added_up_is_counted_in_that_hour(
    aws: Callable[[str], Any],
) -> None:
    make_table(aws("dynamodb"), "rollout_counts")
    digest, one = "0123456789ab", RolloutCounts({1: 2})
    score, other = (DynamoCounts(aws("dynamodb"), "rollout_counts", each) for each in ("0f", "1f"))
    guardrails = CountsTable(aws("dynamodb"), "rollout_counts", UnreadableRows(Log()))
    other.put(digest, NOW, one)
    other.put(digest, NOW + timedelta(hours=3), one)
    before = guardrails.read(digest, NOW + timedelta(hours=5))
    score.put(digest, NOW, one)
    score.note_late(digest, NOW, NOW + timedelta(hours=5))

    after = [
        guardrails.read(digest, NOW + timedelta(hours=5, minutes=minutes)).hours[hour_of(NOW)]
        for minutes in (1, 10, 120)
    ]

    assert before.hours[hour_of(NOW)].payments == {1: 2}
    assert [each.payments for each in after] == [{1: 4}] * 3
