"""A candidate is taken out and rules are suspended in the text, and nothing else changes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from contract.side import Side
from engine.errors import RulesetEditError
from engine.rollout.counts import RolloutCounts
from engine.rollout.edits import applied, with_suspended, without_candidate
from engine.rollout.guard import evaluate, windows_of
from engine.rules.ruleset import parse_ruleset
from tests.support.default_rules import DEFAULT
from tests.support.rollouts import settled_as
from tests.support.rule_samples import HEAD, RULE

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK = """\
candidate:
  version: "2"
  share: 10
  thresholds: {review: 40, block: 90}
  rules:
    - id: a   # the first
      when: >-
        amount_base > 100.0
      points: 10
      reason: "r"
    - {id: b, when: is_weekend, points: 10, reason: r, mode: live}
    - reason: >-
        text

      id: c
      when: is_weekend
      points: 10 # the last
"""
FLOW = f"candidate: {json.dumps(yaml.safe_load(BLOCK)['candidate'])}\n"
RULES = "rules:\n  - id: a\n    when: is_weekend\n    points: 1\n    reason: r\n"
AFTER = "# of the rules\n"


def _as_json(order: tuple[str, ...]) -> str:
    content = yaml.safe_load(HEAD + RULES + BLOCK)
    return json.dumps({name: content[name] for name in order}, indent=1)


DOCUMENTS = {
    "last": HEAD + AFTER + RULES + BLOCK,
    "before": HEAD + BLOCK + AFTER + RULES,
    "flow": HEAD + FLOW + AFTER + RULES,
    "no line end": HEAD + RULES + FLOW.rstrip("\n"),
    "windows": (HEAD + BLOCK + AFTER + RULES).replace("\n", "\r\n"),
    "json": _as_json(("candidate", "version", "base_currency", "exchange_rates", "thresholds", "rules")),
    "json, last": _as_json(
        ("version", "base_currency", "exchange_rates", "thresholds", "rules", "candidate")
    ),
}


@pytest.mark.parametrize("text", DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_document_without_its_candidate_is_the_champion(text: str) -> None:
    before = parse_ruleset(text)

    after = parse_ruleset(without_candidate(text))

    assert after.candidate is None
    assert (after.rules, after.thresholds, after.version) == (before.rules, before.thresholds, before.version)


def test_comments_before_and_behind_the_candidate_stay() -> None:
    assert without_candidate(DOCUMENTS["before"]) == HEAD + AFTER + RULES
    assert without_candidate(DOCUMENTS["last"]) == HEAD + AFTER + RULES
    assert without_candidate(DEFAULT + FLOW) == DEFAULT
    assert without_candidate(DEFAULT + BLOCK) == DEFAULT


@pytest.mark.parametrize("text", DOCUMENTS.values(), ids=DOCUMENTS)
@pytest.mark.parametrize("rule_ids", [{"a"}, {"b"}, {"c"}, {"a", "b", "c"}], ids=sorted)
def test_rules_of_the_candidate_are_suspended_and_no_other(text: str, rule_ids: set[str]) -> None:
    before = parse_ruleset(text)

    after = parse_ruleset(with_suspended(text, Side.CANDIDATE, rule_ids))

    assert before.candidate is not None
    assert after.candidate is not None
    assert {rule.id for rule in after.candidate.ruleset.rules if rule.mode == "suspended"} == rule_ids
    assert [rule.when for rule in after.candidate.ruleset.rules] == [
        rule.when for rule in before.candidate.ruleset.rules
    ]
    assert after.rules == before.rules


def test_every_default_rule_can_be_suspended_alone_and_keeps_what_else_it_says() -> None:
    before = parse_ruleset(DEFAULT)
    names = [rule.id for rule in before.rules]

    after = parse_ruleset(with_suspended(DEFAULT, Side.CHAMPION, names[::2]))

    assert [rule.id for rule in after.rules if rule.mode == "suspended"] == names[::2]
    assert [(rule.when, rule.points) for rule in after.rules] == [
        (rule.when, rule.points) for rule in before.rules
    ]


def test_a_rule_that_is_suspended_twice_stays_suspended() -> None:
    once = with_suspended(DOCUMENTS["last"], Side.CHAMPION, ["a"])

    assert with_suspended(once, Side.CHAMPION, ["a"]) == once


ANCHORED = HEAD + f"candidate: {{version: '2', share: 1, thresholds: &t {{review: 1, block: 2}}, rules: [&r {json.dumps(RULE)}]}}\n"  # fmt: skip


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (lambda: without_candidate(HEAD + RULES), "the document has no candidate"),
        (lambda: without_candidate("- a\n"), "the document is no mapping"),
        (lambda: with_suspended(HEAD + RULES, Side.CHAMPION, ["z"]), "the champion has no rule 'z'"),
        (lambda: with_suspended(HEAD + RULES, Side.CANDIDATE, ["a"]), "candidate is no mapping"),
        (lambda: without_candidate(f"{ANCHORED}rules: [*r]\n"), "the document would not be YAML any more"),
        (lambda: with_suspended(f"{ANCHORED}rules: [*r]\n", Side.CHAMPION, ["r"]), "more would change in the document"),
    ],
)  # fmt: skip
def test_what_cannot_be_changed_so_is_refused(edit: Callable[[], Any], problem: str) -> None:
    with pytest.raises(RulesetEditError, match=problem):
        edit()


def test_what_was_found_is_done_to_the_document() -> None:
    text = HEAD + RULES.replace("points: 1", "points: 60\n    max_share: 2") + BLOCK
    payments, hits = dict.fromkeys(range(64), 100), {"a": dict.fromkeys(range(64), 30)}
    bad = settled_as(RolloutCounts(payments, {group: [0, 0, 30] for group in range(64)}, champion_hits=hits))
    ruleset = parse_ruleset(text)

    after = parse_ruleset(applied(text, evaluate(windows_of([bad]), ruleset)))

    assert (after.candidate, [rule.mode for rule in after.rules]) == (None, ["suspended"])
    assert applied(text, evaluate(windows_of([]), ruleset)) == text
