"""One backtest from its payments to its figures: :func:`run_backtest`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec

from engine.rules.ruleset import Thresholds
from lab.backtest.comparing import Comparison, Differences
from lab.backtest.crossing import Crossing, CrossingTally
from lab.backtest.deciding import Judge, JudgedPayment, Refusals
from lab.backtest.labels import Learnt
from lab.backtest.outcomes import Outcomes, Users
from lab.backtest.ranking import RankingMeasures, measure
from lab.measures import APPROVE, DetectionReport, DetectionTally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from contract.truth import SentPayment
    from engine.rules.rule_section import Rule
    from engine.rules.ruleset import Ruleset
    from lab.backtest.labels import LabelPlan

MAX_SHOWN: Final = 40
"""At most this many payments of missed incidents, and as many false alarms, are kept to be shown."""

_MAX_APPROVED_FRAUD: Final = 2_000
"""Fraud that was approved is kept until a payment of its incident is flagged; at most so many at once, about 6 MB. Beyond, some is not
kept, so fewer than :data:`MAX_SHOWN` may be shown. It counts all the same."""


class Backtest(msgspec.Struct, frozen=True, kw_only=True):
    """The decisions on a history, compared with the truth."""

    report: DetectionReport
    measures: RankingMeasures
    thresholds: Thresholds
    """The ruleset's own."""
    invalid: int
    """Records that the score stage would quarantine."""
    invalid_by_field: dict[str, int]
    """By the field at fault, most first."""
    first_invalid: str | None
    """What is wrong with the first of them, and where it is."""
    refunds: int
    """Records that are payments but for an amount below zero; they count in no other figure."""
    repeats: int
    """Records that repeat an earlier one; each payment counts once."""
    rule_hits: dict[str, tuple[int, int]]
    """Rule id (shadow rules too) to how often it held for fraud, and for honest payments."""
    missed: tuple[JudgedPayment, ...]
    """Fraud of incidents in which nothing was flagged: the first ones."""
    missed_count: int
    false_alarms: tuple[JudgedPayment, ...]
    """Honest payments that were flagged: the first ones."""
    false_alarm_count: int
    crossing: Crossing
    """Attacks that cross users, and crowds."""
    comparison: Comparison | None
    """With another ruleset, if there is one."""
    learnt: Learnt | None = None
    """Which labels became known to the ruleset's decisions; None where none were played."""


def run_backtest(
    payments: Iterable[SentPayment],
    ruleset: Ruleset,
    *,
    against: Ruleset | None = None,
    write: Callable[[JudgedPayment], object] | None = None,
    plan: LabelPlan | None = None,
) -> Backtest:
    """Decide on payments one after the other, and evaluate the decisions.

    Parameters
    ----------
    payments : Iterable[SentPayment]
        In the order in which they are scored; read once.
    ruleset : Ruleset
        The rules.
    against : Ruleset | None
        Rules that decide on the same payments, to be compared with.
    write : Callable[[JudgedPayment], object] | None
        Called with each payment on which is decided.
    plan : LabelPlan | None
        When labels become known to the decisions; None for never.

    Returns
    -------
    Backtest
        The same for the same arguments.
    """
    rulesets = [ruleset] if against is None else [ruleset, against]
    users, refusals, outcomes = Users(), Refusals(), Outcomes(len(rulesets))
    tally, their_tally, differences = _Tally(ruleset), DetectionTally(), Differences()
    judge = Judge(ruleset, against, users, refusals, plan)
    for judged in judge.judge_all(payments):
        truth = judged.payment.truth
        points = [judged.decided.assessment.points]
        tally.count(judged)
        if judged.against is not None:
            points.append(judged.against.assessment.points)
            their_tally.count(truth, is_flagged=judged.against.assessment.decision != APPROVE)
            differences.count(judged)
        outcomes.add(users.number(judged.transaction.user_id), judged.facts.at_ms, truth, points)
        if write is not None:
            write(judged)
    thresholds = {limit for each in rulesets for limit in (each.thresholds.review, each.thresholds.block)}
    measures = [measure(outcomes, users, number, thresholds) for number in range(len(rulesets))]
    return Backtest(
        report=tally.detection.report(),
        measures=measures[0],
        thresholds=ruleset.thresholds,
        invalid=refusals.invalid.total(),
        invalid_by_field=dict(refusals.invalid.most_common()),
        first_invalid=refusals.first,
        refunds=refusals.refunds,
        repeats=refusals.repeats,
        rule_hits=tally.rule_hits(rule for side in ruleset.sides for rule in side.rules),
        missed=tally.missed(),
        missed_count=tally.detection.missed,
        false_alarms=tuple(tally.false_alarms),
        false_alarm_count=tally.false_alarm_count,
        crossing=tally.crossing.report(),
        comparison=None
        if against is None
        else differences.compared(their_tally.report(), measures[1], against.thresholds),
        learnt=judge.learnt,
    )


class _Tally:
    """Detection, rule hits and payments to show, of one ruleset while the backtest runs."""

    def __init__(self, ruleset: Ruleset) -> None:
        self.detection = DetectionTally()
        self.crossing = CrossingTally(ruleset)
        self.false_alarms: list[JudgedPayment] = []
        self.false_alarm_count = 0
        self._approved_fraud: list[JudgedPayment] = []
        self._not_kept = 0
        self._hits: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}

    def count(self, judged: JudgedPayment) -> None:
        truth, assessment = judged.payment.truth, judged.decided.assessment
        is_flagged = assessment.decision != APPROVE
        self.detection.count(truth, is_flagged=is_flagged)
        self.crossing.count(judged)
        if assessment.reasons or assessment.shadow_rule_ids:
            rule_ids = (*(reason.rule_id for reason in assessment.reasons), *assessment.shadow_rule_ids)
            self._hits[truth.is_fraud].update(rule_ids)
        if truth.is_fraud and not is_flagged:
            self._keep_approved(judged)
        elif is_flagged and not truth.is_fraud:
            self.false_alarm_count += 1
            if len(self.false_alarms) < MAX_SHOWN:
                self.false_alarms.append(judged)

    def rule_hits(self, rules: Iterable[Rule]) -> dict[str, tuple[int, int]]:
        hits = {rule.id: (self._hits[True][rule.id], self._hits[False][rule.id]) for rule in rules}
        return {rule_id: (fraud, honest) for rule_id, (fraud, honest) in hits.items() if fraud or honest}

    def missed(self) -> tuple[JudgedPayment, ...]:
        return tuple(self._still_missed()[:MAX_SHOWN])

    def _keep_approved(self, judged: JudgedPayment) -> None:
        if len(self._approved_fraud) >= _MAX_APPROVED_FRAUD:
            self._not_kept += 1
            if self._not_kept % _MAX_APPROVED_FRAUD:  # all of them are checked, so not for each payment
                return
            self._approved_fraud = self._still_missed()[: _MAX_APPROVED_FRAUD - 1]
        self._approved_fraud.append(judged)

    def _still_missed(self) -> list[JudgedPayment]:
        return [each for each in self._approved_fraud if self.detection.is_missed(each.payment.truth)]
