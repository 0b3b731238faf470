"""How well rules, a model, and both rank the payments of the weeks after the training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from engine.rules.model_section import RulesetModel
from lab.backtest.ranking import average_precision, card_precision

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.model.tables import Model
    from lab.backtest.deciding import JudgedPayment
    from lab.backtest.outcomes import Users

    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]
    Booleans = npt.NDArray[np.bool_]

WEEKS: Final = 4
"""So many weeks after the training are evaluated, if the data go on so long."""
ALERTS_A_DAY: Final = (20, 60, 100)
SIDES: Final = ("rules", "model", "both")

WEEK_S: Final = 7 * 86_400
_DAY_S: Final = 86_400


class Later(NamedTuple):
    """What is measured of the later payments: columns of equal length."""

    week: Integers
    day: Integers
    user: Integers
    is_fraud: Booleans
    value: Floats
    """In the base currency; 0 where it is not known."""
    amount: Floats
    account_age_days: Floats
    country: npt.NDArray[np.str_]
    scenario: npt.NDArray[np.str_]
    probability: Floats
    scores: dict[str, Integers]
    """By side: what it ranks payments by."""
    tie_break: npt.NDArray[np.uint64]
    """By user."""

    def of(self, chosen: Booleans) -> Later:
        """Give some of the payments."""
        return Later(
            self.week[chosen],
            self.day[chosen],
            self.user[chosen],
            self.is_fraud[chosen],
            self.value[chosen],
            self.amount[chosen],
            self.account_age_days[chosen],
            self.country[chosen],
            self.scenario[chosen],
            self.probability[chosen],
            {side: score[chosen] for side, score in self.scores.items()},
            self.tie_break,
        )


class AlertMeasures(NamedTuple):
    """What so many alerts a day give."""

    precision: float
    """Share of the alerts whose user was defrauded on that day."""
    value_recall: float
    """Share of the money in fraud that is in payments of users who were alerted on that day."""


class Measures(NamedTuple):
    """Of one side."""

    average_precision: float
    card_precision: float
    alerts: dict[int, AlertMeasures]
    """By alerts a day. An alert is a user on a day."""


class _Row(NamedTuple):
    week: int
    day: int
    user: int
    is_fraud: bool
    value: float
    amount: float
    account_age_days: float
    country: str
    scenario: str
    probability: float
    points: int
    both: int


class LaterPayments:
    """Collects the payments after a training.

    Parameters
    ----------
    begin_s : int
        When the first week begins; s since the epoch.
    users : Users
        The payments' users.
    """

    def __init__(self, begin_s: int, users: Users) -> None:
        self._begin_s = begin_s
        self._users = users
        self._rows: list[_Row] = []

    def see(self, judged: JudgedPayment, model: Model) -> None:
        """Take a payment, decided by rules alone, with the model of its week."""
        clock_s = judged.facts.clock_ms // 1000
        features, truth = judged.decided.features, judged.payment.truth
        used = RulesetModel(model, model.document.proposed_points)
        probability, points = model.fraud_probability(features), judged.decided.assessment.points
        self._rows.append(
            _Row(
                (clock_s - self._begin_s) // WEEK_S,
                clock_s // _DAY_S,
                self._users.number(judged.transaction.user_id),
                truth.is_fraud,
                truth.amount_base or 0.0,
                float(features["amount_base"]),
                float(features["account_age_days"]),
                str(features["country"]),
                truth.scenario or "",
                probability,
                points,
                points + used.points(probability),
            )
        )

    def columns(self) -> Later | None:
        """Give what was collected; None without any payment."""
        if not self._rows:
            return None
        rows = self._rows
        probability = np.array([each.probability for each in rows])
        return Later(
            np.array([each.week for each in rows]),
            np.array([each.day for each in rows]),
            np.array([each.user for each in rows]),
            np.array([each.is_fraud for each in rows]),
            np.array([each.value for each in rows]),
            np.array([each.amount for each in rows]),
            np.array([each.account_age_days for each in rows]),
            np.array([each.country for each in rows]),
            np.array([each.scenario for each in rows]),
            probability,
            {
                "rules": np.array([each.points for each in rows]),
                "model": np.rint(probability * 10_000).astype(np.int64),
                "both": np.array([each.both for each in rows]),
            },
            np.frombuffer(self._users.hashes, np.uint64),
        )


def measured(later: Later, side: str) -> Measures:
    """Measure one side over these payments."""
    score = later.scores[side]
    return Measures(
        average_precision(score, later.is_fraud) or 0.0,
        card_precision(later.day, later.user, score, later.is_fraud, later.tie_break) or 0.0,
        {alerts: alert_measures(later, score, alerts) for alerts in ALERTS_A_DAY},
    )


def alert_measures(later: Later, score: Integers, alerts: int) -> AlertMeasures:
    """Alert the users with the highest scores, so many a day.

    Parameters
    ----------
    later : Later
        The payments.
    score : array
        By payment.
    alerts : int
        Users alerted a day, >= 1; a day with fewer users is divided by as many too.
    """
    alerted = alerted_payments(later, score, alerts) & later.is_fraud
    users = np.unique(np.column_stack([later.day[alerted], later.user[alerted]]), axis=0)
    days = np.unique(later.day).size
    total = float(later.value[later.is_fraud].sum())
    return AlertMeasures(
        len(users) / (alerts * days) if days else 0.0,
        float(later.value[alerted].sum()) / total if total else 0.0,
    )


def alerted_payments(later: Later, score: Integers, alerts: int) -> Booleans:
    """Give the payments of the users with the highest scores of each day, so many a day."""
    is_alerted = np.zeros(later.day.size, np.bool_)
    for day in np.unique(later.day):
        today = np.flatnonzero(later.day == day)
        users, place = np.unique(later.user[today], return_inverse=True)
        highest = np.full(users.size, np.iinfo(np.int64).min)
        np.maximum.at(highest, place, score[today])
        ranked = np.lexsort((later.tie_break[users], -highest))[:alerts]
        is_alerted[today] = np.isin(place, ranked)
    return is_alerted


def as_lines(later: Later) -> list[str]:
    """Write the measures of each side as a table in Markdown: each week, and the mean of the weeks."""
    head = ["weeks", "side", "average precision", "card precision at 100"]
    head += [f"{what} at {alerts}" for alerts in ALERTS_A_DAY for what in ("precision", "value recall")]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    weeks = [later.of(later.week == week) for week in np.unique(later.week)]
    by_side = {side: [measured(week, side) for week in weeks] for side in SIDES}
    for place, week in enumerate(np.unique(later.week)):
        lines += [_line(f"{week + 1}", side, [by_side[side][place]]) for side in SIDES]
    if len(weeks) > 1:
        lines += [_line("mean", side, by_side[side]) for side in SIDES]
    return lines


def _line(name: str, side: str, measures: list[Measures]) -> str:
    numbers = [
        [
            each.average_precision,
            each.card_precision,
            *(part for alerts in ALERTS_A_DAY for part in each.alerts[alerts]),
        ]
        for each in measures
    ]
    cells = [f"{number:.3f}" for number in np.mean(numbers, axis=0)]
    return f"| {name} | {side} | {' | '.join(cells)} |"


class CalibrationBin(NamedTuple):
    """Payments to which the model gave nearly the same probability."""

    payments: int
    said: float
    """Mean of the probabilities."""
    was: float
    """Share that was fraud."""


_CALIBRATION_CUTS: Final = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9)


def calibration_of(later: Later) -> list[CalibrationBin]:
    """Compare what the model said with what was, by the probability."""
    place = np.searchsorted(_CALIBRATION_CUTS, later.probability, side="right")
    return [
        CalibrationBin(
            int(inside.sum()), float(later.probability[inside].mean()), float(later.is_fraud[inside].mean())
        )
        for inside in (place == each for each in np.unique(place))
    ]


KIND_ALERTS: Final = 60
"""Alerts a day at which kinds of fraud are compared."""


def kind_lines(later: Later) -> list[str]:
    """Write which share of each kind of fraud is in alerted payments, with :data:`KIND_ALERTS` alerts a day."""
    lines = [f"| kind of fraud | payments | {' | '.join(SIDES)} |", f"|---|---|{'---|' * len(SIDES)}"]
    alerted = {side: alerted_payments(later, later.scores[side], KIND_ALERTS) for side in SIDES}
    for kind in sorted(set(later.scenario[later.is_fraud].tolist())):
        inside = later.is_fraud & (later.scenario == kind)
        cells = [f"{alerted[side][inside].mean():.0%}" for side in SIDES]
        lines.append(f"| {kind} | {int(inside.sum()):,} | {' | '.join(cells)} |")
    return lines


def stability_lines(later: Later) -> list[str]:
    """Write what the model says of parts of the payments: by amount, age of the account, and country."""
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
    lines = [
        "| payments | number | fraud | said | average precision, rules | model |",
        "|---|---|---|---|---|---|",
    ]
    for name, inside in parts:
        if inside.any():
            part = later.of(inside)
            ranks = [average_precision(part.scores[side], part.is_fraud) for side in ("rules", "model")]
            shown = ["-" if rank is None else f"{rank:.3f}" for rank in ranks]
            fraud, said = float(part.is_fraud.mean()), float(part.probability.mean())
            lines.append(
                f"| {name} | {int(inside.sum()):,} | {fraud:.2%} | {said:.2%} | {' | '.join(shown)} |"
            )
    return lines
