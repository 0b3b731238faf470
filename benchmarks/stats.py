"""The few statistics that the benchmarks need; pure."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that has ``share`` of them at or below it: the nearest-rank percentile.

    Parameters
    ----------
    values : Sequence[float]
        In any order; at least one.
    share : float
        0 to 1.

    Examples
    --------
    >>> percentile([3.0, 1.0, 2.0, 4.0], 0.5)
    2.0
    >>> percentile([3.0, 1.0, 2.0, 4.0], 0.99)
    4.0
    """
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * share // 1))
    return ordered[min(len(ordered), int(rank)) - 1]


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Ratio of two candidates in each round, because what disturbs a round disturbs both.

    As long as each of them; ValueError if their lengths differ.

    Examples
    --------
    >>> ratios([6.0, 9.0], [2.0, 3.0])
    [3.0, 3.0]
    """
    return [a / b for a, b in zip(above, below, strict=True)]


def by_slice(points: Sequence[tuple[float, float]], width: float) -> list[tuple[float, list[float]]]:
    """Group the y of (x, y) points into slices of x that are ``width`` wide; slices without points are left out.

    Returns
    -------
    list[tuple[float, list[float]]]
        The middle of each slice and its y, in order of x.

    Examples
    --------
    >>> by_slice([(0.5, 1.0), (2.5, 3.0), (0.9, 2.0)], 1.0)
    [(0.5, [1.0, 2.0]), (2.5, [3.0])]
    """
    slices: dict[int, list[float]] = {}
    for x, y in points:
        slices.setdefault(int(x // width), []).append(y)
    return [((number + 0.5) * width, values) for number, values in sorted(slices.items())]


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Slope of the line through (x, y) by Theil and Sen: the median of the slopes of all pairs. ValueError if all x are equal.

    A few outliers, such as a pause of the machine, change it less than they change least squares.

    Examples
    --------
    >>> slope([(0, 0.0), (1, 2.0), (2, 4.0), (3, 100.0)])
    2.0
    """
    slopes = [
        (y2 - y1) / (x2 - x1)
        for place, (x1, y1) in enumerate(points)
        for x2, y2 in points[place + 1 :]
        if x2 != x1
    ]
    if not slopes:
        raise ValueError("fewer than two different x")
    return percentile(slopes, 0.5)


def middle(values: Sequence[float]) -> float:
    """The median; the mean of the middle two if their number is even."""
    return median(values)
