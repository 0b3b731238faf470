from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.reason import Reason
from contract.scored import Decision, FeatureValue
from contract.transaction import Location
from engine.decide import is_fraudulent
from engine.decided import Assessment
from engine.features.catalogue import FEATURE_NAMES
from tests.support.rule_samples import HEAD, LIKELY_VALUES, any_features, features, payment, ruleset

ALWAYS = "amount >= 0.0 || amount < 0.0 || true"
FAILS = "1 / tx_count_1m > 0"


def _verdict(*rules: dict[str, Any], **values: FeatureValue) -> Assessment:
    named = [{"id": f"r{index}", **rule} for index, rule in enumerate(rules)]
    return is_fraudulent(features(**values), payment(), ruleset(*named))


@pytest.mark.parametrize(
    ("points", "score", "decision"),
    [
        ([49], 49, Decision.APPROVE),
        ([50], 50, Decision.REVIEW),
        ([30, 20], 50, Decision.REVIEW),
        ([79], 79, Decision.REVIEW),
        ([80], 80, Decision.BLOCK),
        ([90, -60], 30, Decision.APPROVE),
        ([1000], 100, Decision.BLOCK),
        ([1000, -200], 100, Decision.BLOCK),
        ([-200, 10], 0, Decision.APPROVE),
        ([], 0, Decision.APPROVE),
    ],
)
def test_points_add_up_to_a_score_between_0_and_100(
    points: list[int], score: int, decision: Decision
) -> None:
    verdict = _verdict(*({"when": ALWAYS, "points": each} for each in points))

    assert (verdict.risk_score, verdict.decision) == (score, decision)


@pytest.mark.parametrize("points", [[], [10], [1000, 900], [-200, 10]])
def test_the_points_themselves_are_held_to_no_range(points: list[int]) -> None:
    verdict = _verdict(
        *({"when": ALWAYS, "points": each} for each in points),
        {"when": ALWAYS, "points": 7, "mode": "shadow"},
    )

    assert verdict.points == sum(points)


def test_reasons_are_sorted_by_most_points_and_then_by_rule_id() -> None:
    verdict = _verdict(
        {"id": "b", "when": ALWAYS, "points": 5, "reason": "B."},
        {"id": "a", "when": ALWAYS, "points": 5, "reason": "A."},
        {"id": "trusted", "when": ALWAYS, "points": -5, "reason": "Known."},
        {"id": "big", "when": ALWAYS, "points": 20, "reason": "{amount_base:,.0f} {base_currency}."},
        amount_base=1234.4,
    )

    assert verdict.reasons == (
        Reason("big", 20, "1,234 USD."),
        Reason("a", 5, "A."),
        Reason("b", 5, "B."),
        Reason("trusted", -5, "Known."),
    )


def test_a_rule_that_does_not_hold_gives_nothing() -> None:
    verdict = _verdict({"when": "is_weekend", "points": 90}, {"when": "is_weekend", "mode": "shadow"})

    assert verdict == Assessment(0, Decision.APPROVE, (), (), ())


def test_a_shadow_rule_is_named_and_gives_no_points() -> None:
    verdict = _verdict(
        {"id": "b", "when": ALWAYS, "points": 90, "mode": "shadow"},
        {"id": "a", "when": ALWAYS, "points": 90, "mode": "shadow"},
    )

    assert verdict == Assessment(0, Decision.APPROVE, (), ("a", "b"), ())


def test_a_rule_that_fails_is_named_and_the_others_count() -> None:
    verdict = _verdict(
        {"id": "live", "when": ALWAYS, "points": 60},
        {"id": "b", "when": FAILS, "points": 90},
        {"id": "a", "when": FAILS, "points": 90, "mode": "shadow"},
    )

    assert (verdict.risk_score, verdict.failed_rule_ids) == (60, ("a", "b"))
    assert [reason.rule_id for reason in verdict.reasons] == ["live"]


def test_a_failure_is_reported_even_if_no_rule_holds() -> None:
    assert _verdict({"id": "a", "when": FAILS}).failed_rule_ids == ("a",)


