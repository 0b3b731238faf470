"""What each of two rulesets flags that the other does not: counts, value and examples, by rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from contract.clock import time_text
from engine.rules.ruleset import Thresholds
from lab.backtest.ranking import RankingMeasures
from lab.measures import APPROVE, DetectionReport

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contract.truth import Truth
    from engine.decided import Assessment
    from lab.backtest.deciding import JudgedPayment

EXAMPLES: Final = 3
"""At most this many a rule: those with the most money."""


class Example(msgspec.Struct, frozen=True):
    """A payment that one ruleset flags and the other does not."""

    transaction_id: str
    user_id: str
    timestamp: str
    amount: str
    """Amount and currency."""
    value: float
    """In the base currency; 0 where it is not known."""
    points: int
    other_points: int
    scenario: str | None


class Amounts(msgspec.Struct, frozen=True):
    """How many payments, how many of them fraud, and the money in each."""

    payments: int = 0
    fraud: int = 0
    value: float = 0.0
    """In the base currency; payments of unknown value are left out, as in ``fraud_value``."""
    fraud_value: float = 0.0

    def plus(self, truth: Truth) -> Amounts:
        """Count one payment more."""
        value = truth.amount_base or 0.0
        if truth.is_fraud:
            return Amounts(self.payments + 1, self.fraud + 1, self.value + value, self.fraud_value + value)
        return Amounts(self.payments + 1, self.fraud, self.value + value, self.fraud_value)


class RuleDifference(msgspec.Struct, frozen=True):
    """Payments that only one ruleset flags and for which one of its rules gave points."""

    rule_id: str
    amounts: Amounts
    examples: tuple[Example, ...]
    """Those with the most money first."""


class OnlyFlagged(msgspec.Struct, frozen=True):
    """Payments that one ruleset flags and the other does not."""

    amounts: Amounts
    by_rule: tuple[RuleDifference, ...]
    """Most payments first. A payment counts for each rule that gave points."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two rulesets over the same payments."""

    both: int
    """Payments that both flag."""
    here: OnlyFlagged
    """Flagged by the ruleset alone."""
    there: OnlyFlagged
    """Flagged alone by the one that is compared with."""
    report: DetectionReport
    """Of the one that is compared with."""
    measures: RankingMeasures
    """Of the one that is compared with."""
    thresholds: Thresholds
    """Of the one that is compared with."""


class Differences:
    """Counts payments that one of two rulesets flags alone.

    Attributes
    ----------
    both : int
        Payments that both flagged, so far.
    """

    def __init__(self) -> None:
        self.both = 0
        self._here = _Only()
        self._there = _Only()

    def count(self, judged: JudgedPayment) -> None:
        """Count one payment; one without a second decision counts nowhere."""
        if judged.against is None:
            return
        ours, theirs = judged.decided.assessment, judged.against.assessment
        is_here, is_there = ours.decision != APPROVE, theirs.decision != APPROVE
        if is_here and is_there:
            self.both += 1
        elif is_here:
            self._here.count(judged, ours, theirs)
        elif is_there:
            self._there.count(judged, theirs, ours)

    def compared(
        self, report: DetectionReport, measures: RankingMeasures, thresholds: Thresholds
    ) -> Comparison:
        """Give the comparison, with the figures of the ruleset that is compared with."""
        return Comparison(
            both=self.both,
            here=self._here.result(),
            there=self._there.result(),
            report=report,
            measures=measures,
            thresholds=thresholds,
        )


class _Only:
    def __init__(self) -> None:
        self._amounts = Amounts()
        self._by_rule: dict[str, RuleDifference] = {}

    def count(self, judged: JudgedPayment, flagging: Assessment, other: Assessment) -> None:
        truth = judged.payment.truth
        self._amounts = self._amounts.plus(truth)
        example = _example(judged, flagging.points, other.points)
        for reason in flagging.reasons:
            if reason.points > 0:
                before = self._by_rule.get(reason.rule_id) or RuleDifference(reason.rule_id, Amounts(), ())
                self._by_rule[reason.rule_id] = RuleDifference(
                    reason.rule_id, before.amounts.plus(truth), _with(before.examples, example)
                )

    def result(self) -> OnlyFlagged:
        by_rule = sorted(self._by_rule.values(), key=lambda each: (-each.amounts.payments, each.rule_id))
        return OnlyFlagged(self._amounts, tuple(by_rule))


def _with(examples: Iterable[Example], example: Example) -> tuple[Example, ...]:
    return tuple(sorted((*examples, example), key=lambda each: -each.value)[:EXAMPLES])


def _example(judged: JudgedPayment, points: int, other_points: int) -> Example:
    transaction, truth = judged.transaction, judged.payment.truth
    return Example(
        transaction_id=transaction.transaction_id,
        user_id=transaction.user_id,
        timestamp=time_text(transaction.timestamp),
        amount=f"{transaction.amount:,f} {transaction.currency}",
        value=truth.amount_base or 0.0,
        points=points,
        other_points=other_points,
        scenario=truth.scenario,
    )
