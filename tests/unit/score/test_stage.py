"""The score stage on stores in memory: what is stored, folded and quarantined, and that a decision can be made again."""

from __future__ import annotations

import gc
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from contract.scored import Decision, OtherVerdict, Position
from contract.side import Side
from contract.transaction import encode_transaction
from engine.decide import is_fraudulent
from engine.features.stored import unpack
from score.batch_work import BatchWork
from tests.support.kafka_events import TOPIC, event_of, make_event
from tests.support.payments import NOW, make_grocery_payment
from tests.support.rule_samples import candidate_of
from tests.unit.score.stage_system import System, failures, payments, system

if TYPE_CHECKING:
    from engine.rules.ruleset import Ruleset

__all__ = ["system"]


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


def test_a_batch_is_freed_without_the_garbage_collector(system: System) -> None:
    system.handle(event_of(*payments(2)))
    gc.collect()
    gc.disable()
    try:
        system.handle(event_of(*payments(5), first_offset=2))

        # Not isinstance: it asks an object for its class, and a dead proxy of other tests refuses that.
        left = [each for each in gc.get_objects() if type(each) is BatchWork]
    finally:
        gc.enable()

    assert left == []


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


def test_a_decision_can_be_made_again_from_its_row(system: System, ruleset: Ruleset) -> None:
    system.handle(event_of(*payments(6, amount=Decimal("1500.50"))))

    for row in system.history.scored():
        again = is_fraudulent(unpack(row.features, row.feature_set), row.transaction, ruleset)
        assert (again.risk_score, again.decision, again.reasons) == (
            row.risk_score,
            row.decision,
            row.reasons,
        )


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


def test_a_row_names_the_side_that_decided_and_what_the_other_would_have(system: System) -> None:
    system.ruleset = candidate_of({"points": 45}, share=50)

    system.handle(event_of(*[make_grocery_payment(user_id=f"u-{n}", amount=Decimal(500)) for n in range(30)]))

    said = {(row.side, row.decision, row.other) for row in system.history.scored()}
    approve, review = OtherVerdict(Decision.APPROVE, 0), OtherVerdict(Decision.REVIEW, 45)
    assert said == {
        (Side.CHAMPION, Decision.APPROVE, review),
        (Side.CANDIDATE, Decision.REVIEW, approve),
    }
