"""The points that a model proposes for its probability, so that they add up with those of the rules it was trained beside."""

from __future__ import annotations

from math import exp, log
from typing import TYPE_CHECKING, Final

import numpy as np

from lab.backtest.ranking import average_precision

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

REVIEW_FROM: Final = 0.3
"""The probability that alone gives :data:`REVIEW_POINTS`."""
REVIEW_POINTS: Final = 50
SCALES: Final = (6, 9, 12, 16, 20, 26, 34, 44, 60, 80, 110)
"""Points that a step of 1 in the log-odds may give."""
FLOORS: Final = (0, -25, -50, -100, -200, -400, -800)
"""The fewest points. Negative ones speak for a payment that rules suspect."""
_WORTH: Final = 0.0005
"""By so much must a harsher proposal be better."""

_LADDER: Final = tuple(round(1 / (1 + exp(-place / 5)), 4) for place in range(-38, 39))
"""Probabilities at which steps begin: a fifth of log-odds apart, from 0.0005 to 0.9995."""


def steps_of(scale: float, floor: int) -> tuple[tuple[float, int], ...]:
    """Give steps that rise with the log-odds.

    Parameters
    ----------
    scale : float
        Points for 1 of log-odds.
    floor : int
        The fewest points, <= 0; 0 for a model that never speaks for a payment.
    """
    steps: list[tuple[float, int]] = [(0.0, floor)] if floor < 0 else []
    for probability in _LADDER:
        points = round(REVIEW_POINTS + scale * (_logit(probability) - _logit(REVIEW_FROM)))
        if points > (steps[-1][1] if steps else 0):
            steps.append((probability, points))
    return tuple(steps)


def points_of(steps: tuple[tuple[float, int], ...], probability: Floats) -> npt.NDArray[np.int64]:
    """Give the points of each probability."""
    given = np.array([0, *(points for _, points in steps)])
    return given[np.searchsorted([begin for begin, _ in steps], probability, side="right")]


def propose(
    probability: Floats, rule_points: npt.NDArray[np.int64], is_fraud: npt.NDArray[np.bool_], weight: Floats
) -> tuple[tuple[float, int], ...]:
    """Choose the steps with which points of rules and model together rank fraud best, by average precision.

    Parameters
    ----------
    probability : array
        By payment, of a model that has not seen it.
    rule_points, is_fraud, weight : array
        By payment.
    """
    best: tuple[float, tuple[tuple[float, int], ...]] = (-1.0, ())
    for floor in FLOORS:
        for scale in SCALES:
            steps = steps_of(scale, floor)
            points = rule_points + points_of(steps, probability)
            found = average_precision(points, is_fraud, weight) or 0.0
            if found > best[0] + _WORTH:
                best = (found, steps)
    return best[1]


def _logit(probability: float) -> float:
    return log(probability / (1 - probability))
