"""Payments of a file or a simulation, decided as the backtest decides, from one training to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from contract.entity_ids import EntityKind
from lab.backtest.deciding import Judge, Refusals
from lab.backtest.labels import LabelPlan, PlayedLabels
from lab.backtest.outcomes import Users

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from contract.entity_ids import EntityIds
    from contract.truth import SentPayment
    from engine.rules.ruleset import Ruleset
    from lab.backtest.deciding import JudgedPayment
    from training.point_in_time import PointInTime

_NO_ENTITIES: Final[EntityIds] = (None,) * len(EntityKind)


class Source:
    """One file, or one simulation.

    Parameters
    ----------
    payments : Iterable[SentPayment]
        In the order of their clocks; read once.
    ruleset : Ruleset
        The rules, without a model: what it decides is what blocks payments, and teaches profiles.
    plan : LabelPlan
        When labels become known.
    collectors : Sequence[PointInTime]
        Get every payment and every label, as they come.

    Attributes
    ----------
    users : Users
        The payments' users.
    """

    def __init__(
        self,
        payments: Iterable[SentPayment],
        ruleset: Ruleset,
        plan: LabelPlan,
        collectors: Sequence[PointInTime],
    ) -> None:
        self.users = Users()
        self._collectors = collectors
        self._labels = PlayedLabels(plan, self._know)
        self._learnt_until_s = 0
        self._judged = Judge(ruleset, None, self.users, Refusals(), plan).judge_all(payments)
        self._next: JudgedPayment | None = next(self._judged, None)

    def advance(self, until_s: int, see: Callable[[JudgedPayment], object] = lambda _judged: None) -> None:
        """Decide on all payments before a time, and take all labels that are known by then.

        Parameters
        ----------
        until_s : int
            s since the epoch.
        see : Callable[[JudgedPayment], object]
            Called with each payment.
        """
        while self._next is not None and self._next.facts.clock_ms // 1000 < until_s:
            self._take(self._next)
            see(self._next)
            self._next = next(self._judged, None)
        self._learn(until_s)

    def _take(self, judged: JudgedPayment) -> None:
        clock_s, decided = judged.facts.clock_ms // 1000, judged.decided
        self._learn(clock_s)
        for each in self._collectors:
            each.see(
                judged.facts.key_hash,
                clock_s,
                decided.assessment.decision,
                decided.assessment.points,
                decided.features,
            )
        self._labels.decided(judged.facts, _NO_ENTITIES, decided, judged.payment.truth)

    def _learn(self, until_s: int) -> None:
        self._learnt_until_s = until_s
        self._labels.learn(until_s)

    def _know(self, key_hash: int, is_fraud: bool) -> None:
        for each in self._collectors:
            each.know(key_hash, is_fraud, self._learnt_until_s)
