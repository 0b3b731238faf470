"""The reconciler finds payments that their case has not followed, and how long cases have waited for a second person."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from contract.alert import AlertState
from contract.case import CaseKey, SecondLook, owner_of, to_case_item
from contract.flagged import CONFIRMED_FRAUD
from reconcile.metrics import Metric
from reconcile.tables import Tables
from tests.support.cases import make_case
from tests.support.payments import NOW
from tests.unit.reconcile.world import CLEAN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contract.flagged import FlaggedKey
    from reconcile.tables import Unfinished
    from tests.unit.reconcile.world import World


def test_a_flagged_row_without_a_case_is_sent_to_case(world: World) -> None:
    world.flagged(world.decided("nowhere"), AlertState.SENT, case_id=None)

    found = world.run()

    assert found == CLEAN | {"checked": 1, "cases_repaired": 1}
    assert (world.persist.users, world.alert.users, world.case.users) == ([], [], ["nowhere"])
    assert world.metrics.values[Metric.CASES_REPAIRED] == [1]


@pytest.mark.parametrize(
    "changes",
    [
        {"status": CONFIRMED_FRAUD},
        {"case_judgement": "fraud"},
        {"suppression_id": "digest-1"},
        {"case_alert_id": "digest-1"},
        {"case_id": CaseKey(owner_of("changed"), 2).case_id},
        {"case_id": "of another form"},
    ],
    ids=str,
)
def test_a_flagged_row_that_its_case_has_not_followed_is_sent_to_case(
    world: World, changes: dict[str, Any]
) -> None:
    world.flagged(world.decided("changed"), AlertState.SENT, **changes)

    found = world.run()

    assert found == CLEAN | {"checked": 1, "cases_repaired": 1}
    assert (world.persist.users, world.alert.users, world.case.users) == ([], [], ["changed"])


def test_a_row_that_the_case_stage_follows_while_the_run_lasts_is_not_called_missed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored = world.decided("changed")
    world.flagged(scored, AlertState.SENT, status=CONFIRMED_FRAUD)
    read = Tables.unfinished

    def followed(tables: Tables, keys: Sequence[FlaggedKey]) -> Unfinished:
        found = read(tables, keys)
        world.flagged(scored, AlertState.SENT, status=CONFIRMED_FRAUD, case_judgement="fraud")
        return found

    monkeypatch.setattr(Tables, "unfinished", followed)

    assert world.run() == CLEAN | {"checked": 1}
    assert world.case.users == []


def test_after_a_restore_all_payments_are_sent_to_case_and_none_is_called_missed(world: World) -> None:
    world.flagged(world.decided("settled"), AlertState.SENT)
    world.flagged(world.decided("changed"), AlertState.SENT, status=CONFIRMED_FRAUD)
    world.flagged(world.decided("nowhere"), AlertState.SENT, case_id=None)

    found = world.run(recount=True)

    assert found == CLEAN | {"checked": 3, "cases_repaired": 1, "cases_recounted": 2}
    assert world.case.users == ["changed", "nowhere", "settled"]


def test_settled_payments_that_are_counted_after_a_restore_are_no_error(world: World) -> None:
    world.flagged(world.decided("settled"), AlertState.SENT)

    found = world.run(recount=True)

    assert found == CLEAN | {"checked": 1, "cases_recounted": 1}
    assert world.log.errors == []


def test_unsettled_payments_for_which_there_is_no_time_are_not_read_again_and_count_as_not_repaired(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.flagged(world.decided("changed"), AlertState.SENT, status=CONFIRMED_FRAUD)
    read, reads = Tables.unfinished, list[int]()

    def counted(tables: Tables, keys: Sequence[FlaggedKey]) -> Unfinished:
        reads.append(len(keys))
        return read(tables, keys)

    monkeypatch.setattr(Tables, "unfinished", counted)

    found = world.run(has_time=lambda: not reads)

    assert reads == [1]
    assert (found["cases_repaired"], found["repairs_failed"]) == (0, 1)
    assert world.case.users == []


def test_a_run_says_how_long_released_money_has_waited_for_a_second_person(world: World) -> None:
    world.run()
    for days in (1, 3, 2):
        case = make_case(f"user-{days}", second_look=SecondLook(NOW - timedelta(days=days)))
        world.dynamodb.put_item(TableName="cases", Item=to_case_item(case))
    agreed = SecondLook(NOW - timedelta(days=9), by="bob", at=NOW)
    world.dynamodb.put_item(TableName="cases", Item=to_case_item(make_case("user-9", second_look=agreed)))
    world.run()

    assert world.metrics.values[Metric.SECOND_LOOKS_DUE] == [0, 3]
    assert world.metrics.values[Metric.OLDEST_LOOK_SECONDS] == [0, timedelta(days=3).total_seconds()]
