"""A payment is decided by the side that is drawn for its user, and the other side is asked about the same features."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from contract.scored import Decision, OtherVerdict, Position, from_history_item, to_history_item
from contract.side import Side
from engine.decide import decide, is_fraudulent, scored_transaction
from engine.features.model import FRAUD_PROBABILITY
from engine.profile import Profile
from engine.rules.ruleset import parse_ruleset
from tests.support.model_samples import AMOUNT_TERM, FRAUD_TERM, model_document
from tests.support.payments import NOW, make_grocery_payment, trusted_facts
from tests.support.rule_samples import HEAD, RULE

if TYPE_CHECKING:
    from engine.decided import Decided
    from engine.rules.ruleset import Ruleset

MODELS = {
    json.loads(data)["sha256"]: data
    for data in (model_document(AMOUNT_TERM, FRAUD_TERM), model_document(AMOUNT_TERM, intercept=-1.0))
}
ONE, TWO = MODELS


def _ruleset(
    champion: dict[str, Any],
    candidate: dict[str, Any],
    share: float = 50,
    models: tuple[str | None, str | None] = (None, None),
) -> Ruleset:
    """Champion and candidate of one rule each, which always holds but for what is given."""
    always = {**RULE, "when": "amount > 0.0", "reason": "r"}
    sections = [{} if sha256 is None else {"model": {"sha256": sha256}} for sha256 in models]
    second = {
        "version": "2",
        "share": share,
        "thresholds": {"review": 40, "block": 90},
        "rules": [always | candidate],
        **sections[1],
    }
    rest = {"rules": [always | champion], "candidate": second, **sections[0]}
    lines = "".join(f"{name}: {json.dumps(value)}\n" for name, value in rest.items())
    return parse_ruleset(HEAD + lines, "r.yaml", MODELS.get)


def _users(ruleset: Ruleset) -> dict[Side, str]:
    """A user of each side."""
    assert ruleset.candidate is not None
    return {ruleset.candidate.draw.side_of(f"u-{number}"): f"u-{number}" for number in range(100)}


def _decided(ruleset: Ruleset, user_id: str, profile: Profile | None = None) -> Decided:
    return decide(trusted_facts(make_grocery_payment(user_id=user_id)), profile or Profile(), ruleset)


def test_the_side_that_is_drawn_decides_and_the_other_is_asked() -> None:
    rules = _ruleset({"points": 85}, {"points": 45})
    users = _users(rules)

    champions, candidates = _decided(rules, users[Side.CHAMPION]), _decided(rules, users[Side.CANDIDATE])

    assert (champions.side, candidates.side) == (Side.CHAMPION, Side.CANDIDATE)
    assert (champions.assessment.decision, candidates.assessment.decision) == (
        Decision.BLOCK,
        Decision.REVIEW,
    )
    assert champions.other == candidates.assessment
    assert candidates.other == champions.assessment


def test_in_shadow_the_candidate_is_asked_for_every_user_and_decides_for_none() -> None:
    rules = _ruleset({"points": 10}, {"points": 95}, share=0)

    decided = [_decided(rules, f"u-{number}") for number in range(30)]

    assert {(each.side, each.assessment.decision) for each in decided} == {(Side.CHAMPION, Decision.APPROVE)}
    assert all(each.other and each.other.decision is Decision.BLOCK for each in decided)


@pytest.mark.parametrize("models", [(None, None), (ONE, ONE), (ONE, TWO), (None, TWO), (ONE, None)])
@pytest.mark.parametrize("side", list(Side))
def test_each_side_says_what_its_rules_and_its_model_alone_say(
    models: tuple[str | None, str | None], side: Side
) -> None:
    condition = {"when": "fraud_probability > 0.01", "reason": "{fraud_probability:.4%}"}
    rules = _ruleset({**condition, "points": 60}, {**condition, "points": 45}, models=models)
    user_id = _users(rules)[side]
    facts = trusted_facts(make_grocery_payment(user_id=user_id))

    decided = decide(facts, Profile(), rules)

    first, second = (decide(facts, Profile(), each.without_candidate()) for each in rules.sides)
    own, other = (first, second) if side is Side.CHAMPION else (second, first)
    assert (decided.side, decided.assessment, decided.other) == (side, own.assessment, other.assessment)
    assert dict(decided.features) == dict(own.features)


def test_a_stored_row_gives_both_sides_decisions_again() -> None:
    rules = _ruleset({"when": "fraud_probability > 0.01", "points": 60}, {"points": 45}, models=(ONE, TWO))
    facts = trusted_facts(make_grocery_payment(user_id=_users(rules)[Side.CANDIDATE]))
    decided = decide(facts, Profile(), rules)

    row = from_history_item(
        to_history_item(
            scored_transaction(facts, decided, rules, Position("t", 0, 1), NOW, NOW, profile_version=0), 1
        )
    )

    again = is_fraudulent(decided.features, row.transaction, rules.of_side(row.side), facts.clock_ms)
    assert (row.side, row.decision, row.risk_score) == (Side.CANDIDATE, again.decision, again.risk_score)
    assert decided.other is not None
    assert row.other == OtherVerdict(decided.other.decision, decided.other.risk_score)
    assert row.ruleset_version == rules.stored_version


def test_a_repeat_has_its_payments_decision_and_asks_no_side() -> None:
    rules = _ruleset({"points": 10}, {"points": 95})
    user_id = _users(rules)[Side.CANDIDATE]
    profile = Profile()
    first = make_grocery_payment(user_id=user_id)
    decided = decide(trusted_facts(first), profile, rules)
    profile.fold(trusted_facts(first), decided.outcome, Position("t", 0, 1))

    again = make_grocery_payment(user_id=user_id, timestamp=first.timestamp + timedelta(seconds=1))
    repeat = decide(trusted_facts(again), profile, rules)

    assert repeat.outcome.repeats
    assert (repeat.assessment.decision, repeat.side, repeat.other) == (Decision.BLOCK, Side.CANDIDATE, None)


def test_what_the_candidate_would_have_said_changes_nothing_that_the_champion_decides() -> None:
    plain = _ruleset({"points": 10}, {"points": 95}, share=0, models=(ONE, TWO))
    facts = trusted_facts(make_grocery_payment())

    with_it, alone = decide(facts, Profile(), plain), decide(facts, Profile(), plain.without_candidate())

    assert (with_it.assessment, with_it.outcome, with_it.sighting) == (
        alone.assessment,
        alone.outcome,
        alone.sighting,
    )
    assert with_it.features[FRAUD_PROBABILITY] == alone.features[FRAUD_PROBABILITY]
    assert alone.other is None


def test_a_condition_of_the_candidate_that_fails_leaves_the_champions_decision() -> None:
    rules = _ruleset({"points": 60}, {"when": "1 / (tx_count_1m - tx_count_1m) > 0"}, share=0)

    decided = _decided(rules, "u-1")

    assert decided.assessment.decision is Decision.REVIEW
    assert decided.assessment.failed_rule_ids == ()
    assert decided.other is not None
    assert (decided.other.decision, decided.other.failed_rule_ids) == (Decision.APPROVE, ("r",))


def test_a_champion_with_another_model_or_none_is_measured_without_its_candidate() -> None:
    rules = _ruleset({"points": 10}, {"points": 95}, models=(ONE, TWO))
    assert rules.model is not None

    assert (rules.without_model().candidate, rules.with_model(rules.model).candidate) == (None, None)
    assert rules.candidate is not None
