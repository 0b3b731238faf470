"""What the score stage reports: counts by value, conflicts up to their bound, records to be delivered again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from common.errors import CacheUnavailableError
from contract.scored import Position
from score.entity_store import EntityAdditions
from score.metrics import Metric
from score.stage import MAX_WRITE_ROUNDS, ScoreStage
from score.telemetry import EmfTelemetry
from tests.support.kafka_events import TOPIC, event_of, make_event
from tests.support.payments import NOW, Metrics, make_grocery_payment
from tests.support.stage_world import Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from contract.transaction import Transaction
    from engine.rules.ruleset import Ruleset
    from score.delivery import KafkaEvent, PartialBatchResponse


class SilentLogger:
    """Takes every line and keeps none."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


@dataclass
class System:
    """A stage with stores in memory, and the metrics of its last batch."""

    ruleset: Ruleset
    world: Surroundings = field(default_factory=Surroundings)
    metrics: Metrics = field(default_factory=Metrics)

    def handle(self, event: KafkaEvent) -> PartialBatchResponse:
        self.metrics = Metrics()
        logger: Any = SilentLogger()
        telemetry = EmfTelemetry(self.metrics, logger, lambda: NOW)
        stage = ScoreStage(
            self.world.profiles,
            self.world.profiles,
            self.world.checkpoints,
            self.world.history,
            self.world.quarantine,
            lambda: self.ruleset,
            telemetry,
            lambda: NOW,
        )
        return stage.handle(event, lambda: True)

    @property
    def totals(self) -> dict[str, float]:
        return {
            name: sum(values) for name, values in self.metrics.values.items() if name != "OldestRecordAge"
        }


@pytest.fixture
def system(ruleset: Ruleset) -> System:
    return System(ruleset)


def payments(count: int, first: int = 0, user_id: str = "user-1", **changes: Any) -> list[Transaction]:
    return [
        make_grocery_payment(
            transaction_id=f"{user_id}-{number}",
            user_id=user_id,
            timestamp=NOW - timedelta(days=1) + timedelta(hours=number),
            **changes,
        )
        for number in range(first, first + count)
    ]


def offsets(response: PartialBatchResponse) -> list[int]:
    return [failure["itemIdentifier"]["offset"] for failure in response["batchItemFailures"]]


def test_new_payments_are_counted_once(system: System) -> None:
    system.handle(event_of(*payments(2), *payments(1, user_id="user-2", amount=Decimal(5_000))))

    assert system.totals == {
        Metric.RECORDS_RECEIVED: 3,
        Metric.TRANSACTIONS_SCORED: 3,
        Metric.TRANSACTIONS_APPROVED: 2,
        Metric.TRANSACTIONS_REVIEWED: 1,
    }
    assert system.metrics.values["OldestRecordAge"] == [86_399_500]


def test_redelivered_batch_counts_only_repeats(system: System) -> None:
    event = event_of(*payments(3))
    system.handle(event)

    system.handle(event)

    assert system.totals == {Metric.RECORDS_RECEIVED: 3, Metric.TRANSACTIONS_REPEATED: 3}
    assert "OldestRecordAge" not in system.metrics.values


def test_payments_that_repeat_one_under_another_time_are_counted(system: System) -> None:
    one, *_ = payments(1)
    repeats = [
        make_grocery_payment(
            transaction_id=one.transaction_id,
            user_id=one.user_id,
            timestamp=one.timestamp + timedelta(minutes=minute),
        )
        for minute in range(1, 21)
    ]

    system.handle(event_of(one, *repeats))

    assert system.totals == {
        Metric.RECORDS_RECEIVED: 21,
        Metric.TRANSACTIONS_SCORED: 21,
        Metric.TRANSACTIONS_APPROVED: 21,
        Metric.REPEATS_STORED: 20,
    }


def test_rows_of_an_earlier_try_are_counted_as_redelivered(system: System) -> None:
    system.handle(event_of(*payments(1)))

    def crash() -> None:
        raise ProcessLookupError

    system.world.profiles.before_write = crash
    with pytest.raises(ProcessLookupError):
        system.handle(event_of(*payments(2, first=1), first_offset=1))

    system.handle(event_of(*payments(3, first=1), first_offset=1))

    assert system.totals == {
        Metric.RECORDS_RECEIVED: 3,
        Metric.TRANSACTIONS_REDELIVERED: 2,
        Metric.TRANSACTIONS_SCORED: 1,
        Metric.TRANSACTIONS_APPROVED: 1,
    }


def test_only_profiles_with_rows_are_counted_as_rebuilt(system: System) -> None:
    system.handle(event_of(*payments(1), *payments(1, user_id="user-2")))
    system.world.profiles.values.clear()
    batch = [*payments(1, first=1), *payments(1, first=1, user_id="user-2"), *payments(1, user_id="user-3")]

    system.handle(event_of(*batch, first_offset=2))

    assert system.totals[Metric.PROFILES_REBUILT] == 2


