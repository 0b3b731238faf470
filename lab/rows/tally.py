"""What a backtest of stored rows counts: each worker counts its own rows, and the counts are added up, in any order, to the same sum.

Nothing is kept of a payment that no side flags but its user and its day.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from contract.clock import time_text
from contract.scored import Decision
from contract.side import Side as RulesetSide
from lab.alerts import THRESHOLDS
from lab.rows.truth import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contract.scored import ScoredTransaction
    from engine.decided import Assessment
    from lab.rows.judged import JudgedRow

EXAMPLES: Final = 3
"""At most so many a rule: those with the most money."""

_MS_PER_DAY: Final = 86_400_000

KeyT = TypeVar("KeyT", int, str)


class Amounts(msgspec.Struct):
    """How many payments, how many of them fraud or not known, and the money in them; the money in ten-thousandths of the base currency."""

    payments: int = 0
    fraud: int = 0
    unknown: int = 0
    value: int = 0
    fraud_value: int = 0

    def count(self, finding: Finding, value: int) -> None:
        """Count one payment."""
        self.payments += 1
        self.value += value
        if finding is Finding.FRAUD:
            self.fraud += 1
            self.fraud_value += value
        elif finding is Finding.UNKNOWN:
            self.unknown += 1

    def add(self, other: Amounts) -> None:
        """Add what another one has counted."""
        self.payments += other.payments
        self.fraud += other.fraud
        self.unknown += other.unknown
        self.value += other.value
        self.fraud_value += other.fraud_value


class Example(msgspec.Struct, frozen=True, order=True):
    """A payment that one side flags and the other does not."""

    value: int
    transaction_id: str
    user_id: str
    timestamp: str
    amount: str
    """Amount and currency."""
    score: int
    """The points of the side that flags it, or its stored score."""
    other_score: int
    finding: int


class RuleDifference(msgspec.Struct):
    """Payments that one side flags alone, and for which one of its rules gave points."""

    amounts: Amounts = msgspec.field(default_factory=Amounts)
    examples: list[Example] = []

    def add(self, amounts: Amounts, examples: Iterable[Example]) -> None:
        """Add payments; of the examples those with the most money are kept."""
        self.amounts.add(amounts)
        self.examples = sorted([*self.examples, *examples], reverse=True)[:EXAMPLES]


class Side(msgspec.Struct):
    """The decisions of one side: those that are stored, or those of the rules that decide again."""

    scores: dict[int, Amounts] = {}
    """By points, or by stored score."""
    flagged: Amounts = msgspec.field(default_factory=Amounts)
    """What was decided to be reviewed or blocked."""
    rules: dict[str, Amounts] = {}
    """By rule, shadow rules too, or ``model``: the payments for which it held."""
    only: Amounts = msgspec.field(default_factory=Amounts)
    """Payments that this side flags alone."""
    only_by_rule: dict[str, RuleDifference] = {}
    alerts: list[tuple[int, int, int]] = []
    """Hash of the user, time (ms since the epoch) and score of each payment that is flagged, and of of each with so many points that a threshold of the curve flags it."""

    def count(
        self, assessment: Assessment, user: int, at_ms: int, finding: Finding, value: int, least: float = inf
    ) -> None:
        """Count one payment; from ``least`` points on it is kept for the alerts even if it is not flagged."""
        score = assessment.points
        _of(self.scores, score).count(finding, value)
        is_flagged = assessment.decision is not Decision.APPROVE
        if is_flagged:
            self.flagged.count(finding, value)
        if is_flagged or score >= least:
            self.alerts.append((user, at_ms, score))
        for rule_id in rule_ids(assessment):
            _of(self.rules, rule_id).count(finding, value)

    def count_only(self, assessment: Assessment, example: Example, finding: Finding) -> None:
        """Count a payment that the other side does not flag."""
        self.only.count(finding, example.value)
        one = Amounts()
        one.count(finding, example.value)
        speaking = {reason.rule_id.partition(".")[0] for reason in assessment.reasons if reason.points > 0}
        for rule_id in speaking:
            self.only_by_rule.setdefault(rule_id, RuleDifference()).add(one, [example])

    def add(self, other: Side) -> None:
        """Add what another one has counted."""
        self.flagged.add(other.flagged)
        self.only.add(other.only)
        _add(self.scores, other.scores)
        _add(self.rules, other.rules)
        for rule_id, difference in other.only_by_rule.items():
            self.only_by_rule.setdefault(rule_id, RuleDifference()).add(
                difference.amounts, difference.examples
            )
        self.alerts += other.alerts


class RowsTally(msgspec.Struct):
    """All that is counted."""

    rows: int = 0
    """Lines that were read."""
    unreadable: dict[str, int] = {}
    """Rows on which nothing is decided, by what is wrong with them."""
    first_unreadable: str = ""
    """The first of them in the order of their texts: file, and what is wrong."""
    repeats: int = 0
    """Rows that repeat a payment, which counts once."""
    canaries: int = 0
    all: Amounts = msgspec.field(default_factory=Amounts)
    """Every payment on which is decided."""
    changes: dict[str, Amounts] = {}
    """``<stored decision> <decision>`` to payments."""
    feature_sets: dict[str, int] = {}
    rulesets: dict[str, int] = {}
    """What decided then: stored version, and whether its candidate did, to payments."""
    base_currencies: dict[str, int] = {}
    """Of the rows that name theirs: those that were flagged."""
    both: int = 0
    """Payments that both sides flag."""
    stored: Side = msgspec.field(default_factory=Side)
    again: Side = msgspec.field(default_factory=Side)
    days: set[int] = set()
    """UTC days that have a payment, since the epoch."""
    users: set[int] = set()
    """Hashes of users."""

    def refuse(self, problem: str, place: str) -> None:
        """Count a row on which nothing can be decided."""
        self.unreadable[problem] = self.unreadable.get(problem, 0) + 1
        first = f"{place}: {problem}"
        self.first_unreadable = min(self.first_unreadable or first, first)

    def count(self, judged: JudgedRow) -> None:
        """Count a payment on which was decided again."""
        row, finding, value = judged.row, judged.finding, judged.value
        user, at_ms = judged.user_hash, judged.again.times.at_ms
        stored, again = judged.stored, judged.again.assessment
        self.all.count(finding, value)
        _of(self.changes, f"{stored.decision.value} {again.decision.value}").count(finding, value)
        _increment(self.feature_sets, row.feature_set)
        _increment(self.rulesets, decided_by(row))
        if row.base_currency is not None:
            _increment(self.base_currencies, row.base_currency)
        self.days.add(at_ms // _MS_PER_DAY)
        self.users.add(user)
        self.stored.count(stored, user, at_ms, finding, value)
        self.again.count(again, user, at_ms, finding, value, THRESHOLDS.start)
        was_flagged, is_flagged = (each.decision is not Decision.APPROVE for each in (stored, again))
        if was_flagged and is_flagged:
            self.both += 1
        elif was_flagged:
            self.stored.count_only(stored, _example(judged, stored, again), finding)
        elif is_flagged:
            self.again.count_only(again, _example(judged, again, stored), finding)

    def add(self, other: RowsTally) -> None:
        """Add what another one has counted."""
        self.rows += other.rows
        self.repeats += other.repeats
        self.canaries += other.canaries
        self.both += other.both
        firsts = [each.first_unreadable for each in (self, other) if each.first_unreadable]
        self.first_unreadable = min(firsts, default="")
        self.all.add(other.all)
        _add(self.changes, other.changes)
        for own, others in (
            (self.unreadable, other.unreadable),
            (self.feature_sets, other.feature_sets),
            (self.rulesets, other.rulesets),
            (self.base_currencies, other.base_currencies),
        ):
            for name, count in others.items():
                own[name] = own.get(name, 0) + count
        self.stored.add(other.stored)
        self.again.add(other.again)
        self.days |= other.days
        self.users |= other.users

    def to_bytes(self) -> bytes:
        """Pack it, to be sent to the driver."""
        return _ENCODER.encode(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> RowsTally:
        """Read what :meth:`to_bytes` wrote."""
        return _DECODER.decode(data)


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(RowsTally)


def decided_by(row: ScoredTransaction) -> str:
    """What decided about a stored payment, in words: a ruleset's stored version, or the candidate of that ruleset."""
    return f"{row.ruleset_version}{', candidate' if row.side is RulesetSide.CANDIDATE else ''}"


def rule_ids(assessment: Assessment) -> set[str]:
    """The rules that held, shadow rules too; all terms of a model are one."""
    return {reason.rule_id.partition(".")[0] for reason in assessment.reasons} | {*assessment.shadow_rule_ids}


def _example(judged: JudgedRow, flagging: Assessment, other: Assessment) -> Example:
    transaction = judged.row.transaction
    return Example(
        judged.value,
        transaction.transaction_id,
        transaction.user_id,
        time_text(transaction.timestamp),
        f"{transaction.amount:,f} {transaction.currency}",
        flagging.points,
        other.points,
        judged.finding,
    )


def _of(counts: dict[KeyT, Amounts], key: KeyT) -> Amounts:
    found = counts.get(key)
    if found is None:
        found = counts[key] = Amounts()
    return found


def _add(own: dict[KeyT, Amounts], others: dict[KeyT, Amounts]) -> None:
    for key, amounts in others.items():
        _of(own, key).add(amounts)


def _increment(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1
