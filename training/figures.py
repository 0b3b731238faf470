"""All figures of the payments after a training, computed once: the printed text, the card and the page show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from lab.backtest.ranking import average_precision
from training.evaluation import ALERTS_A_DAY, SIDES, AlertMeasures, Measures, alerted_payments, measured

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from training.evaluation import Booleans, Later

KIND_ALERTS: Final = 60
"""Alerts a day at which kinds of fraud are compared."""

MEAN: Final = "mean"
"""In the place of a week: all weeks."""

SIDE_HEADS: Final = (
    "weeks",
    "side",
    "average precision",
    "card precision at 100",
    *(f"{what} at {alerts}" for alerts in ALERTS_A_DAY for what in ("precision", "value recall")),
)
KIND_HEADS: Final = ("kind of fraud", "payments", *SIDES)
CALIBRATION_HEADS: Final = ("payments", "probability said", "share that was fraud")
PART_HEADS: Final = ("payments", "number", "fraud", "said", "average precision, rules", "model")

_CALIBRATION_CUTS: Final = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9)


class SideFigures(NamedTuple):
    """One side in one week, or in the mean of the weeks."""

    week: str
    """Its number from 1, or :data:`MEAN`."""
    side: str
    measures: Measures


class CalibrationBin(NamedTuple):
    """Payments to which the model gave nearly the same probability."""

    payments: int
    said: float
    """Mean of the probabilities."""
    was: float
    """Share that was fraud."""


class KindFigures(NamedTuple):
    """One kind of fraud."""

    kind: str
    payments: int
    alerted: tuple[float, ...]
    """By side: the share of its payments whose user is alerted, with :data:`KIND_ALERTS` alerts a day."""


class PartFigures(NamedTuple):
    """A part of the payments: those of some amounts, ages of accounts, or of a country."""

    name: str
    payments: int
    fraud: float
    """Share."""
    said: float
    """Mean of the probabilities."""
    ranks: tuple[float | None, float | None]
    """Average precision of rules and model; None without fraud."""


class Evaluation(NamedTuple):
    """How rules, model and both rank the payments after a training."""

    payments: int
    frauds: int
    sides: tuple[SideFigures, ...]
    """By week and side, and the means last if there are several weeks."""
    calibration: tuple[CalibrationBin, ...]
    """By the probability, ascending."""
    kinds: tuple[KindFigures, ...]
    parts: tuple[PartFigures, ...]

    def overall(self, side: str) -> Measures:
        """The measures of a side over all weeks."""
        return next(each.measures for each in reversed(self.sides) if each.side == side)


def evaluate(later: Later) -> Evaluation:
    """Compute all figures of these payments, of which there is at least one."""
    return Evaluation(
        int(later.day.size),
        int(later.is_fraud.sum()),
        tuple(_sides(later)),
        tuple(_calibration(later)),
        tuple(_kinds(later)),
        tuple(_parts(later)),
    )


def side_cells(each: SideFigures) -> tuple[str, ...]:
    """Write a side, as :data:`SIDE_HEADS` name it."""
    return (each.week, each.side, *(f"{number:.3f}" for number in _numbers(each.measures)))


def kind_cells(each: KindFigures) -> tuple[str, ...]:
    """Write a kind of fraud, as :data:`KIND_HEADS` name it."""
    return (each.kind, f"{each.payments:,}", *(f"{share:.0%}" for share in each.alerted))


def calibration_cells(each: CalibrationBin) -> tuple[str, ...]:
    """Write a step of the calibration, as :data:`CALIBRATION_HEADS` name it."""
    return f"{each.payments:,}", f"{each.said:.4f}", f"{each.was:.4f}"


def part_cells(each: PartFigures) -> tuple[str, ...]:
    """Write a part of the payments, as :data:`PART_HEADS` name it."""
    ranks = ("-" if rank is None else f"{rank:.3f}" for rank in each.ranks)
    return each.name, f"{each.payments:,}", f"{each.fraud:.2%}", f"{each.said:.2%}", *ranks


def side_lines(evaluation: Evaluation) -> list[str]:
    """Write the measures of each side as a table in Markdown: each week, and the mean of the weeks."""
    return markdown(SIDE_HEADS, map(side_cells, evaluation.sides))


def markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Write a table in Markdown."""
    head = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    return [*head, *(f"| {' | '.join(row)} |" for row in rows)]