def test_batch_without_the_cache_is_degraded_and_writes_no_profile(system: System) -> None:
    system.world.profiles.is_down = True

    system.handle(event_of(*payments(2)))

    assert system.totals[Metric.TRANSACTIONS_DEGRADED] == 2
    assert system.totals[Metric.CACHE_UNAVAILABLE] == 1
    assert system.world.profiles.writes == 0


def test_cache_that_fails_only_when_profiles_are_written_degrades_nothing(system: System) -> None:
    def stop() -> None:
        system.world.profiles.is_down = True

    system.world.profiles.before_write = stop

    response = system.handle(event_of(*payments(2)))

    assert response == {"batchItemFailures": []}
    assert system.totals[Metric.CACHE_UNAVAILABLE] == 1
    assert Metric.TRANSACTIONS_DEGRADED not in system.totals


def test_cache_that_does_not_answer_when_entities_are_counted_is_not_asked_again(system: System) -> None:
    system.handle(event_of(*payments(1)))
    profiles, asked = system.world.profiles, list[EntityAdditions]()
    reads, writes = profiles.reads, profiles.writes

    def time_out(additions: EntityAdditions) -> list[int]:
        asked.append(additions)
        raise CacheUnavailableError("TimeoutError")

    profiles.add = time_out  # type: ignore[method-assign]
    response = system.handle(event_of(*payments(2, first=1), first_offset=1))

    assert response == {"batchItemFailures": []}
    assert (profiles.reads - reads, len(asked), profiles.writes - writes) == (1, 1, 0)
    assert system.totals == {
        Metric.RECORDS_RECEIVED: 2,
        Metric.CACHE_UNAVAILABLE: 1,
        Metric.TRANSACTIONS_SCORED: 2,
        Metric.TRANSACTIONS_APPROVED: 2,
    }


def test_failed_inserts_and_quarantine_are_counted_and_delivered_again(system: System) -> None:
    system.world.history.fail = lambda row: row.transaction.transaction_id == "user-1-1"
    system.world.quarantine.refused = {Position(TOPIC, 1, 4)}
    event = event_of(*payments(3))
    event["records"] |= make_event([(Position(TOPIC, 1, 4), b"?"), (Position(TOPIC, 1, 5), b"?")])["records"]

    response = system.handle(event)

    assert offsets(response) == [1, 4]
    assert system.totals == {
        Metric.RECORDS_RECEIVED: 5,
        Metric.RECORDS_QUARANTINED: 2,
        Metric.RECORDS_FAILED: 2,
        Metric.TRANSACTIONS_SCORED: 2,
        Metric.TRANSACTIONS_APPROVED: 2,
    }
    assert system.world.profiles.marks == {(TOPIC, 0): (0, 0), (TOPIC, 1): (3, 4)}


def always_lost(system: System, rounds: int, lost: Sequence[str] = ("user-2",)) -> None:
    """Let ``lost`` lose so many compare-and-sets."""
    write = system.world.profiles.write
    left = [rounds]

    def lose(writes: Any, progress: Any) -> list[str]:
        left[0] -= 1
        return list(lost) if left[0] >= 0 else write(writes, progress)

    system.world.profiles.write = lose  # type: ignore[method-assign]


def test_profile_that_loses_five_times_is_written_in_the_end(system: System) -> None:
    always_lost(system, rounds=5)

    response = system.handle(event_of(*payments(1), *payments(1, user_id="user-2")))

    assert MAX_WRITE_ROUNDS == 5
    assert response == {"batchItemFailures": []}
    assert system.totals[Metric.PROFILE_CONFLICTS] == 5
    assert system.world.profiles.reads == 6


def test_payments_of_a_profile_that_loses_six_times_are_delivered_again(system: System) -> None:
    always_lost(system, rounds=6)

    response = system.handle(event_of(*payments(1), *payments(2, user_id="user-2"), *payments(1, first=1)))

    assert offsets(response) == [1, 2]
    assert system.totals[Metric.PROFILE_CONFLICTS] == 5
    assert system.totals[Metric.RECORDS_FAILED] == 2


def test_conflicts_are_counted_by_profile(system: System) -> None:
    always_lost(system, rounds=1, lost=("user-1", "user-2"))

    system.handle(event_of(*payments(1), *payments(1, user_id="user-2")))

    assert system.totals[Metric.PROFILE_CONFLICTS] == 2


def test_row_holds_the_time_of_its_decision_and_the_degraded_mark(ruleset: Ruleset) -> None:
    ticks = iter(NOW + timedelta(seconds=number) for number in range(100))

    def clock() -> datetime:
        return next(ticks)

    world = Surroundings()
    telemetry: Any = SilentLogger()
    ruleset_of: Callable[[], Ruleset] = lambda: ruleset  # noqa: E731
    stage = ScoreStage(
        world.profiles,
        world.profiles,
        world.checkpoints,
        world.history,
        world.quarantine,
        ruleset_of,
        telemetry,
        clock,
    )

    stage.handle(event_of(*payments(2)), lambda: True)

    assert {row.scored_at for row in world.history.scored()} == {NOW + timedelta(seconds=1)}
    assert {row.ruleset_version for row in world.history.scored()} == {f"{ruleset.version}+{ruleset.digest}"}
