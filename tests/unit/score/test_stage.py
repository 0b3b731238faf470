"""The score stage on stores in memory: what is stored, folded, skipped, quarantined and delivered again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from contract.scored import Decision, Position
from contract.transaction import Transaction, encode_transaction
from engine.decide import is_fraudulent
from engine.features.stored import unpack
from engine.profile import Profile, from_bytes, to_bytes
from engine.rules.ruleset import Ruleset, parse_ruleset
from score.errors import HistoryUnavailableError
from score.stage import ScoreStage
from score.verdicts import NoVerdicts
from tests.support.kafka_events import TOPIC, event_of, make_event, with_offset
from tests.support.oracle import behaviour
from tests.support.payments import NOW, make_grocery_payment
from tests.support.rule_samples import TWO_RULES
from tests.support.score_stores import (
    MemoryCheckpointStore,
    MemoryHistoryStore,
    MemoryProfileStore,
    MemoryQuarantine,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from score.delivery import KafkaEvent, PartialBatchResponse


@dataclass
class SilentTelemetry:
    """Counts calls by name."""

    calls: dict[str, int] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Callable[..., None]:
        def count(*_: object, **__: object) -> None:
            self.calls[name] = self.calls.get(name, 0) + 1

        return count


@dataclass
class System:
    """A stage with its stores."""

    ruleset: Ruleset
    profiles: MemoryProfileStore = field(default_factory=MemoryProfileStore)
    checkpoints: MemoryCheckpointStore = field(default_factory=MemoryCheckpointStore)
    history: MemoryHistoryStore = field(default_factory=MemoryHistoryStore)
    quarantine: MemoryQuarantine = field(default_factory=MemoryQuarantine)
    telemetry: SilentTelemetry = field(default_factory=SilentTelemetry)

    def handle(self, event: KafkaEvent) -> PartialBatchResponse:
        stage = ScoreStage(
            self.profiles,
            self.checkpoints,
            self.history,
            self.quarantine,
            NoVerdicts(),
            lambda: self.ruleset,
            self.telemetry,
            lambda: NOW,
        )
        return stage.handle(event, lambda: True)

    def profile(self, user_id: str = "user-1") -> Profile:
        return from_bytes(self.profiles.body(user_id))


@pytest.fixture
def system(ruleset: Ruleset) -> System:
    return System(ruleset)


def payments(count: int, **changes: object) -> list[Transaction]:
    """Payments of one user, a minute apart, the last one a minute ago."""
    return [
        make_grocery_payment(
            transaction_id=f"t-{place}", timestamp=NOW - timedelta(minutes=count - place), **changes
        )
        for place in range(count)
    ]


def failures(response: PartialBatchResponse) -> list[int]:
    return [failure["itemIdentifier"]["offset"] for failure in response["batchItemFailures"]]


def test_every_payment_is_stored_with_its_decision_and_counted_once(system: System) -> None:
    batch = payments(5, amount=Decimal(10))

    response = system.handle(event_of(*batch))

    assert failures(response) == []
    rows = system.history.scored()
    assert [row.transaction for row in rows] == batch
    assert [row.profile_version for row in rows] == [0, 1, 2, 3, 4]
    assert [row.decision for row in rows] == [Decision.APPROVE] * 3 + [Decision.REVIEW] * 2
    assert rows[4].reasons[0].sentence == "5 payments in 10 minutes."
    assert system.profile().tx_count == 5


def test_a_batch_costs_one_read_and_one_write_of_the_cache(system: System) -> None:
    batch = [make_grocery_payment(transaction_id=f"t-{n}", user_id=f"user-{n % 7}") for n in range(50)]
    system.handle(event_of(batch[0]))
    system.profiles.reads = system.profiles.writes = 0

    system.handle(event_of(*batch[1:], first_offset=1))

    assert (system.profiles.reads, system.profiles.writes) == (1, 1)


def test_a_redelivered_batch_changes_nothing(system: System) -> None:
    event = event_of(*payments(5))
    system.handle(event)
    rows, profile = dict(system.history.rows), system.profiles.body("user-1")

    response = system.handle(event)

    assert failures(response) == []
    assert system.history.rows == rows
    assert to_bytes(from_bytes(system.profiles.body("user-1"))) == profile


def test_the_redelivery_catches_up_after_a_crash_between_history_and_profile(
    system: System, ruleset: Ruleset
) -> None:
    first, second = event_of(*payments(3)), event_of(*payments(5)[3:], first_offset=3)
    undisturbed = System(ruleset)
    undisturbed.handle(first)
    undisturbed.handle(second)
    system.handle(first)

    def crash() -> None:
        raise ProcessLookupError("killed")

    system.profiles.before_write = crash
    with pytest.raises(ProcessLookupError):
        system.handle(second)

    system.handle(second)

    assert system.history.rows == undisturbed.history.rows
    assert system.profiles.body("user-1") == undisturbed.profiles.body("user-1")


def test_the_stored_decision_stays_when_the_ruleset_has_changed(system: System) -> None:
    event = event_of(make_grocery_payment(amount=Decimal(5000)))
    system.handle(event)
    system.profiles.values.clear()
    system.ruleset = parse_ruleset(TWO_RULES.replace("test-1", "test-2").replace("points: 50", "points: 90"))

    system.handle(event)

    [row] = system.history.scored()
    assert row.ruleset_version.startswith("test-1+")
    assert row.decision is Decision.REVIEW
    assert system.profile().tx_count == 1


def test_a_producers_repeat_is_neither_stored_nor_folded(system: System) -> None:
    event = event_of(make_grocery_payment())
    system.handle(event)

    response = system.handle(with_offset(event, 1))

    assert failures(response) == []
    assert len(system.history.rows) == 1
    assert system.profile().tx_count == 1


def test_a_repeat_of_a_payment_that_is_no_longer_recent_is_found_in_the_history(system: System) -> None:
    batch = payments(60)
    system.handle(event_of(*batch))

    system.handle(event_of(batch[0], first_offset=60))

    assert len(system.history.rows) == 60
    assert system.profile().tx_count == 60
    assert system.history.lookups == 1


def test_a_redelivery_of_payments_that_are_no_longer_recent_is_folded_once(system: System) -> None:
    event = event_of(*payments(60))
    system.handle(event)

    system.handle(event)

    assert system.profile().tx_count == 60


def test_a_recreated_topic_does_not_hide_new_payments(system: System) -> None:
    system.handle(event_of(*payments(3), first_offset=100))
    new = make_grocery_payment(transaction_id="t-new", timestamp=NOW)

    system.handle(event_of(new, first_offset=0))

    assert len(system.history.rows) == 4
    assert system.profile().tx_count == 4


def test_a_failed_insert_is_to_be_delivered_again_and_the_profile_stops_before_it(system: System) -> None:
    event = event_of(*payments(4))
    system.history.fail = lambda row: row.transaction.transaction_id == "t-1"

    response = system.handle(event)

    assert failures(response) == [1]
    assert system.profile().tx_count == 1
    assert len(system.history.rows) == 3


def test_after_a_failed_insert_the_redelivery_ends_as_if_nothing_had_failed(
    system: System, ruleset: Ruleset
) -> None:
    batch = payments(4)
    undisturbed = System(ruleset)
    undisturbed.handle(event_of(*batch))
    system.history.fail = lambda row: row.transaction.transaction_id == "t-1"
    system.handle(event_of(*batch))
    system.history.fail = lambda _: False

    system.handle(event_of(*batch[1:], first_offset=1))

    assert system.history.rows == undisturbed.history.rows
    assert system.profiles.body("user-1") == undisturbed.profiles.body("user-1")


def test_without_the_cache_payments_are_scored_from_history_and_marked(system: System) -> None:
    batch = payments(5)
    system.handle(event_of(*batch[:3]))
    system.profiles.is_down = True

    response = system.handle(event_of(*batch[3:], first_offset=3))

    assert failures(response) == []
    rows = system.history.scored()
    assert [row.degraded for row in rows] == [False, False, False, True, True]
    assert [row.profile_version for row in rows] == [0, 1, 2, 3, 4]


def test_a_cache_that_returns_with_old_profiles_is_not_trusted(system: System, ruleset: Ruleset) -> None:
    batch = payments(6)
    undisturbed = System(ruleset)
    undisturbed.handle(event_of(*batch))
    system.handle(event_of(*batch[:2]))
    system.profiles.is_down = True
    system.handle(event_of(*batch[2:4], first_offset=2))
    system.profiles.is_down = False

    system.handle(event_of(*batch[4:], first_offset=4))

    assert system.profile().tx_count == 6
    assert behaviour(system.profile()) == behaviour(undisturbed.profile())


def test_a_user_untouched_since_the_outage_is_rebuilt_at_the_next_payment(system: System) -> None:
    batch = payments(4)
    other = make_grocery_payment(transaction_id="o-1", user_id="other")
    system.handle(event_of(*batch[:2]))
    system.profiles.is_down = True
    system.handle(event_of(batch[2], first_offset=2))
    system.profiles.is_down = False
    system.handle(event_of(other, first_offset=3))

    system.handle(event_of(batch[3], first_offset=4))

    assert system.profile().tx_count == 4


def test_an_emptied_cache_is_rebuilt_up_to_the_redelivered_record(system: System, ruleset: Ruleset) -> None:
    batch = payments(6)
    undisturbed = System(ruleset)
    undisturbed.handle(event_of(*batch))
    system.handle(event_of(*batch[:3]))
    system.handle(event_of(*batch[3:], first_offset=3))
    system.profiles.values.clear()
    system.profiles.marks.clear()

    system.handle(event_of(*batch[3:], first_offset=3))

    assert system.history.rows == undisturbed.history.rows
    assert system.profiles.body("user-1") == undisturbed.profiles.body("user-1")


def test_a_stale_writer_loses_and_folds_on_top_of_the_winner(system: System) -> None:
    mine, others = payments(2)
    system.profiles.before_write = lambda: _drop(system.handle(event_of(others, partition=1)))

    response = system.handle(event_of(mine))

    assert failures(response) == []
    assert system.profile().tx_count == 2
    assert system.telemetry.calls["profiles_lost"] == 1


def test_two_runs_of_the_same_batch_fold_it_once(system: System, ruleset: Ruleset) -> None:
    event = event_of(*payments(3))
    undisturbed = System(ruleset)
    undisturbed.handle(event)
    system.profiles.before_write = lambda: _drop(system.handle(event))

    system.handle(event)

    assert system.profiles.body("user-1") == undisturbed.profiles.body("user-1")
    assert system.history.rows == undisturbed.history.rows


def test_a_bad_record_is_quarantined_whole_and_the_batch_continues(system: System) -> None:
    good = encode_transaction(make_grocery_payment())
    event = make_event(
        [(Position(TOPIC, 2, 7), b'{"transaction_id": "t", "user_id": []}'), (Position(TOPIC, 2, 8), good)]
    )

    response = system.handle(event)

    assert failures(response) == []
    [record] = system.quarantine.kept
    assert (record.position, record.field, record.value) == (
        Position(TOPIC, 2, 7),
        "user_id",
        b'{"transaction_id": "t", "user_id": []}',
    )
    assert len(system.history.rows) == 1


def test_what_cannot_be_quarantined_is_to_be_delivered_again(system: System) -> None:
    system.quarantine.refused = {Position(TOPIC, 2, 7)}

    response = system.handle(make_event([(Position(TOPIC, 2, 7), b"?")]))

    assert response == {
        "batchItemFailures": [{"itemIdentifier": {"partition": "transaction_stream-2", "offset": 7}}]
    }


def test_a_payment_under_another_key_is_scored_by_its_user(system: System) -> None:
    event = make_event(
        [(Position(TOPIC, 0, 0), encode_transaction(make_grocery_payment()))], key=b"somebody-else"
    )

    system.handle(event)

    assert [row.transaction.user_id for row in system.history.scored()] == ["user-1"]


def test_without_cache_and_history_the_whole_batch_is_delivered_again(system: System) -> None:
    system.profiles.is_down = True
    system.history.is_down = True

    with pytest.raises(HistoryUnavailableError):
        system.handle(event_of(make_grocery_payment()))

    assert system.history.rows == {}


def test_a_decision_can_be_made_again_from_its_row(system: System, ruleset: Ruleset) -> None:
    system.handle(event_of(*payments(6, amount=Decimal("1500.50"))))

    for row in system.history.scored():
        again = is_fraudulent(unpack(row.features, row.feature_set), row.transaction, ruleset)
        assert (again.risk_score, again.decision, again.reasons) == (
            row.risk_score,
            row.decision,
            row.reasons,
        )


def _drop(_: object) -> None:
    """Make a statement of an expression whose value does not matter."""


@pytest.mark.parametrize("timestamp", [-1, 1_790_000_000_000_000, 1_790_000_000_000_000_000, 2**63 - 1])
def test_a_record_whose_timestamp_is_no_date_counts_as_appended_now(system: System, timestamp: int) -> None:
    event = event_of(*payments(2))
    for record in event["records"][f"{TOPIC}-0"]:
        record["timestamp"] = timestamp
    rejected = make_event([(Position(TOPIC, 1, 0), b"no payment")])
    rejected["records"][f"{TOPIC}-1"][0]["timestamp"] = timestamp
    event["records"] |= rejected["records"]

    response = system.handle(event)

    assert failures(response) == []
    assert [row.appended_at for row in system.history.scored()] == [NOW, NOW]
    assert [record.appended_at_ms for record in system.quarantine.kept] == [round(NOW.timestamp() * 1000)]


@pytest.mark.parametrize(
    "changes",
    [{"amount": Decimal(9900)}, {"payee_id": "mule"}, {"merchant_id": "m-2"}, {"card_id": "card-2"}],
)
@pytest.mark.parametrize("is_one_batch", [True, False])
def test_another_payment_under_the_id_and_time_of_one_before_is_stored_and_counted(
    system: System, changes: dict[str, object], *, is_one_batch: bool
) -> None:
    small = make_grocery_payment(amount=Decimal(1))
    large = make_grocery_payment(**{"amount": Decimal(1)} | changes)
    if is_one_batch:
        system.handle(event_of(small, large))
    else:
        system.handle(event_of(small))
        system.handle(event_of(large, first_offset=1))
    system.handle(event_of(large, first_offset=1))  # delivered again

    assert sorted(row.position.offset for row in system.history.scored()) == [0, 1]
    assert [row.repeats for row in system.history.scored()] == [0, 0]
    assert system.profile().tx_count == 2


def test_same_payment_under_one_id_and_time_is_stored_once_however_its_amount_is_written(
    system: System,
) -> None:
    for offset, amount in enumerate(("25.00", "25", "2.5E+1")):
        system.handle(event_of(make_grocery_payment(amount=Decimal(amount)), first_offset=offset))

    assert [row.position.offset for row in system.history.scored()] == [0]
    assert system.profile().tx_count == 1
