"""A replay names what would be decided otherwise, and why a decision cannot be made again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from contract.scored import Decision, OtherVerdict, Position
from contract.side import Side
from engine.decide import decide, scored_transaction
from engine.errors import InvalidRulesetError
from engine.features.stored import FIRST_FEATURE_SET
from engine.profile import Profile
from engine.replay import UnknownRulesetError
from engine.rules.ruleset import parse_ruleset
from lab.replay import MAX_SHOWN, Replay, UserReplay, replay_text
from tests.support.payments import NOW, make_grocery_payment, trusted_facts
from tests.support.rule_samples import candidate_of, ruleset

if TYPE_CHECKING:
    from contract.scored import ScoredTransaction
    from engine.rules.ruleset import Ruleset

RULES = ruleset({"points": 60, "when": "amount_base > 1.0"})
BOTH = candidate_of({"points": 45, "when": "amount_base > 1.0"}, share=50)


def _row(
    rules: Ruleset = RULES, user_id: str = "user-1", profile: Profile | None = None
) -> ScoredTransaction:
    facts = trusted_facts(make_grocery_payment(user_id=user_id))
    decided = decide(facts, profile or Profile(), rules)
    return scored_transaction(facts, decided, rules, Position("t", 0, 1), NOW, NOW, profile_version=0)


def _replayed(row: ScoredTransaction, rules: Ruleset = RULES) -> Replay:
    replay = Replay(lambda _digest: rules)
    replay.take(row)
    return replay


@pytest.mark.parametrize("rules", [RULES, BOTH])
def test_a_row_that_nobody_changed_is_decided_the_same(rules: Ruleset) -> None:
    for number in range(10):
        replay = _replayed(_row(rules, f"u-{number}"), rules)

        assert (replay.equal, replay.differing) == (1, [])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"decision": Decision.APPROVE}, "decision: stored approve, computed review"),
        ({"risk_score": 59}, "risk_score: stored 59, computed 60"),
        ({"reasons": ()}, "reasons: stored (), computed ({'rule_id': 'r', 'points': 60"),
        ({"failed_rule_ids": ("x",)}, "failed_rule_ids: stored ('x',), computed ()"),
        ({"side": Side.CANDIDATE}, "side: stored candidate, computed champion"),
        ({"other": OtherVerdict(Decision.BLOCK, 90)}, "other: stored ('block', 90), computed None"),
    ],
)
def test_each_difference_is_named_with_what_is_stored_and_what_is_computed(
    changes: dict[str, object], sentence: str
) -> None:
    row = msgspec.structs.replace(_row(), **changes)

    (differing,) = _replayed(row).differing

    assert (differing.user_id, differing.event_key) == ("user-1", row.event_key)
    assert any(each.startswith(sentence) for each in differing.differences)


def test_the_ruleset_of_each_row_is_asked_for_once_by_its_digest() -> None:
    asked: list[str] = []

    def document_of(digest: str) -> Ruleset:
        asked.append(digest)
        return RULES

    replay = Replay(document_of)
    for _ in range(3):
        replay.take(_row())

    assert asked == [RULES.digest]


def test_what_cannot_be_made_again_is_counted_with_its_reason() -> None:
    def unknown(digest: str) -> Ruleset:
        raise UnknownRulesetError(f"the rules bucket has no ruleset {digest}")

    def refused(_digest: str) -> Ruleset:
        return parse_ruleset("rules: 1")

    missing, bad = Replay(unknown), Replay(refused)
    missing.take(_row())
    bad.take(_row())
    later = _replayed(msgspec.structs.replace(_row(), feature_set="later"))

    assert missing.unknown == {f"the rules bucket has no ruleset {RULES.digest}": 1}
    assert next(iter(bad.unknown)).startswith(
        f"ruleset {RULES.digest} is refused by this version: ruleset:1:"
    )
    assert next(iter(later.unknown)).startswith("feature set later; known are")
    assert "1 could not be made again: the rules bucket has no ruleset" in replay_text(missing)
    with pytest.raises(InvalidRulesetError):
        refused("")


def test_a_repeat_has_the_decision_of_another_payment() -> None:
    replay = _replayed(msgspec.structs.replace(_row(), repeats=5, risk_score=1))

    assert (replay.repeats, replay.equal, replay.differing) == (1, 0, [])


def test_a_feature_that_does_not_follow_from_the_rows_before_is_named() -> None:
    behind = Profile()
    first = _row()
    behind.fold_row(trusted_facts(first.transaction), decide(trusted_facts(first.transaction), Profile(), RULES).outcome, Position("t", 0, 0))  # fmt: skip
    replay = Replay(lambda _digest: RULES)

    UserReplay(replay).take(_row(user_id="user-2", profile=behind))

    (differing,) = replay.differing
    assert any(each.startswith("profile_tx_count: stored 1, computed 0") for each in differing.differences)


def test_a_user_row_of_features_that_are_not_known_is_counted_and_the_next_ones_are_taken() -> None:
    replay = Replay(lambda _digest: RULES)
    user, row = UserReplay(replay), _row()

    user.take(msgspec.structs.replace(row, feature_set="later"))
    user.take(row)

    assert next(iter(replay.unknown)).startswith("feature set later; known are")
    assert replay.equal + len(replay.differing) == 1


def test_many_rows_that_differ_are_cut_and_counted() -> None:
    replay = Replay(lambda _digest: RULES)
    for _ in range(MAX_SHOWN + 1):
        replay.take(msgspec.structs.replace(_row(), risk_score=1))

    lines = replay_text(replay).splitlines()

    assert lines[0] == f"{MAX_SHOWN + 1} decisions made again from their rows: {MAX_SHOWN + 1} differ."
    assert lines[-1] == "and 1 more"


def test_rows_of_the_first_format_are_of_a_set_that_is_known() -> None:
    row = msgspec.structs.replace(_row(), feature_set=FIRST_FEATURE_SET)

    assert next(iter(_replayed(row).unknown)).startswith("150 features of set 3; the catalogue has")
