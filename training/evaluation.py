"""How well rules, a model, and both rank the payments of the weeks after the training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from engine.rules.model_section import RulesetModel
from lab.backtest.ranking import average_precision, card_precision

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from contract.scored import FeatureValue
    from contract.truth import Truth
    from engine.model.tables import Model
    from lab.backtest.deciding import JudgedPayment
    from lab.backtest.outcomes import Users

    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]
    Booleans = npt.NDArray[np.bool_]

WEEKS: Final = 4
"""So many weeks after the training are evaluated, if the data go on so long."""
ALERTS_A_DAY: Final = (20, 60, 100)
MAX_KEPT: Final = 1_000_000
"""Payments that are evaluated, about; 400 MB."""
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


class Seen(NamedTuple):
    """A payment after the training, decided by rules alone."""

    clock_s: int
    """s since the epoch."""
    user: int
    """The user's number."""
    features: Mapping[str, FeatureValue]
    truth: Truth
    points: int
    """What the rules gave."""


class LaterPayments:
    """Collects the payments after a training.

    Parameters
    ----------
    begin_s : int
        When the first week begins; s since the epoch.
    users : Users
        The payments' users.
    max_kept : int
        Beyond so many payments, those of every second user are left out, drawn by the user's hash.

    Attributes
    ----------
    begin_s : int
        The first week's begin.
    every : int
        Payments of one in so many users are kept; "alerts a day" are alerts on these users.
    """

    def __init__(self, begin_s: int, users: Users, max_kept: int = MAX_KEPT) -> None:
        self.every = 1
        self.begin_s = begin_s
        self._users = users
        self._max_kept = max_kept
        self._rows: list[_Row] = []

    def see(self, judged: JudgedPayment, model: Model) -> None:
        """Take a payment, decided by rules alone, with the model of its week."""
        self.add(
            Seen(
                judged.facts.clock_ms // 1000,
                self._users.number(judged.transaction.user_id),
                judged.decided.features,
                judged.payment.truth,
                judged.decided.assessment.points,
            ),
            model,
        )

    def add(self, seen: Seen, model: Model) -> None:
        """Take a payment with the model of its week."""
        if not self.wants(seen.user):
            return
        clock_s, features, truth, points = seen.clock_s, seen.features, seen.truth, seen.points
        used = RulesetModel(model, model.document.proposed_points)
        probability = model.fraud_probability(features)
        self._rows.append(
            _Row(
                (clock_s - self.begin_s) // WEEK_S,
                clock_s // _DAY_S,
                seen.user,
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
        if len(self._rows) > self._max_kept:
            self.every *= 2
            self._rows = [each for each in self._rows if self.wants(each.user)]

    def wants(self, user: int) -> bool:
        """Whether a payment of a user would be kept, by the user's number."""
        return not self._users.hashes[user] % self.every

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
