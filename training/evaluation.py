"""How well rules, a model, and both rank the payments of the weeks after the training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from lab.backtest.ranking import average_precision, card_precision
from training.points import both_points

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

_WEEK_S: Final = 7 * 86_400
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

    @property
    def mean(self) -> float:
        """Of all of them."""
        parts = [part for each in self.alerts.values() for part in each]
        return float(np.mean([self.average_precision, self.card_precision, *parts]))


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
        probability, points = model.fraud_probability(features), judged.decided.assessment.points
        self._rows.append(
            _Row(
                (clock_s - self._begin_s) // _WEEK_S,
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
                both_points(points, probability, model.document.proposed_points),
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
    found = days = 0
    value = 0.0
    for day in np.unique(later.day):
        today = np.flatnonzero(later.day == day)
        users, place = np.unique(later.user[today], return_inverse=True)
        highest = np.full(users.size, np.iinfo(np.int64).min)
        np.maximum.at(highest, place, score[today])
        ranked = np.lexsort((later.tie_break[users], -highest))[:alerts]
        is_alerted = np.isin(place, ranked)
        frauds = is_alerted & later.is_fraud[today]
        found += np.unique(place[frauds]).size
        value += float(later.value[today][frauds].sum())
        days += 1
    total = float(later.value[later.is_fraud].sum())
    return AlertMeasures(found / (alerts * days) if days else 0.0, value / total if total else 0.0)


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
