"""The few statistics that the benchmarks need; pure."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of the values lie, by the nearest rank, so that it is one of them.

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
    """Ratio of two candidates in each round, so that what disturbs a round disturbs both; as long as either.

    Examples
    --------
    >>> ratios([6.0, 9.0], [2.0, 3.0])
    [3.0, 3.0]
    """
    return [a / b for a, b in zip(above, below, strict=True)]


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Slope of the line through (x, y) by Theil and Sen: the median of the slopes of all pairs.

    A few outliers, a pause of the machine say, do not tilt it as they tilt least squares.

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
    """The median, of a few rounds say."""
    return median(values)
