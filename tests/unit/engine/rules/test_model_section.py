"""The model of a ruleset: which one, and the points that its probability gives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from contract.reason import Reason
from contract.scored import Decision
from engine.decide import decide, is_fraudulent
from engine.errors import InvalidRulesetError
from engine.features.catalogue import FEATURE_NAMES
from engine.profile import Profile
from engine.rules.check import summary
from engine.rules.model_section import RulesetModel
from engine.rules.ruleset import parse_ruleset
from tests.support.model_samples import AMOUNT_TERM, FRAUD_TERM, make_model, model_document
from tests.support.payments import make_grocery_payment, trusted_facts
from tests.support.rule_samples import HEAD, RULE, document, features, likely_features, payment, ruleset

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.rules.ruleset import Ruleset

DATA = model_document(AMOUNT_TERM, FRAUD_TERM)
SHA256 = json.loads(DATA)["sha256"]
USD_RULE = {
    **RULE,
    "when": "fraud_probability > 0.5",
    "points": 20,
    "reason": "Likely {fraud_probability:.0%}.",
}


def _models(data: bytes | None = DATA) -> Callable[[str], bytes | None]:
    return lambda _sha256: data


def _with_model(points: object, *rules: dict[str, Any]) -> Ruleset:
    section = {"sha256": SHA256, "points": points}
    text = f"{HEAD}model: {json.dumps(section)}\nrules: {json.dumps(list(rules))}\n"
    return parse_ruleset(text, "r.yaml", _models())


def _problems(section: str, data: bytes | None = DATA, head: str = HEAD) -> list[str]:
    with pytest.raises(InvalidRulesetError) as caught:
        parse_ruleset(document(head=f"{head}model: {section}\n"), "r.yaml", _models(data))
    return [problem.without_excerpt for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("probability", "points"), [(0.0, 0), (0.0499, 0), (0.05, 10), (0.1999, 10), (0.2, 40), (1.0, 40)]
)
def test_the_last_step_that_a_probability_reaches_gives_the_points(probability: float, points: int) -> None:
    used = RulesetModel(make_model(), ((0.05, 10), (0.2, 40)))

    assert used.points(probability) == points


def test_the_probability_is_a_feature_that_rules_see() -> None:
    rules = _with_model([], USD_RULE)
    values = features(fraud_probability=0.75)

    verdict = is_fraudulent(values, payment(), rules)

    assert verdict.reasons == (Reason("r", 20, "Likely 75%."),)


def test_points_of_rules_and_model_add_up_in_one_scheme_of_reasons() -> None:
    rules = _with_model([[0.05, 10], [0.6, 40]], USD_RULE)
    values = features(amount_base=5_000.0, merchant_frauds_30d=1, fraud_probability=0.65)

    verdict = is_fraudulent(values, payment(), rules)

    assert [(reason.rule_id, reason.points) for reason in verdict.reasons] == [
        ("model.amount_base", 30),
        ("r", 20),
        ("model.merchant_frauds_30d", 10),
    ]
    assert (verdict.points, verdict.risk_score, verdict.decision) == (60, 60, Decision.REVIEW)


@given(likely_features)
def test_the_points_of_the_reasons_add_up_to_the_score(values: dict[str, Any]) -> None:
    rules = _with_model(
        [[0.0, -5], [0.01, 7], [0.5, 33]], {**RULE, "points": -3}, {**USD_RULE, "id": "likely"}
    )

    verdict = is_fraudulent(values, payment(), rules)

    added = sum(reason.points for reason in verdict.reasons)
    assert verdict.risk_score == min(max(added, 0), 100) == min(max(verdict.points, 0), 100)
    assert list(verdict.reasons) == sorted(verdict.reasons, key=lambda each: (-each.points, each.rule_id))


def test_points_for_a_payment_count_and_are_explained_where_a_rule_speaks_against_it() -> None:
    rules = _with_model([[0.0, -15], [0.5, 10]], {**RULE, "points": 60})
    values = features(amount_base=200.0, merchant_frauds_30d=0, fraud_probability=0.01)

    verdict = is_fraudulent(values, payment(), rules)

    assert [(reason.rule_id, reason.points) for reason in verdict.reasons] == [
        ("r", 60),
        ("model.merchant_frauds_30d", -15),
    ]
    assert (verdict.risk_score, verdict.decision) == (45, Decision.APPROVE)


@pytest.mark.parametrize("rules", [(), ({**RULE, "points": -10},)])
def test_points_for_a_payment_that_nothing_speaks_against_have_no_reasons(
    rules: tuple[dict[str, Any], ...],
) -> None:
    ruleset_of = _with_model([[0.0, -15]], *rules)
    values = features(amount_base=200.0)

    verdict = is_fraudulent(values, payment(), ruleset_of)

    assert not [reason for reason in verdict.reasons if reason.rule_id.startswith("model")]
    assert (verdict.risk_score, verdict.points) == (0, -15 - 10 * len(rules))


def test_a_decision_stores_what_the_model_says_of_the_payment() -> None:
    facts = trusted_facts(make_grocery_payment())
    rules = _with_model([])

    decided = decide(facts, Profile(), rules)

    without = decide(facts, Profile(), ruleset())
    assert decided.features["fraud_probability"] == make_model(AMOUNT_TERM, FRAUD_TERM).fraud_probability(
        without.features
    )
    assert decided.features["fraud_probability"] != without.features["fraud_probability"] == 0.0
    assert tuple(decided.features) == FEATURE_NAMES
    assert decided.assessment == without.assessment


def test_a_decision_can_be_recomputed_from_the_stored_features() -> None:
    facts = trusted_facts(make_grocery_payment())
    rules = _with_model([[0.0001, 10]])

    decided = decide(facts, Profile(), rules)

    assert is_fraudulent(decided.features, facts.transaction, rules) == decided.assessment
    assert decided.assessment.points == 10


def test_another_model_can_take_the_place_of_the_named_one() -> None:
    rules = _with_model([[0.5, 10]])
    other = RulesetModel(make_model(intercept=3.0))

    changed = rules.with_model(other)

    assert (changed.model, rules.model == other) == (other, False)
    assert changed.rules == rules.rules


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        pytest.param("{}", "5:8: model has no 'sha256', which is required", id="no digest"),
        pytest.param("{sha256: abc}", "5:17: sha256 'abc' must be 64 digits 0-9 and a-f", id="no digits"),
        pytest.param(
            f"{{sha256: {SHA256}, points: [0.05]}}",
            "5:92: a step of points must be a list of a probability and its points, as in [0.05, 10]",
            id="no step",
        ),
        pytest.param(
            f"{{sha256: {SHA256}, points: [[1.5, 10]]}}",
            "5:93: probability is 1.5; it must be 0 to 1",
            id="above 1",
        ),
        pytest.param(
            f"{{sha256: {SHA256}, points: [[0.5, 1001]]}}",
            "5:98: points is 1001; it must be -1000 to 1000",
            id="too many points",
        ),
        pytest.param(
            f"{{sha256: {SHA256}, points: [[0.5, 10], [0.4, 20]]}}",
            "5:103: the step before begins at 0.5 and gives 10; both must rise from step to step",
            id="falling probability",
        ),
        pytest.param(
            f"{{sha256: {SHA256}, points: [[0.5, 10], [0.6, 10]]}}",
            "5:103: the step before begins at 0.5 and gives 10; both must rise from step to step",
            id="the same points again",
        ),
    ],
)
def test_a_section_that_cannot_be_used_is_refused_with_its_place(section: str, problem: str) -> None:
    assert _problems(section) == [f"r.yaml:{problem}"]


def test_a_model_that_is_not_known_is_refused() -> None:
    (problem,) = _problems(f"{{sha256: {SHA256}}}", data=None)

    assert problem == f"r.yaml:5:17: no model with the sha256 {SHA256[:12]}… is known here"


def test_a_model_that_cannot_be_read_is_refused_with_its_own_places() -> None:
    problems = _problems(f"{{sha256: {SHA256}}}", data=model_document(AMOUNT_TERM, AMOUNT_TERM))

    assert problems == [
        f"r.yaml:5:17: model {SHA256[:12]}…: $.terms[1]: an earlier term has the same features, amount_base"
    ]


def test_another_model_under_the_digest_is_refused() -> None:
    (problem,) = _problems(f"{{sha256: {SHA256}}}", data=model_document(intercept=-3.0))

    assert problem.startswith(f"r.yaml:5:17: the document kept as model {SHA256[:12]}… is model ")


def test_a_model_of_another_currency_is_refused() -> None:
    head = HEAD.replace("USD", "EUR").replace("EUR: 1.25", "USD: 0.8")

    (problem,) = _problems(f"{{sha256: {SHA256}}}", head=head)

    assert problem.endswith("was trained on amounts in USD; this ruleset's are in EUR")


def test_without_a_source_of_models_none_is_known() -> None:
    text = document(head=f"{HEAD}model: {{sha256: {SHA256}}}\n")

    with pytest.raises(InvalidRulesetError, match="is known here"):
        parse_ruleset(text)


@pytest.mark.parametrize(
    ("points", "words"), [([], "(no points)"), ([[0.1, 10], [0.2, 20]], "(2 steps of points)")]
)
def test_the_summary_names_the_model(points: object, words: str) -> None:
    assert f", model {SHA256[:12]} {words}, " in summary(_with_model(points), "r.yaml")
