"""A backtest of stored rows as figures: what its counts say of the decisions of then, and of those of now."""

from __future__ import annotations

from math import fsum
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from engine.features.model import FRAUD_PROBABILITY
from engine.features.stored import differing
from lab.alerts import THRESHOLDS, AlertWindows
from lab.measures import share
from lab.rows.tally import Amounts, RowsTally

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from engine.rules.ruleset import Ruleset, Thresholds
    from lab.rows.tally import Side


class Flagging(msgspec.Struct, frozen=True):
    """What one way to flag gives. A share of nothing is None; what is not known is in no share."""

    flagged: Amounts
    alerts_a_day: float
    """Flagged payments of one user within a window count once; over the UTC days that have a payment."""
    precision: float | None
    recall: float | None
    value_recall: float | None


class RowsReport(msgspec.Struct, frozen=True):
    """The figures."""

    tally: RowsTally
    stored: Flagging
    """The decisions of then."""
    again: Flagging
    """The decisions of the rules that decide again."""
    stored_average_precision: float | None
    """Of the stored scores, 0 to 100."""
    average_precision: float | None
    """Of the points."""
    curve: tuple[tuple[int, Flagging], ...]
    """Threshold to what flagging from it on would give, ascending."""


def report_of(tally: RowsTally, thresholds: Thresholds) -> RowsReport:
    """Make the figures of all rows.

    Parameters
    ----------
    tally : RowsTally
        The sum of what all workers counted.
    thresholds : Thresholds
        Of the rules that decide again.
    """
    flagging = _Flagging(tally)
    curve = {
        threshold: flagging.again_from(threshold)
        for threshold in sorted({*THRESHOLDS, thresholds.review, thresholds.block})
    }
    return RowsReport(
        tally=tally,
        stored=flagging.stored(),
        again=curve[thresholds.review],
        stored_average_precision=average_precision(tally.stored.scores),
        average_precision=average_precision(tally.again.scores),
        curve=tuple(curve.items()),
    )


def differing_features(tally: RowsTally, ruleset: Ruleset) -> dict[str, frozenset[str]]:
    """Name, by feature set of the rows, what conditions and model use and the rows lack, or hold as it was computed otherwise."""
    used = set(ruleset.variables)
    if ruleset.model is not None:
        used |= {each.name for each in ruleset.model.model.document.features}
    used.discard(FRAUD_PROBABILITY)
    return {feature_set: differing(feature_set) & used for feature_set in tally.feature_sets}


def average_precision(by_score: Mapping[int, Amounts]) -> float | None:
    """Average the precision over the steps of the recall, as :func:`lab.backtest.ranking.average_precision` does, from counts by score.

    >>> average_precision({30: Amounts(1, 1), 20: Amounts(2, 1), 10: Amounts(1)})
    0.8333333333333333
    """
    found = known = 0
    total = sum(amounts.fraud for amounts in by_score.values())
    steps = []
    for _, amounts in sorted(by_score.items(), reverse=True):
        found += amounts.fraud
        known += amounts.payments - amounts.unknown
        if amounts.fraud:
            steps.append(amounts.fraud / total * found / known)
    return fsum(steps) if total else None


class _Flagging:
    """Flagged payments of both sides; those that can be flagged are sorted once."""

    def __init__(self, tally: RowsTally) -> None:
        self._all = tally.all
        self._days = max(len(tally.days), 1)
        self._stored, self._again = tally.stored, tally.again
        self._windows, self._points = _windows(tally.again)

    def stored(self) -> Flagging:
        windows, scores = _windows(self._stored)
        return self._measured(self._stored.flagged, windows.count(np.ones(scores.size, np.bool_)))

    def again_from(self, threshold: int) -> Flagging:
        flagged = Amounts()
        for score, amounts in self._again.scores.items():
            if score >= threshold:
                flagged.add(amounts)
        return self._measured(flagged, self._windows.count(self._points >= threshold))

    def _measured(self, flagged: Amounts, alerts: int) -> Flagging:
        return Flagging(
            flagged=flagged,
            alerts_a_day=alerts / self._days,
            precision=share(flagged.fraud, flagged.payments - flagged.unknown),
            recall=share(flagged.fraud, self._all.fraud),
            value_recall=share(flagged.fraud_value, self._all.fraud_value),
        )


def _windows(side: Side) -> tuple[AlertWindows, npt.NDArray[np.int64]]:
    columns = zip(*side.alerts, strict=True) if side.alerts else ((), (), ())
    hashes, at_ms, scores = columns
    _, user = np.unique(np.array(hashes, np.uint64), return_inverse=True)
    return AlertWindows(user, np.array(at_ms, np.int64)), np.array(scores, np.int64)
