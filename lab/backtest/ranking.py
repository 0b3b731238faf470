"""Measures of how well points rank fraud before honest payments, whatever the threshold: plain functions of columns.

Definitions, each written from its source:

- average precision: ``sum((R[n] - R[n-1]) * P[n])`` over the distinct scores from the highest down, without interpolation, as
  scikit-learn defines ``average_precision_score``. Payments of equal points are one step.
- card precision at k: Dal Pozzolo, "Adaptive Machine Learning for Credit Card Fraud Detection", thesis, ULB, 2015; Le Borgne et al.,
  "Reproducible Machine Learning for Credit Card Fraud Detection: Practical Handbook", chapter 4.4.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from lab.measures import share

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from lab.backtest.outcomes import Outcomes, Users

    Integers = npt.NDArray[np.integer]
    Booleans = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]

CARDS_A_DAY: Final = 100
"""The k of the card precision: users that the investigators can contact in a day."""

ALERT_WINDOW_MS: Final = 900_000
"""Flagged payments of one user less than this after the first are one alert: the alert stage's window."""

THRESHOLDS: Final = range(5, 101, 5)
"""Where the curve is measured, in addition to the ruleset's own thresholds."""

_MS_PER_DAY: Final = 86_400_000


class ThresholdMeasures(msgspec.Struct, frozen=True):
    """What flagging from a threshold on would give. A share of nothing is None."""

    threshold: int
    flagged: int
    """Payments with at least so many points."""
    alerts: int
    """Flagged payments, but those of one user within a window count once. The alert stage sends some more: one whenever a window
    gets graver."""
    alerts_a_day: float
    """Over the UTC days that have a payment."""
    precision: float | None
    recall: float | None
    value_recall: float | None
    """Of the money in fraud; fraud of unknown value is left out."""


class RankingMeasures(msgspec.Struct, frozen=True):
    """Measures of one ruleset's points."""

    days: int
    """UTC days that have a payment."""
    users: int
    curve: tuple[ThresholdMeasures, ...]
    """By threshold, ascending."""
    fraud_share: float | None
    """Of the payments: the average precision of a ranking by chance."""
    average_precision: float | None
    card_precision: float | None
    best_card_precision: float | None
    """That of a ranking that knows the truth: few days have :data:`CARDS_A_DAY` compromised users."""

    def at(self, threshold: int) -> ThresholdMeasures:
        """Give the curve's measures at a threshold; StopIteration where it was not measured."""
        return next(each for each in self.curve if each.threshold == threshold)


