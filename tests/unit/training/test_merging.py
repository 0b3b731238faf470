"""Trees merged into tables: the same sum, and the direction that each tree keeps."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.merging import Leaf, Split, centred, merge

BINS = [3, 4, 2]
ROWS = np.array(list(itertools.product(*map(range, BINS))), np.uint8)

_LEAVES = st.floats(-2, 2).map(Leaf)


@st.composite
def _splits(draw: st.DrawFn, children: st.SearchStrategy[Any]) -> Split:
    feature = draw(st.integers(0, len(BINS) - 1))
    return Split(feature, draw(st.integers(0, BINS[feature] - 2)), draw(children), draw(children))


TREES = st.lists(_LEAVES | _splits(_LEAVES | _splits(_LEAVES)), max_size=8)


def _walk(tree: Leaf | Split, row: Any) -> float:
    while isinstance(tree, Split):
        tree = tree.low if row[tree.feature] <= tree.last else tree.high
    return tree.value


@given(TREES)
def test_the_tables_give_each_row_what_the_trees_give_it(trees: list[Leaf | Split]) -> None:
    tables = merge(trees, BINS, [0, 0, 0], 0.5)

    expected = [0.5 + sum(_walk(tree, row) for tree in trees) for row in ROWS]
    assert tables.score(ROWS) == pytest.approx(np.array(expected))


@given(TREES, st.lists(st.floats(0.1, 5), min_size=len(ROWS), max_size=len(ROWS)))
def test_centred_tables_give_the_same_and_each_has_a_mean_of_0(
    trees: list[Leaf | Split], weights: list[float]
) -> None:
    tables, weight = merge(trees, BINS, [0, 0, 0], 0.5), np.array(weights)

    moved = centred(tables, ROWS, weight)

    assert moved.score(ROWS) == pytest.approx(tables.score(ROWS))
    for feature, table in moved.singles.items():
        assert np.average(table[ROWS[:, feature]], weights=weight) == pytest.approx(0, abs=1e-9)
    for (one, two), table in moved.pairs.items():
        assert np.average(table[ROWS[:, one], ROWS[:, two]], weights=weight) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    "tree",
    [
        Split(0, 0, Leaf(-1.0), Split(1, 1, Leaf(0.5), Leaf(2.0))),
        Split(0, 1, Split(2, 0, Leaf(-2.0), Leaf(-1.0)), Split(1, 0, Leaf(-0.5), Leaf(3.0))),
        Split(1, 1, Split(0, 0, Leaf(-2.0), Leaf(1.0)), Split(0, 1, Leaf(-1.0), Leaf(2.0))),
        Split(0, 1, Split(0, 0, Leaf(-2.0), Leaf(-1.0)), Leaf(0.0)),
    ],
)
def test_tables_of_trees_that_never_fall_never_fall(tree: Split) -> None:
    directions = [1, 1 if tree.feature != 1 else 0, 0]

    tables = merge([tree], BINS, directions, 0.0)

    for feature, table in tables.singles.items():
        assert not directions[feature] or (np.diff(table) >= 0).all()
    for (one, two), table in tables.pairs.items():
        assert not directions[one] or (np.diff(table, axis=0) >= 0).all()
        assert not directions[two] or (np.diff(table, axis=1) >= 0).all()


def test_a_tree_that_may_not_rise_gives_tables_that_do_not() -> None:
    tree = Split(0, 0, Split(1, 1, Leaf(2.0), Leaf(3.0)), Split(2, 0, Leaf(0.0), Leaf(1.0)))

    tables = merge([tree], BINS, [-1, 0, 0], 0.0)

    assert all((np.diff(table, axis=0) <= 0).all() for table in tables.pairs.values())


def test_a_deeper_tree_is_refused() -> None:
    deep = Split(0, 0, Leaf(0.0), Split(1, 0, Split(2, 0, Leaf(1.0), Leaf(2.0)), Leaf(3.0)))

    with pytest.raises(ValueError, match="more than two splits"):
        merge([deep], BINS, [0, 0, 0], 0.0)
