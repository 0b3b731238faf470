from __future__ import annotations

import random

import pytest

from benchmarks.stats import percentile, ratios, slope


def test_a_percentile_is_one_of_the_values_and_has_its_share_at_or_below_it() -> None:
    draws = random.Random(1)
    values = [draws.uniform(0, 100) for _ in range(1_000)]

    found = percentile(values, 0.99)

    assert found in values
    assert sum(value <= found for value in values) == 990


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99, 1.0])
def test_the_percentile_of_one_value_is_that_value(share: float) -> None:
    assert percentile([7.0], share) == 7.0


def test_a_percentile_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_a_ratio_is_of_both_candidates_in_one_round() -> None:
    # The second round was disturbed, and with it both candidates.
    assert ratios([100.0, 300.0], [20.0, 60.0]) == [5.0, 5.0]


def test_ratios_of_different_numbers_of_rounds_are_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratios([1.0, 2.0], [1.0])


def test_an_outlier_does_not_change_the_slope() -> None:
    points = [(float(second), 3.0 * second) for second in range(20)]
    points[5] = (5.0, 1e6)

    assert slope(points) == pytest.approx(3.0)


def test_a_slope_needs_two_different_x() -> None:
    with pytest.raises(ValueError, match="two different x"):
        slope([(1.0, 2.0), (1.0, 3.0)])
