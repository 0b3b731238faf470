"""A canary that is to be flagged is held for review, whatever the ruleset; the other kind is decided by the rules."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from contract.canary import CANARY_RULE_ID, canary_payment, canary_users
from contract.entity_ids import entity_ids
from contract.scored import Decision, Position
from engine.decide import decide
from engine.profile import Profile
from engine.rules.ruleset import Ruleset, parse_ruleset
from ops.manifests import ROOT
from tests.support.payments import NOW, arrived_facts
from tests.support.rule_samples import ruleset

if TYPE_CHECKING:
    from engine.decided import Decided

DEFAULT: Final = parse_ruleset((ROOT / "rules" / "default.yaml").read_text())
ALWAYS: Final = "amount >= 0.0 || amount < 0.0 || true"


def _decided(user_id: str, rules: Ruleset) -> Decided:
    payment = canary_payment(user_id, NOW)
    return decide(arrived_facts(payment, NOW), Profile(), rules)


@pytest.mark.parametrize(
    "rules",
    [
        DEFAULT,
        ruleset(),
        ruleset({"id": "allow", "when": ALWAYS, "points": -200}),
        ruleset({"id": "deny", "when": ALWAYS, "points": 1000}),
    ],
)
def test_a_flagged_canary_is_held_for_review_whatever_the_ruleset(rules: Ruleset) -> None:
    assessment = _decided("canary-flagged-3", rules).assessment

    assert assessment.decision is Decision.REVIEW
    assert assessment.risk_score == rules.thresholds.review
    assert [reason.rule_id for reason in assessment.reasons] == [CANARY_RULE_ID]


def test_the_other_kind_of_canary_is_decided_by_the_rules() -> None:
    deny = ruleset({"id": "deny", "when": ALWAYS, "points": 1000})

    assert _decided("canary-3", deny).assessment.decision is Decision.BLOCK
    assert _decided("canary-3", DEFAULT).assessment.decision is Decision.APPROVE


def test_the_default_ruleset_approves_the_other_kind_for_weeks() -> None:
    """A user pays every twenty minutes; what is usual for it stays usual."""
    profiles: dict[str, Profile] = {}
    decisions = set()
    for turn in range(21 * 24 * 12):
        at = NOW + timedelta(minutes=5 * turn)
        user_id, _ = canary_users(at)
        profile = profiles.setdefault(user_id, Profile())
        facts = arrived_facts(canary_payment(user_id, at), at + timedelta(seconds=20))
        decided = decide(facts, profile, DEFAULT)
        profile.fold(facts, decided.outcome, Position("transaction_stream", 0, turn))
        decisions.add(decided.assessment.decision)

    assert decisions == {Decision.APPROVE}


def test_a_canary_names_no_entity_so_none_counts_it() -> None:
    for user_id in canary_users(NOW):
        assert set(entity_ids(canary_payment(user_id, NOW))) == {None}