def measure(outcomes: Outcomes, users: Users, ruleset: int, thresholds: Iterable[int]) -> RankingMeasures:
    """Measure a ruleset's points.

    Parameters
    ----------
    outcomes : Outcomes
        Of all payments.
    users : Users
        Their users.
    ruleset : int
        Which ruleset's points of the outcomes.
    thresholds : Iterable[int]
        Thresholds of the curve in addition to :data:`THRESHOLDS`.

    Returns
    -------
    RankingMeasures
        The same whatever the order of the payments.
    """
    points = np.frombuffer(outcomes.points[ruleset], np.int32)
    at_ms = np.frombuffer(outcomes.at_ms, np.int64)
    user = np.frombuffer(outcomes.user, np.int32)
    is_fraud = np.frombuffer(outcomes.is_fraud, np.bool_)
    value = np.nan_to_num(np.frombuffer(outcomes.value, np.float64)[is_fraud], nan=0.0)
    tie_break = np.frombuffer(users.hashes, np.uint64)
    day = (at_ms // _MS_PER_DAY).astype(np.int32)
    days = np.unique(day).size
    fraud_points = points[is_fraud]
    windows = _Windows(user, at_ms)
    curve = []
    for threshold in sorted({*THRESHOLDS, *thresholds}):
        flagged, found = points >= threshold, fraud_points >= threshold
        count, hits = int(flagged.sum()), int(found.sum())
        alerts = windows.count(flagged)
        curve.append(
            ThresholdMeasures(
                threshold=threshold,
                flagged=count,
                alerts=alerts,
                alerts_a_day=alerts / max(days, 1),
                precision=share(hits, count),
                recall=share(hits, fraud_points.size),
                value_recall=share(float(value[found].sum()), float(value.sum())),
            )
        )
    return RankingMeasures(
        days=days,
        users=len(users),
        curve=tuple(curve),
        fraud_share=share(fraud_points.size, points.size),
        average_precision=average_precision(points, is_fraud),
        card_precision=card_precision(day, user, points, is_fraud, tie_break),
        best_card_precision=card_precision(day, user, is_fraud.astype(np.int32), is_fraud, tie_break),
    )


def average_precision(points: Integers, is_fraud: Booleans, weight: Floats | None = None) -> float | None:
    """Average the precision over the steps of the recall; the mean precision of the thresholds at which fraud is found.

    Parameters
    ----------
    points, is_fraud : array
        One of each a payment.
    weight : array | None
        For how many payments each counts; None where each counts once.

    Returns
    -------
    float | None
        0 to 1; None without fraud.

    Examples
    --------
    >>> average_precision(np.array([30, 20, 20, 10]), np.array([True, False, True, False]))
    0.8333333333333333
    """
    _, rank = np.unique(-points.astype(np.int64), return_inverse=True)
    flagged = np.cumsum(np.bincount(rank, weights=weight))
    found = np.bincount(rank, weights=is_fraud if weight is None else weight * is_fraud)
    total = found.sum()
    return float((found / total * np.cumsum(found) / flagged).sum()) if total else None


def card_precision(
    day: Integers,
    user: Integers,
    points: Integers,
    is_fraud: Booleans,
    tie_break: Integers,
    cards: int = CARDS_A_DAY,
) -> float | None:
    """Average over the days: the share of the day's most suspicious users that are compromised.

    A user's points on a day are those of the payment with the most; a user is compromised on a day with a fraud. Compromised users among the
    most suspicious are found, and leave from the next day on. A day with fewer than ``cards`` users is divided by ``cards`` too.

    Parameters
    ----------
    day, user, points, is_fraud : array
        One of each a payment; ``user`` is an index of ``tie_break``.
    tie_break : array
        By user: of users of equal points, the one with the lower number comes first. It must have nothing to do with fraud.
    cards : int
        How many users the investigators can contact in a day, >= 1.

    Returns
    -------
    float | None
        0 to 1; None without payments.
    """
    if not day.size:
        return None
    order = np.lexsort((user, day))
    day, user = day[order], user[order]
    first = np.flatnonzero(np.r_[True, (day[1:] != day[:-1]) | (user[1:] != user[:-1])])
    highest = np.maximum.reduceat(points[order], first)
    is_compromised = np.logical_or.reduceat(is_fraud[order], first)
    day, user = day[first], user[first]
    is_found = np.zeros(tie_break.size, np.bool_)
    shares = []
    for begin, end in pairwise([*np.flatnonzero(np.r_[True, day[1:] != day[:-1]]), day.size]):
        left = begin + np.flatnonzero(~is_found[user[begin:end]])
        ranked = left[np.lexsort((tie_break[user[left]], -highest[left].astype(np.int64)))][:cards]
        found = user[ranked[is_compromised[ranked]]]
        is_found[found] = True
        shares.append(found.size / cards)
    return float(np.mean(shares))


class _Windows:
    """Payments by user and clock, sorted once for all thresholds."""

    def __init__(self, user: Integers, at_ms: Integers) -> None:
        begin, end = (int(at_ms.min()), int(at_ms.max())) if at_ms.size else (0, 0)
        # User and clock in one number. It has room for 5,000,000 users whose payments are 56 years apart.
        key = user.astype(np.int64) * (end - begin + ALERT_WINDOW_MS) + (at_ms - begin)
        self._order = np.argsort(key)
        self._key = key[self._order]

    def count(self, flagged: Booleans) -> int:
        """Count alert windows: each begins at the first flagged payment that no earlier one covers."""
        key = self._key[flagged[self._order]]
        after = np.searchsorted(key, key + ALERT_WINDOW_MS).data  # its items are plain integers
        windows = row = 0
        while row < key.size:
            windows += 1
            row = after[row]
        return windows
