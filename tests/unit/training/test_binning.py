"""The bins of a feature: few edges, fine where fraud is."""

from __future__ import annotations

import numpy as np
import pytest

from training.binning import MAX_PLAIN, Bins, bins_of_numbers, bins_of_texts, codes_of


def _none(size: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.zeros(size, np.bool_)


def test_a_feature_of_few_values_has_an_edge_between_each_two() -> None:
    values = np.array([0.0, 1.0, 1.0, 5.0])

    bins = bins_of_numbers(values, _none(4))

    assert bins.edges == (0.0, 1.0)
    assert codes_of(bins, values, ()).tolist() == [0, 1, 1, 2]


def test_a_feature_of_one_value_has_one_bin() -> None:
    assert bins_of_numbers(np.zeros(5), _none(5)).size == 1


def test_edges_are_fine_where_frauds_are() -> None:
    values = np.arange(10_000.0)
    is_fraud = values >= 9_900

    bins = bins_of_numbers(values, is_fraud)

    assert len(bins.edges) > MAX_PLAIN
    assert sum(edge >= 9_900 for edge in bins.edges) >= 10


@pytest.mark.parametrize("scale", [1.0, 1e-4, 1e6])
def test_each_value_belongs_to_the_first_bin_whose_edge_is_not_below_it(scale: float) -> None:
    values = np.arange(1_000.0) * scale

    bins = bins_of_numbers(values, _none(1_000))

    expected = [sum(edge < value for edge in bins.edges) for value in values]
    assert codes_of(bins, values, ()).tolist() == expected
    assert bins.size <= 64


def test_texts_are_ordered_by_their_share_of_fraud_and_rare_ones_share_a_bin() -> None:
    texts = ("safe", "risky", "rare")
    places = np.array([0.0] * 200 + [1.0] * 200 + [2.0] * 5)
    is_fraud = _none(405)
    is_fraud[200:260] = True

    bins = bins_of_texts(places, texts, is_fraud, np.ones(405))

    assert bins.texts == ("safe", None, "risky")
    assert codes_of(bins, np.array([0.0, 1.0, 2.0]), texts).tolist() == [0, 2, 1]


def test_a_text_that_was_not_seen_belongs_to_all_others() -> None:
    bins = Bins((), (None, "online"))

    assert codes_of(bins, np.array([0.0, 1.0]), ("online", "new")).tolist() == [1, 0]
