"""A proposed ruleset is tried on all stored payments of the last days, or of some users, beside the one from which it was made."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from contract.flagged import CONFIRMED_FRAUD, FALSE_POSITIVE
from contract.side import Side
from contract.trial_row import TrialState
from contract.tried import TryAnswer
from engine.rollout.start import with_candidate
from engine.rules.check import check_ruleset
from replay.trial import TO_FINISH, Bounds
from tests.support.moto_aws import aws
from tests.support.trial_world import ACTIVE, PROPOSED, World, row

if TYPE_CHECKING:
    from collections.abc import Callable


__all__ = ["aws"]


@pytest.fixture
def world(aws: Callable[[str], Any]) -> World:
    return World(aws("dynamodb"))


def test_both_rulesets_decide_about_the_payments_of_the_last_days(world: World) -> None:
    world.put(row("ann", 10), row("ann", 100), row("bob", 20), row("bob", 30, days=8))

    found = world.ask()

    assert (found.payments, found.users, found.share_read, found.unreadable) == (3, 2, 1.0, 0)
    assert found.alerts is not None
    assert (found.alerts.before, found.alerts.after) == (3, 1)
    assert (found.alerts.before_cents, found.alerts.after_cents) == (16_250, 12_500)  # of EUR, at 1.25
    assert found.alerts.interval is None  # nothing is estimated
    assert found.alerts.times < 1
    (lost,) = found.lost
    assert (lost.rule_id, lost.payments, lost.cents) == ("much", 2, 3_750)
    assert {(each.user_id, each.before, each.after, each.after_score) for each in lost.examples} == {
        ("ann", "review", "approve", 0),
        ("bob", "review", "approve", 0),
    }
    assert found.new == ()


def test_the_candidate_of_a_proposed_document_is_compared(world: World) -> None:
    world.put(row("ann", 10), row("ann", 100))
    both = with_candidate(ACTIVE, PROPOSED, 5)

    found = world.ask(both, is_candidate=True)

    assert found.alerts is not None
    assert (found.alerts.before, found.alerts.after) == (2, 1)


def test_a_change_for_all_users_is_tried_with_the_candidate_that_stays_in_it(world: World) -> None:
    users = [f"user-{number}" for number in range(30)]
    world.put(*(row(user, 10) for user in users))
    candidate = PROPOSED.replace('"2"', '"c"')
    after = with_candidate(ACTIVE.replace("id: much", "id: as_much"), candidate, 50)
    drawn = check_ruleset(after.encode(), "test").candidate
    assert drawn is not None

    found = world.ask(after)

    assert found.alerts is not None
    of_candidate = sum(drawn.draw.side_of(user) is Side.CANDIDATE for user in users)
    assert 5 < of_candidate < 25
    assert (found.alerts.before, found.alerts.after) == (30, 30 - of_candidate)


def test_an_empty_history_and_a_document_without_candidate_say_so(world: World) -> None:
    assert world.ask() == TryAnswer(share_read=1.0, base_currency="USD")
    assert world.ask(is_candidate=True).why_not == "The proposed document has no candidate."
    assert "is not kept any more" in world.ask(digest_before="0" * 12).why_not


def test_a_ruleset_that_is_refused_says_why_without_its_text(world: World) -> None:
    found = world.ask(PROPOSED.replace("amount_base", "amount_bas"))

    assert "amount_bas" in found.why_not
    assert "\n" not in found.why_not


def test_a_row_that_cannot_be_read_is_counted_and_left_out(world: World) -> None:
    broken = msgspec.structs.replace(row("ann", 10), features=b"\x00")
    world.put(broken, row("ann", 100))

    found = world.ask()

    assert (found.payments, found.unreadable) == (1, 1)


def test_a_part_of_the_users_is_a_sample_with_an_interval(world: World) -> None:
    world.put(*(row(f"user-{number}", 10 + number) for number in range(60)))
    world.bounds = Bounds(20, timedelta(seconds=60))

    found = world.ask()

    assert 20 <= found.payments < 60
    assert 0 < found.share_read < 1
    assert found.alerts is not None
    assert found.alerts.interval is not None
    least, most = found.alerts.interval
    assert least < found.alerts.times < most


def test_what_nobody_flags_has_no_interval_that_json_cannot_write(world: World) -> None:
    world.put(*(row(f"user-{number}", 10) for number in range(60)))
    world.bounds = Bounds(20, timedelta(seconds=60))

    found = world.ask()

    assert found.blocks is not None
    assert (found.blocks.before, found.blocks.after, found.blocks.interval) == (0, 0, None)


def test_known_frauds_and_false_alarms_are_counted_beside(world: World) -> None:
    lost, kept, honest = row("ann", 10), row("bob", 100), row("cat", 20)
    missed = row("dan", 1)
    world.put(lost, kept, honest, missed)
    world.judge(lost, CONFIRMED_FRAUD)
    world.judge(kept, CONFIRMED_FRAUD)
    world.judge(honest, FALSE_POSITIVE)
    world.call_fraud(missed)  # a chargeback of a payment that nobody flagged

    found = world.ask(ACTIVE.replace("> 1.0", "> 50.0"))

    known = found.known
    assert known is not None
    assert (known.frauds, known.fraud_cents) == (3, 1_250 + 12_500 + 125)
    assert (known.found.before, known.found.after) == (3, 1)
    assert (known.found_only_before, known.found_only_after) == (2, 0)
    assert (known.false_alarms.before, known.false_alarms.after, known.false_alarms.before_cents) == (
        1,
        0,
        2_500,
    )
    (rule,) = found.lost
    assert {(each.user_id, each.verdict, each.case_id) for each in rule.examples} == {
        ("ann", "fraud", "c-1"),
        ("cat", "legitimate", "c-1"),
        ("dan", "fraud", ""),
    }


def test_payments_of_the_canary_are_left_out(world: World) -> None:
    world.put(row("ann", 10), row("canary-7", 10))

    assert world.ask().payments == 1


def test_it_ends_when_its_time_is_over(world: World) -> None:
    world.put(row("ann", 10))
    world.bounds = Bounds(1_000, timedelta(0))

    assert world.ask() == TryAnswer(base_currency="USD")


def test_it_ends_before_lambda_ends_it(world: World) -> None:
    world.put(row("ann", 10))
    request = world.request()

    world.trial.handle(msgspec.to_builtins(world.asked(request)), TO_FINISH)

    assert world.row(request).state is TrialState.DONE
    assert world.row(request).found == TryAnswer(base_currency="USD")
