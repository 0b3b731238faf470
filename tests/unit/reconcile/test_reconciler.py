"""The reconciler finds every payment that a stage has missed, on tables as DynamoDB has them, and sends it to the stage."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from common.batch_requests import UnansweredError
from contract.alert import AlertState
from contract.scored import Decision, from_history_item, to_history_item
from reconcile.metrics import Metric
from tests.unit.reconcile.world import CLEAN

if TYPE_CHECKING:
    from tests.unit.reconcile.world import World


def test_a_payment_without_a_flagged_row_is_sent_to_persist_whole(world: World) -> None:
    lost = world.decided("lost")

    found = world.run()

    assert found == CLEAN | {"checked": 1, "flagged_rows_repaired": 1}
    assert [from_history_item(row) for row in world.persist.rows] == [lost]
    assert world.alert.rows == []
    assert world.metrics.values[Metric.FLAGGED_ROWS_REPAIRED] == [1]
    assert world.log.errors == [found]


@pytest.mark.parametrize("state", [None, AlertState.CLAIMED])
def test_a_flagged_row_without_an_alert_is_sent_to_alert(world: World, state: AlertState | None) -> None:
    world.flagged(world.decided("silent"), state)

    found = world.run()

    assert found == CLEAN | {"checked": 1, "alerts_repaired": 1}
    assert (world.persist.users, world.alert.users) == ([], ["silent"])
    assert world.metrics.values[Metric.ALERTS_REPAIRED] == [1]


@pytest.mark.parametrize("state", [AlertState.SENT, AlertState.SUPPRESSED])
def test_a_payment_that_was_alerted_on_or_counted_is_left_alone(world: World, state: AlertState) -> None:
    world.flagged(world.decided("done"), state)

    found = world.run()

    assert found == CLEAN | {"checked": 1}
    assert (world.persist.rows, world.alert.rows, world.log.errors) == ([], [], [])


def test_approved_payments_and_repeats_are_not_looked_at(world: World) -> None:
    world.decided("approved", decision=Decision.APPROVE, risk_score=0)
    world.decided("repeat", repeats=7)

    assert world.run() == CLEAN


def test_what_is_younger_than_the_grace_may_still_be_on_its_way(world: World) -> None:
    world.decided("new", age=timedelta(minutes=29))
    world.flagged(world.decided("flagged-late"), None, age=timedelta(minutes=29))

    found = world.run()

    assert (found["flagged_rows_repaired"], found["alerts_repaired"]) == (0, 0)


def test_only_the_last_hours_are_looked_at_unless_more_are_asked_for(world: World) -> None:
    world.decided("old", age=timedelta(hours=50))

    assert world.run() == CLEAN
    assert world.run(hours=72) == CLEAN | {"checked": 1, "flagged_rows_repaired": 1}


@pytest.mark.parametrize("hours", [0, 4_401, "many"])
def test_hours_that_are_none_are_refused_by_name(world: World, hours: object) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"\$\.hours"):
        world.run(hours=hours)


def test_a_payment_that_its_stage_refuses_again_is_counted_as_failed(world: World) -> None:
    world.decided("lost")
    world.decided("poison")
    world.persist.refuses = {"poison"}

    found = world.run()

    assert found == CLEAN | {"checked": 2, "flagged_rows_repaired": 1, "repairs_failed": 1}


def test_a_row_that_cannot_be_read_stops_no_other_repair(world: World) -> None:
    # It is what persist could not read either, so it has no flagged row, and each run meets it again for two days.
    damaged = world.decided("damaged", age=timedelta(hours=3))
    world.dynamodb.update_item(
        TableName="transaction_history",
        Key={name: to_history_item(damaged, 1_900_000_000)[name] for name in ("user_id", "event_key")},
        UpdateExpression="SET decision = :none",
        ExpressionAttributeValues={":none": {"S": "none"}},
    )
    world.decided("lost")

    found = world.run()

    assert found == CLEAN | {"checked": 2, "flagged_rows_repaired": 1, "repairs_failed": 1}
    assert world.persist.users == ["lost"]
    assert "decision" in world.log.errors[0]["problem"]


def test_hours_that_the_run_has_no_time_for_are_counted(world: World) -> None:
    world.decided("lost")

    found = world.run(has_time=lambda: False)

    assert found["hours_unchecked"] > 48
    assert world.persist.rows == []


def test_many_payments_of_an_hour_are_all_looked_at(world: World) -> None:
    for number in range(230):
        world.decided(f"user-{number:03d}")

    found = world.run()

    assert found == CLEAN | {"checked": 230, "flagged_rows_repaired": 230}
    assert world.persist.users == [f"user-{number:03d}" for number in range(230)]


def test_the_time_is_looked_at_within_a_part_of_an_hour_too(world: World) -> None:
    # A stage that hangs takes a minute a call, and after an outage a part of an hour has thousands of payments.
    for number in range(900):
        world.decided(f"user-{number:03d}")
    found = world.run(has_time=lambda: len(world.persist.rows) < 50)

    assert found["hours_unchecked"] > 0
    assert found["flagged_rows_repaired"] == len(world.persist.rows) < 200


def test_canaries_are_left_out_as_their_flagged_rows_expire_after_a_day(world: World) -> None:
    world.decided("canary-flagged-7", age=timedelta(hours=40))
    world.decided("canary-islands", age=timedelta(hours=40))

    found = world.run()

    assert found == CLEAN | {"checked": 1, "flagged_rows_repaired": 1}
    assert world.persist.users == ["canary-islands"]


def test_a_run_that_fails_reports_what_it_has_repaired_before(world: World) -> None:
    world.decided("first", age=timedelta(hours=20))
    world.flagged(world.decided("second", age=timedelta(hours=2)), None)
    world.alert.fails = True

    with pytest.raises(UnansweredError):
        world.run()

    assert world.metrics.values[Metric.FLAGGED_ROWS_REPAIRED] == [1]
    assert world.log.errors[0]["flagged_rows_repaired"] == 1
