"""The points that a model proposes add up with those of the rules as a decision adds them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from engine.rules.model_section import MAX_POINTS, MAX_STEPS, RulesetModel
from lab.backtest.ranking import average_precision
from tests.support.model_samples import make_model
from training.points import (
    FLOORS,
    REVIEW_FROM,
    REVIEW_POINTS,
    SCALES,
    points_of,
    propose,
    steps_of,
)


@pytest.mark.parametrize("floor", FLOORS)
@pytest.mark.parametrize("scale", SCALES)
def test_steps_are_ones_that_a_ruleset_takes(scale: float, floor: int) -> None:
    steps = steps_of(scale, floor)

    assert len(steps) <= MAX_STEPS
    assert all(one[0] < two[0] and one[1] < two[1] for one, two in pairwise(steps))
    assert all(abs(points) <= MAX_POINTS for _, points in steps)
    assert min(points for _, points in steps) == floor or floor == 0


@pytest.mark.parametrize("scale", SCALES)
def test_the_probability_that_alone_is_worth_a_review_gives_its_points(scale: float) -> None:
    used = RulesetModel(make_model(), steps_of(scale, 0))

    assert abs(used.points(REVIEW_FROM) - REVIEW_POINTS) <= scale / 5 + 1


def test_points_of_many_are_those_of_each() -> None:
    steps = steps_of(20, -50)
    probabilities = np.linspace(0, 1, 101)
    used = RulesetModel(make_model(), steps)

    found = points_of(steps, probabilities)

    assert found.tolist() == [used.points(each) for each in probabilities.tolist()]


def test_a_model_that_knows_better_is_proposed_to_overrule_rules() -> None:
    is_fraud = np.array([True] * 50 + [False] * 950)
    probability = np.where(is_fraud, 0.4, 0.001)
    misled = np.where(is_fraud, 0, 60)

    steps = propose(probability, misled, is_fraud, np.ones(1_000))

    both = misled + points_of(steps, probability)
    assert average_precision(both, is_fraud, np.ones(1_000)) == 1.0


def test_of_equally_good_steps_the_gentlest_are_proposed() -> None:
    is_fraud = np.array([True] * 50 + [False] * 950)

    steps = propose(np.where(is_fraud, 0.4, 0.001), np.zeros(1_000, np.int64), is_fraud, np.ones(1_000))

    assert steps == steps_of(SCALES[0], 0)
