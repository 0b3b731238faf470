"""An employer pays its people every week, within minutes; and what a thief on the employer's own device could make of that."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from contract.scored import Decision
from tests.support.customers import described, is_flagged
from tests.support.town import Town, resident, warm_town

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.decided import Assessment

EMPLOYER: Final = resident(3)
STAFF: Final = [f"employee-{number}" for number in range(25)]
PAY: Final = ("410", "455", "390", "520", "960", "430", "480")
WEEK: Final = timedelta(days=7)
FAST: Final = timedelta(seconds=12)


def run(town: Town, payees: Sequence[str] = STAFF, factor: int = 1, **changes: Any) -> list[Assessment]:
    """Pay these within minutes."""
    return [
        town.transfer(EMPLOYER, payee, str(factor * int(PAY[number % len(PAY)])), FAST, **changes)
        for number, payee in enumerate(payees)
    ]


@pytest.fixture
def town() -> Town:
    """A week after the second run, which was no more flagged than it must be: nobody knew the first."""
    found = warm_town()
    for _ in range(2):
        begin = found.now + timedelta(hours=12)
        found.now = begin
        run(found)
        found.now = begin - timedelta(hours=12)
        found.live(7)
    found.now += timedelta(hours=12)
    return found


def test_the_first_run_of_all_is_flagged() -> None:
    town = warm_town()
    town.now += timedelta(hours=12)

    taken = run(town)

    assert all(each.decision is Decision.BLOCK for each in taken[10:]), described(*taken)


def test_the_runs_of_later_weeks_are_approved(town: Town) -> None:
    taken = run(town)

    assert not any(map(is_flagged, taken)), described(*taken)


def test_a_payee_who_is_new_in_a_run_is_flagged_alone(town: Town) -> None:
    taken = run(town, [*STAFF[:20], "thiefs-account", *STAFF[20:]])

    assert [number for number, each in enumerate(taken) if is_flagged(each)] == [20], described(*taken)


def test_a_run_to_other_payees_is_flagged(town: Town) -> None:
    taken = run(town, [f"mule-{number}" for number in range(25)])

    assert all(map(is_flagged, taken[3:])), described(*taken)


def test_a_run_to_payees_whom_others_pay_today_is_flagged(town: Town) -> None:
    for number, payee in enumerate(STAFF):
        town.transfer(resident(number + 10), payee, "60", FAST)

    taken = run(town)

    assert all(map(is_flagged, taken[3:])), described(*taken)


def test_a_cent_to_each_employee_does_not_stop_the_run(town: Town) -> None:
    for number, payee in enumerate(STAFF):
        town.transfer(f"thiefs-account-{number}", payee, "0.01", FAST)

    taken = run(town)

    assert not any(map(is_flagged, taken)), described(*taken)


def test_a_run_from_another_device_is_flagged(town: Town) -> None:
    taken = run(town, device_id="thiefs-laptop")

    assert all(map(is_flagged, taken[3:])), described(*taken)


def test_more_money_than_one_and_a_half_times_what_was_paid_otherwise_in_a_month_is_flagged(
    town: Town,
) -> None:
    taken = run(town, factor=8)

    assert all(map(is_flagged, taken[-10:])), described(*taken)


@pytest.mark.parametrize("amount", ["2000", "4000", "9000"])
def test_a_run_that_was_blocked_does_not_pay_for_the_same_run_a_week_later(amount: str) -> None:
    """What was blocked has made the payees known, and the sum of the month high; nobody has paid it, though."""
    town = warm_town()
    victim = resident(5)
    for _ in range(2):
        begin = town.now + timedelta(hours=12)
        town.now = begin
        taken = [town.transfer(victim, f"mule-{number}", amount, FAST) for number in range(25)]
        town.now = begin - timedelta(hours=12)
        town.live(7)

    assert all(map(is_flagged, taken[5:])), described(*taken)
