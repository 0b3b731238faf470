"""A model's points as reasons: they add up exactly, and each feature has its own wording."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.reason import Reason
from engine.model.explanation import MAX_REASONS, model_reasons, share_out
from engine.model.tables import USABLE
from engine.model.wording import WORDING
from engine.rules.reasons import reason_problems
from tests.support.model_samples import AMOUNT_TERM, DEVICE_TERM, FRAUD_TERM, make_model
from tests.support.rule_samples import features, likely_features

TIMES_SINCE = [
    each
    for each in USABLE
    if each.unit in ("min", "d") and each.name not in ("event_delay_minutes", "account_age_days")
]
"""Lengths of time that are 0 where there is nothing since which they could be."""


@given(likely_features, st.integers(-100, 100).filter(bool))
def test_the_points_of_the_reasons_add_up_exactly(values: dict[str, Any], points: int) -> None:
    reasons = model_reasons(make_model(), values, points, "USD")

    assert sum(reason.points for reason in reasons) == points
    assert all(reason.points * points > 0 for reason in reasons)
    assert 1 <= len(reasons) <= MAX_REASONS


@given(st.integers(0, 1_000), st.lists(st.floats(1e-6, 50), min_size=1, max_size=10))
def test_no_share_is_a_point_off_its_exact_part(points: int, weights: list[float]) -> None:
    shares = share_out(points, weights)

    assert sum(shares) == points
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share - points * weight / sum(weights)) < 1 + 1e-9


def test_terms_share_the_points_by_their_log_odds() -> None:
    values = features(amount_base=2_000.0, is_new_device=True, merchant_frauds_30d=1)

    reasons = model_reasons(make_model(AMOUNT_TERM, DEVICE_TERM, FRAUD_TERM), values, 40, "USD")

    assert [(reason.rule_id, reason.points) for reason in reasons] == [
        ("model.amount_base", 20),
        ("model.is_new_device+amount_base", 13),
        ("model.merchant_frauds_30d", 7),
    ]


def test_terms_that_speak_against_fraud_share_no_points() -> None:
    values = features(amount_base=5.0, merchant_frauds_30d=2)

    reasons = model_reasons(make_model(AMOUNT_TERM, FRAUD_TERM), values, 10, "USD")

    assert reasons == [
        Reason(
            "model.merchant_frauds_30d",
            10,
            "The model: payments to this merchant in 30 days that were reported as fraud: 2.",
        )
    ]


def test_points_for_the_payment_are_shared_by_the_terms_that_speak_for_it() -> None:
    values = features(amount_base=5.0, merchant_frauds_30d=2)

    reasons = model_reasons(make_model(AMOUNT_TERM, FRAUD_TERM), values, -10, "EUR")

    assert reasons == [Reason("model.amount_base", -10, "The model: 5.00 EUR were paid.")]


def test_without_a_term_that_speaks_for_the_points_the_whole_is_named() -> None:
    reasons = model_reasons(make_model(AMOUNT_TERM), features(amount_base=50.0), 10, "USD")

    assert reasons == [Reason("model", 10, "The model: the payment as a whole is like earlier fraud.")]


def test_points_for_the_payment_without_a_term_say_that_it_is_unlike_fraud() -> None:
    reasons = model_reasons(make_model(AMOUNT_TERM), features(amount_base=500.0), -10, "USD")

    assert reasons == [Reason("model", -10, "The model: the payment as a whole is unlike earlier fraud.")]


def test_a_term_of_two_features_names_both() -> None:
    values = features(amount_base=500.0, is_new_device=True)

    (reason,) = model_reasons(make_model(DEVICE_TERM), values, 10, "USD")

    assert reason.sentence == "The model: the device is new to the user; 500.00 USD were paid."


@pytest.mark.parametrize("feature", USABLE, ids=lambda feature: feature.name)
def test_each_feature_has_a_wording_of_its_own_that_can_be_filled_in(feature: Any) -> None:
    words = WORDING[feature.name]

    templates = (words,) if isinstance(words, str) else words
    assert len(templates) == (2 if feature.type == "bool" or feature in TIMES_SINCE else 1)
    assert not any(reason_problems(template) for template in templates)
    assert feature.type == "bool" or f"{{{feature.name}" in templates[0]


@pytest.mark.parametrize("feature", TIMES_SINCE, ids=lambda feature: feature.name)
def test_a_length_of_time_is_in_words_and_0_says_that_there_is_none(feature: Any) -> None:
    term = {"axes": [{"feature": feature.name, "edges": [1.0]}], "log_odds": [1.0, 2.0]}

    nine, none = (
        model_reasons(make_model(term), features(**{feature.name: value}), 10, "USD")[0].sentence
        for value in (9.5 * (1_440 if feature.unit == "min" else 1), 0.0)
    )

    assert "9 days" in nine
    assert not re.search(r"[0-9]|minute", none)


def test_a_count_comes_after_its_words_which_then_are_right_for_one() -> None:
    counts = [each.name for each in USABLE if each.type == "int" and each.name != "hour_of_day"]

    assert [name for name in counts if not str(WORDING[name]).endswith(f": {{{name}}}")] == []


def test_no_two_features_have_the_same_wording() -> None:
    assert len(set(map(str, WORDING.values()))) == len(WORDING) == len(USABLE)
