"""The ruleset's page says what is active, what each rule did this week, and how the candidate is doing; a rule has its own page."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from console.rights import Group
from console.rules_views import rule_view, rules_view, words_of
from console.week_records import Listed, Week
from contract.flagged import CONFIRMED_FRAUD, OPEN
from contract.rollout_rows import counts_item, part_key
from contract.scored import Decision
from engine.features.catalogue import CATALOGUE
from engine.rollout.counts import RolloutCounts
from engine.rollout.stored import counts_to_bytes
from tests.support.console_rulesets import RULESET, RULESET_WITH_CANDIDATE, outline_of
from tests.support.console_world import NOW
from tests.support.payments import make_flagged, make_transaction

if TYPE_CHECKING:
    from tests.support.console_world import ConsoleWorld

SENTENCES = {each.name: each.description for each in CATALOGUE}


def week() -> Week:
    rows = tuple(
        make_flagged(make_transaction(transaction_id=f"t-{number}"), rule_ids=("impossible_travel",))
        for number in range(2)
    )
    listed = tuple(
        Listed(
            user_id=row.user_id,
            event_key=row.event_key,
            occurred_at=NOW,
            status=status,
            decision=Decision.BLOCK,
            risk_score=85,
            amount_base=Decimal(100),
            base_currency="USD",
        )
        for row, status in zip(rows, (CONFIRMED_FRAUD, OPEN), strict=True)
    )
    return Week(listed, True, rows)


def counts(candidate_only: int) -> RolloutCounts:
    """Of 1,000 payments of each of 64 groups ten are reviewed by both, and so many by the candidate alone."""
    groups = range(64)
    return RolloutCounts(
        payments=dict.fromkeys(groups, 1_000),
        alerts={group: [10, 0, candidate_only] for group in groups},
        champion_hits={"large": dict.fromkeys(groups, 20)},
    )


def test_each_rule_has_its_week_and_for_how_many_of_all_payments_it_held(world: ConsoleWorld) -> None:
    active = world.rulesets.activate(RULESET, NOW)

    view = rules_view(active, outline_of(RULESET), week(), {5: counts(0)})

    travel, large = view.rules
    assert (travel.id, travel.points, travel.mode, travel.held) == (
        "impossible_travel",
        "+40",
        "live",
        "0 (0.00%)",
    )
    assert (travel.week.flagged, travel.week.fraud, travel.week.fraud_money) == (2, 1, "100.00 USD")
    assert (large.week.flagged, large.held) == (0, "1,280 (2.00%)")
    assert view.thresholds == "review from 50 points, block from 80"
    assert view.candidate is None


@pytest.mark.parametrize(("candidate_only", "is_outside"), [(1, False), (30, True)])
def test_a_candidate_is_compared_on_the_same_payments_with_its_bands(
    world: ConsoleWorld, candidate_only: int, *, is_outside: bool
) -> None:
    active = world.rulesets.activate(RULESET_WITH_CANDIDATE, NOW)
    windows = {5: RolloutCounts(), 60: counts(candidate_only)}

    view = rules_view(active, outline_of(RULESET_WITH_CANDIDATE), week(), windows)

    assert view.candidate is not None
    (row,) = view.candidate.rows  # nothing was counted in the last five minutes
    assert (row.window, row.payments, row.is_outside) == ("last 60 minutes", "64,000", is_outside)
    assert row.alerts == f"1.00% and {(10 + candidate_only) / 10:.2f}%"
    assert view.candidate.share == "5% of the users"
    assert view.candidate.new_rules == (("large", "changed"),)
    assert "0.5 or more than 2 times" in view.candidate.bands


def test_a_rule_is_explained_by_the_sentences_of_its_features() -> None:
    outline = outline_of(RULESET)

    view = rule_view(outline, outline.champion.rules[1], week(), {}, SENTENCES)

    assert view.features == (
        ("amount_base", SENTENCES["amount_base"]),
        ("on_denied_merchants", "on list denied_merchants (merchant_id)"),
    )
    assert (view.largest_share, view.held) == ("", "")


def test_a_rule_may_have_a_largest_share() -> None:
    outline = outline_of(RULESET.replace("    points: 40\n", "    points: 40\n    max_share: 10\n"))

    view = rule_view(outline, outline.champion.rules[0], week(), {}, SENTENCES)

    assert view.largest_share == "10% of users with a past"


def test_the_words_of_a_condition_are_names_alone() -> None:
    assert words_of("a_b>1.5&&!on_x || c in ['d']") == ["a_b", "on_x", "c", "in", "d"]


def test_the_page_shows_the_active_ruleset_with_what_was_counted(world: ConsoleWorld) -> None:
    active = world.rulesets.activate(RULESET_WITH_CANDIDATE, NOW)
    key, stored = part_key(NOW, "0f"), counts_to_bytes(counts(30))
    item: Any = counts_item(active.digest, key, stored, NOW)
    world.dynamodb.put_item(TableName="rollout_counts", Item=item)
    world.sign_in(Group.AUDITOR)

    page = world.get("/rules")
    rule = world.get("/rules/rule/large")

    assert page.status == rule.status == 200
    assert "Rules: version 1" in page.body
    assert "Candidate 2: it decides for 5% of the users" in page.body
    assert "(outside of its band)" in page.body
    assert "Withdraw the candidate" not in page.body
    assert "Change this rule" not in rule.body
    assert "1,280 (2.00%)" in rule.body


def test_without_an_active_ruleset_the_page_says_so(world: ConsoleWorld) -> None:
    world.sign_in(Group.AUTHOR)

    assert "No ruleset is known here yet" in world.get("/rules").body
    assert world.get("/rules/rule/large").status == 404


def test_a_rule_that_is_not_there_has_no_page(world: ConsoleWorld) -> None:
    world.rulesets.activate(RULESET, NOW)
    world.sign_in(Group.AUTHOR)

    assert world.get("/rules/rule/absent").status == 404


def test_where_the_validator_does_not_answer_the_page_is_unavailable(world: ConsoleWorld) -> None:
    world.rulesets.activate(RULESET, NOW)
    world.rulesets.validator.fails = True
    world.sign_in(Group.AUTHOR)

    assert world.get("/rules").status == 503


def test_a_document_is_asked_for_once(world: ConsoleWorld) -> None:
    world.rulesets.activate(RULESET, NOW)
    world.sign_in(Group.AUTHOR)

    world.get("/rules")
    world.get("/rules/rule/large")

    assert world.rulesets.validator.asked == [{"ask": "read", "document": RULESET}]
