"""A ruleset becomes the candidate of the active one, with its currency and rates, and is withdrawn again without a trace."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
import yaml

from engine.errors import RulesetEditError
from engine.rollout.edits import without_candidate
from engine.rollout.start import named_models, with_candidate
from engine.rules.guardrails import DEFAULT_GUARDRAILS, Band
from engine.rules.ruleset import parse_ruleset
from tests.support.default_rules import DEFAULT
from tests.support.rule_samples import HEAD, RULE

LISTS = {"denied": {"field": "device_id", "entries": [{"value": "d-1"}]}}


def _document(**changes: Any) -> str:
    content = yaml.safe_load(HEAD) | {"rules": [RULE], "lists": LISTS} | changes
    return json.dumps({name: value for name, value in content.items() if value is not None})


def test_a_complete_ruleset_becomes_the_candidate_of_the_active_one() -> None:
    other = _document(
        version="2", thresholds={"review": 30, "block": 90}, guardrails={"alert_rate": [0.9, 3]}
    )

    ruleset = parse_ruleset(with_candidate(_document(), other, 12.5))

    assert ruleset.candidate is not None
    assert (ruleset.version, ruleset.candidate.ruleset.version) == ("1", "2")
    assert ruleset.candidate.draw.share_percent == 12.5
    assert ruleset.candidate.ruleset.thresholds.review == 30
    assert [each.name for each in ruleset.candidate.ruleset.lists] == ["denied"]
    assert ruleset.guardrails.alert_rate == Band(0.9, 3.0)
    assert ruleset.without_candidate().guardrails == DEFAULT_GUARDRAILS


def test_the_default_rules_can_be_a_candidate_of_themselves_under_another_version() -> None:
    other = DEFAULT.replace('version: "', 'version: "other-')

    text = with_candidate(DEFAULT, other, 10)

    assert parse_ruleset(text).candidate is not None
    withdrawn = yaml.safe_load(without_candidate(text))
    assert withdrawn == msgspec.json.decode(msgspec.json.encode(yaml.safe_load(DEFAULT)))


def test_a_candidate_that_is_there_is_replaced() -> None:
    first = with_candidate(_document(), _document(version="2"), 10)

    ruleset = parse_ruleset(with_candidate(first, _document(version="3"), 20))

    assert ruleset.candidate is not None
    assert (ruleset.candidate.ruleset.version, ruleset.candidate.draw.share_percent) == ("3", 20.0)


@pytest.mark.parametrize("change", [{"base_currency": "EUR"}, {"exchange_rates": {"EUR": 1.3}}, {"exchange_rates": None}])  # fmt: skip
def test_another_currency_or_rate_is_refused(change: dict[str, Any]) -> None:
    (name,) = change
    with pytest.raises(RulesetEditError, match=f"the candidate's {name} are not those of the active ruleset"):
        with_candidate(_document(), _document(version="2", **change), 10)


@pytest.mark.parametrize(("text", "problem"), [("[1]", "no mapping"), ("a: [", "no YAML")])
def test_what_is_no_document_is_refused(text: str, problem: str) -> None:
    with pytest.raises(RulesetEditError, match=f"the candidate is {problem}"):
        with_candidate(_document(), text, 10)


def test_the_models_of_both_sides_are_named_once_each() -> None:
    champion, candidate = {"model": {"sha256": "a" * 64}}, {"model": {"sha256": "b" * 64}}

    assert named_models(json.dumps(champion | {"candidate": candidate})) == ["a" * 64, "b" * 64]
    assert named_models(json.dumps(champion | {"candidate": champion})) == ["a" * 64]
    assert named_models("rules: []") == named_models("[") == named_models("text") == []
