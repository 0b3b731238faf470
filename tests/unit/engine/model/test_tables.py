"""A model's tables: what they give a payment, and what reader and trainer must agree on."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.tables import Contribution
from tests.support.model_samples import (
    AMOUNT_TERM,
    CHANNEL_TERM,
    DEVICE_TERM,
    FRAUD_TERM,
    make_model,
    model_content,
    plainest_score,
)
from tests.support.rule_samples import any_features, features, likely_features


@pytest.mark.parametrize(
    ("amount", "log_odds"),
    [
        (0.0, -5.0),
        (10.0, -5.0),
        (10.01, -4.0),
        (100.0, -4.0),
        (1_000.0, -3.0),
        (1_000.01, -1.0),
        (1e12, -1.0),
    ],
)
def test_a_value_belongs_to_the_first_bin_whose_edge_is_not_below_it(amount: float, log_odds: float) -> None:
    model = make_model(AMOUNT_TERM)

    found = model.fraud_probability(features(amount_base=amount))

    assert found == pytest.approx(1 / (1 + math.exp(-log_odds)), abs=6e-5)


@pytest.mark.parametrize(
    ("is_new", "amount", "log_odds"),
    [(False, 5.0, -4.5), (False, 500.0, -4.0), (True, 5.0, -3.5), (True, 500.0, -2.0)],
)
def test_a_term_of_two_features_is_read_row_by_row(is_new: bool, amount: float, log_odds: float) -> None:
    model = make_model(DEVICE_TERM)

    found = model.fraud_probability(features(is_new_device=is_new, amount_base=amount))

    assert found == pytest.approx(1 / (1 + math.exp(-log_odds)), abs=6e-5)


@pytest.mark.parametrize(
    ("channel", "log_odds"),
    [("online", -3.25), ("app", -3.25), ("atm", -4.25), ("in_person", -4.0), ("", -4.0)],
)
def test_a_text_that_no_bin_names_belongs_to_the_first(channel: str, log_odds: float) -> None:
    model = make_model(CHANNEL_TERM)

    found = model.fraud_probability(features(channel=channel))

    assert found == pytest.approx(1 / (1 + math.exp(-log_odds)), abs=6e-5)


_NAMES = ("amount_base", "tx_count_1h", "is_new_device", "channel")
_EDGES = st.lists(st.floats(-100, 20_000).map(lambda edge: round(edge, 2)), unique=True, max_size=6).map(
    sorted
)
_TEXTS = st.lists(st.sampled_from(["online", "app", "atm", "transfer"]), unique=True, max_size=4)


@st.composite
def _terms(draw: st.DrawFn) -> list[dict[str, Any]]:
    names = draw(
        st.lists(
            st.sets(st.sampled_from(_NAMES), min_size=1, max_size=2).map(sorted), min_size=1, unique_by=tuple
        )
    )
    terms = []
    for features_of_term in names:
        axes: list[dict[str, Any]] = []
        for name in draw(st.permutations(features_of_term)):
            if name == "channel":
                axes.append({"feature": name, "values": [[text] for text in draw(_TEXTS)]})
            else:
                axes.append({"feature": name, "edges": draw(_EDGES)})
        cells = math.prod([1 + len(axis.get("edges", axis.get("values", []))) for axis in axes])
        log_odds = draw(st.lists(st.floats(-5, 5), min_size=cells, max_size=cells))
        terms.append({"axes": axes, "log_odds": log_odds})
    return terms


@given(_terms(), likely_features, st.floats(0.1, 2), st.floats(-3, 3))
def test_the_tables_give_what_a_look_along_each_axis_gives(
    terms: list[dict[str, Any]], values: dict[str, Any], slope: float, offset: float
) -> None:
    changes = {"calibration": {"slope": slope, "offset": offset}}

    found = make_model(*terms, **changes).fraud_probability(values)

    assert found == pytest.approx(plainest_score(model_content(*terms, **changes), values), abs=1.01e-4)


@given(any_features)
def test_any_values_of_the_right_types_are_scored(values: dict[str, Any]) -> None:
    model = make_model()

    assert 0 <= model.fraud_probability(values) <= 1


@given(likely_features)
def test_contributions_add_up_to_the_log_odds_of_the_probability(values: dict[str, Any]) -> None:
    model = make_model(calibration={"slope": 0.5, "offset": -1.0})

    contributions = model.contributions(values)

    log_odds = 0.5 * -4.0 - 1.0 + sum(each.log_odds for each in contributions)
    assert model.fraud_probability(values) == pytest.approx(1 / (1 + math.exp(-log_odds)), abs=6e-5)


def test_a_contribution_names_the_features_of_its_term() -> None:
    model = make_model(DEVICE_TERM, FRAUD_TERM)

    contributions = model.contributions(
        features(is_new_device=True, amount_base=500.0, merchant_frauds_30d=1)
    )

    assert {each for each in contributions if each.log_odds} == {
        Contribution(("is_new_device", "amount_base"), 2.0),
        Contribution(("merchant_frauds_30d",), 1.0),
    }


@given(likely_features, st.integers(0, 5), st.integers(0, 5))
def test_more_frauds_at_a_merchant_never_lower_the_probability_where_the_direction_says_so(
    values: dict[str, Any], frauds: int, more: int
) -> None:
    model = make_model(FRAUD_TERM, AMOUNT_TERM, directions={"merchant_frauds_30d": 1})

    fewer_frauds = model.fraud_probability({**values, "merchant_frauds_30d": frauds})
    more_frauds = model.fraud_probability({**values, "merchant_frauds_30d": frauds + more})

    assert more_frauds >= fewer_frauds