def test_lists_are_looked_up_in_the_payment_itself() -> None:
    head = HEAD + "lists: {denied: {field: country, entries: [{value: FR}]}}\n"
    rules = ruleset({"when": "on_denied", "points": 1000}, head=head)

    assert (
        is_fraudulent(features(), payment(location=Location(country="FR")), rules).decision is Decision.BLOCK
    )
    assert is_fraudulent(features(), payment(location="Oslo, NO"), rules).decision is Decision.APPROVE


_CONDITIONS = [
    "is_weekend",
    "amount_base > 100.0",
    "tx_count_1h > 3 && implied_speed_kmh > 900.0",
    "100 / tx_count_24h > 7",
    "country == 'US' || channel.startsWith('o')",
    "int(amount_zscore_30d) % hour_of_day == 1",
    "is_new_device ? amount_ratio_to_mean_30d > 2.0 : !is_rate_known",
]
_NAMES = [name for name in FEATURE_NAMES if any(name in condition for condition in _CONDITIONS)]
_likely = st.fixed_dictionaries({name: LIKELY_VALUES[name] for name in _NAMES}).map(
    lambda used: features(**used)
)
_rules = st.builds(
    lambda when, points, mode: {"when": when, "points": points, "mode": mode},
    st.sampled_from(_CONDITIONS),
    st.integers(-1000, 1000).filter(bool),
    st.sampled_from(["live", "shadow"]),
)


@given(st.lists(_rules, max_size=6), any_features)
def test_any_features_give_the_same_verdict_twice_with_a_score_in_range(
    rules: list[dict[str, Any]], values: dict[str, FeatureValue]
) -> None:
    named = ruleset(*({**rule, "id": f"r{index}"} for index, rule in enumerate(rules)))

    first = is_fraudulent(values, payment(), named)

    assert first == is_fraudulent(dict(reversed(values.items())), payment(), named)
    assert 0 <= first.risk_score <= 100
    keys = [(-reason.points, reason.rule_id) for reason in first.reasons]
    assert all(earlier < later for earlier, later in pairwise(keys))
    names = [*(reason.rule_id for reason in first.reasons), *first.shadow_rule_ids, *first.failed_rule_ids]
    assert len(names) == len(set(names))


@settings(max_examples=30)
@given(st.lists(_rules, max_size=4), _rules, _likely)
def test_a_rule_with_positive_points_never_lowers_the_score(
    rules: list[dict[str, Any]], more: dict[str, Any], values: dict[str, FeatureValue]
) -> None:
    named = [{**rule, "id": f"r{index}"} for index, rule in enumerate(rules)]
    extra = {**more, "id": "more", "points": abs(more["points"])}

    without = is_fraudulent(values, payment(), ruleset(*named))
    with_it = is_fraudulent(values, payment(), ruleset(*named, extra))

    assert with_it.risk_score >= without.risk_score


@settings(max_examples=30)
@given(st.lists(_rules, max_size=4), st.lists(_rules, max_size=3), _likely)
def test_shadow_rules_never_change_score_decision_or_reasons(
    rules: list[dict[str, Any]], more: list[dict[str, Any]], values: dict[str, FeatureValue]
) -> None:
    named = [{**rule, "id": f"r{index}"} for index, rule in enumerate(rules)]
    shadows = [{**rule, "id": f"s{index}", "mode": "shadow"} for index, rule in enumerate(more)]

    without = is_fraudulent(values, payment(), ruleset(*named))
    with_them = is_fraudulent(values, payment(), ruleset(*named, *shadows))

    assert (with_them.risk_score, with_them.decision, with_them.reasons) == (
        without.risk_score,
        without.decision,
        without.reasons,
    )


@settings(max_examples=30)
@given(st.lists(_rules, min_size=1, max_size=5), _likely)
def test_the_order_of_rules_in_the_document_does_not_matter(
    rules: list[dict[str, Any]], values: dict[str, FeatureValue]
) -> None:
    named = [{**rule, "id": f"r{index}"} for index, rule in enumerate(rules)]

    forwards = is_fraudulent(values, payment(), ruleset(*named))
    backwards = is_fraudulent(values, payment(), ruleset(*reversed(named)))

    assert forwards == backwards
