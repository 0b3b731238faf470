"""The score stage on stores in memory: crashes, failed inserts, redeliveries, and payments that a producer repeats."""

from __future__ import annotations

from decimal import Decimal

import pytest

from contract.scored import Decision
from engine.profile import from_bytes, to_bytes
from engine.rules.ruleset import Ruleset, parse_ruleset
from tests.support.entity_stores import without_entities
from tests.support.kafka_events import event_of, with_offset
from tests.support.payments import NOW, make_grocery_payment
from tests.support.rule_samples import TWO_RULES
from tests.unit.score.stage_system import System, failures, payments, system

__all__ = ["system"]


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

    assert without_entities(system.history.rows) == without_entities(undisturbed.history.rows)
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

    assert without_entities(system.history.rows) == without_entities(undisturbed.history.rows)
    assert system.profiles.body("user-1") == undisturbed.profiles.body("user-1")


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
