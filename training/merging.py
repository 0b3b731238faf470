"""Merges boosted trees of depth one and two into tables of one feature and of two: the same sum, term by term."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Table = npt.NDArray[np.float64]


class Leaf(NamedTuple):
    """The end of a branch."""

    value: float


class Split(NamedTuple):
    """A branch: bins up to ``last`` go to ``low``, those above it to ``high``."""

    feature: int
    last: int
    low: Leaf | Split
    high: Leaf | Split


class Tables(NamedTuple):
    """A sum over terms: the intercept, a table a feature, a table a pair of features."""

    intercept: float
    singles: dict[int, Table]
    pairs: dict[tuple[int, int], Table]
    """By both features, the lower first."""

    def score(self, codes: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """Add the terms up, for each row of bins."""
        total = np.full(len(codes), self.intercept)
        for feature, table in self.singles.items():
            total += table[codes[:, feature]]
        for (one, two), table in self.pairs.items():
            total += table[codes[:, one], codes[:, two]]
        return total


def merge(trees: list[Leaf | Split], bins: list[int], directions: list[int], intercept: float) -> Tables:
    """Merge trees.

    A tree that splits by one feature and then by another on one side, or on both, is the sum of one table a side. Each is 0 where the
    other side counts. So that both follow a feature's direction, a constant between the two sides' values is taken from them first.

    Parameters
    ----------
    trees : list[Leaf | Split]
        Each of at most two splits along any branch.
    bins : list[int]
        By feature: how many.
    directions : list[int]
        By feature: 1 where its table may not fall, -1 where it may not rise, else 0.
    intercept : float
        What the trees are added to.
    """
    singles: dict[int, Table] = {}
    pairs: dict[tuple[int, int], Table] = {}
    for tree in trees:
        if isinstance(tree, Leaf):
            intercept += tree.value
            continue
        constant = _between(tree, directions[tree.feature])
        intercept += constant
        rows = np.arange(bins[tree.feature])
        for child, is_inside in ((tree.low, rows <= tree.last), (tree.high, rows > tree.last)):
            _add(tree.feature, is_inside, child, constant, bins, singles, pairs)
    return Tables(intercept, singles, pairs)


def centred(tables: Tables, codes: npt.NDArray[np.uint8], weight: npt.NDArray[np.float64]) -> Tables:
    """Move each table's mean over the payments into the intercept: 0 then is what the average payment has."""
    intercept = tables.intercept
    singles, pairs = {}, {}
    for feature, table in tables.singles.items():
        mean = float(np.average(table[codes[:, feature]], weights=weight))
        singles[feature], intercept = table - mean, intercept + mean
    for (one, two), table in tables.pairs.items():
        mean = float(np.average(table[codes[:, one], codes[:, two]], weights=weight))
        pairs[one, two], intercept = table - mean, intercept + mean
    return Tables(intercept, singles, pairs)


def _between(tree: Split, direction: int) -> float:
    low, high = _leaves(tree.low), _leaves(tree.high)
    if direction > 0:
        return (max(low) + min(high)) / 2
    return (min(low) + max(high)) / 2 if direction < 0 else 0.0


def _leaves(node: Leaf | Split) -> list[float]:
    return [node.value] if isinstance(node, Leaf) else _leaves(node.low) + _leaves(node.high)


def _add(
    root: int,
    is_inside: npt.NDArray[np.bool_],
    child: Leaf | Split,
    constant: float,
    bins: list[int],
    singles: dict[int, Table],
    pairs: dict[tuple[int, int], Table],
) -> None:
    if isinstance(child, Leaf):
        singles.setdefault(root, np.zeros(bins[root]))[is_inside] += child.value - constant
        return
    if not (isinstance(child.low, Leaf) and isinstance(child.high, Leaf)):
        raise ValueError(
            "a tree of more than two splits along a branch cannot be merged into tables of two features"
        )
    columns = np.arange(bins[child.feature])
    values = np.where(columns <= child.last, child.low.value, child.high.value) - constant
    if child.feature == root:
        singles.setdefault(root, np.zeros(bins[root]))[is_inside] += values[is_inside]
        return
    table = np.outer(is_inside, values)
    key = (min(root, child.feature), max(root, child.feature))
    pairs.setdefault(key, np.zeros((bins[key[0]], bins[key[1]])))
    pairs[key] += table if key[0] == root else table.T