def _sides(later: Later) -> list[SideFigures]:
    numbers = np.unique(later.week).tolist()
    weeks = [later.of(later.week == number) for number in numbers]
    by_side = {side: [measured(week, side) for week in weeks] for side in SIDES}
    found = [
        SideFigures(f"{number + 1}", side, by_side[side][place])
        for place, number in enumerate(numbers)
        for side in SIDES
    ]
    if len(weeks) > 1:
        found += [SideFigures(MEAN, side, _mean(by_side[side])) for side in SIDES]
    return found


def _numbers(measures: Measures) -> list[float]:
    """All of a side's measures in the order of :data:`SIDE_HEADS`."""
    of_alerts = [part for alerts in ALERTS_A_DAY for part in measures.alerts[alerts]]
    return [measures.average_precision, measures.card_precision, *of_alerts]


def _mean(measures: Sequence[Measures]) -> Measures:
    ranked, cards, *of_alerts = np.mean([_numbers(each) for each in measures], axis=0).tolist()
    pairs = zip(of_alerts[::2], of_alerts[1::2], strict=True)
    return Measures(
        ranked, cards, dict(zip(ALERTS_A_DAY, (AlertMeasures(*pair) for pair in pairs), strict=True))
    )


def _calibration(later: Later) -> list[CalibrationBin]:
    """Compare what the model said with what was, by the probability."""
    place = np.searchsorted(_CALIBRATION_CUTS, later.probability, side="right")
    return [
        CalibrationBin(
            int(inside.sum()), float(later.probability[inside].mean()), float(later.is_fraud[inside].mean())
        )
        for inside in (place == each for each in np.unique(place))
    ]


def _kinds(later: Later) -> list[KindFigures]:
    alerted = [alerted_payments(later, later.scores[side], KIND_ALERTS) for side in SIDES]
    found = []
    for kind in sorted(set(later.scenario[later.is_fraud].tolist())):
        inside = later.is_fraud & (later.scenario == kind)
        shares = tuple(float(of_side[inside].mean()) for of_side in alerted)
        found.append(KindFigures(kind, int(inside.sum()), shares))
    return found


def _parts(later: Later) -> list[PartFigures]:
    """What the model says of parts of the payments: by amount, age of the account, and country."""
    parts: list[tuple[str, Booleans]] = []
    for low, high in ((0, 10), (10, 100), (100, 1_000), (1_000, np.inf)):
        name = f"amount {low:,} to {high:,}" if high < np.inf else f"amount from {low:,}"
        parts.append((name, (later.amount >= low) & (later.amount < high)))
    for low, high in ((0, 7), (7, 30), (30, np.inf)):
        name = f"account {low} to {high} days old" if high < np.inf else f"account from {low} days"
        parts.append((name, (later.account_age_days >= low) & (later.account_age_days < high)))
    names, counts = np.unique(later.country, return_counts=True)
    most = names[np.argsort(-counts, kind="stable")[:5]].tolist()
    parts += [(f"country {name or 'not known'}", later.country == name) for name in most]
    return [_part(name, later.of(inside)) for name, inside in parts if inside.any()]


def _part(name: str, part: Later) -> PartFigures:
    return PartFigures(
        name,
        int(part.day.size),
        float(part.is_fraud.mean()),
        float(part.probability.mean()),
        (
            average_precision(part.scores["rules"], part.is_fraud),
            average_precision(part.scores["model"], part.is_fraud),
        ),
    )
