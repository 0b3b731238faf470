"""The score stage on stores in memory: a cache that is down, emptied or behind, and two writers of one profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from score.errors import HistoryUnavailableError
from tests.support.entity_stores import without_entities
from tests.support.kafka_events import event_of
from tests.support.oracle import behaviour
from tests.support.payments import make_grocery_payment
from tests.unit.score.stage_system import System, failures, payments, system

if TYPE_CHECKING:
    from engine.rules.ruleset import Ruleset

__all__ = ["system"]


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

    assert without_entities(system.history.rows) == without_entities(undisturbed.history.rows)
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
    assert without_entities(system.history.rows) == without_entities(undisturbed.history.rows)


def test_without_cache_and_history_the_whole_batch_is_delivered_again(system: System) -> None:
    system.profiles.is_down = True
    system.history.is_down = True

    with pytest.raises(HistoryUnavailableError):
        system.handle(event_of(make_grocery_payment()))

    assert system.history.rows == {}


def _drop(_: object) -> None:
    """Make a statement of an expression whose value does not matter."""
