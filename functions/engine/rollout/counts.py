"""What champion and candidate said of the same payments, counted by groups of users.

A user's payments are like each other: one attack is forty flagged payments of one user. So they are counted by groups of users, and a difference is
believed as far as the groups agree on it. One user, whatever it does, is in one group.
"""

from __future__ import annotations

from math import floor, log2
from typing import TYPE_CHECKING, Final

import msgspec

from contract.canary import is_flagged_canary
from contract.scored import Decision
from contract.side import Side
from engine.model.drift import InputCounts
from engine.rollout.changed import Changed, changed_by, merge
from engine.rollout.settled import SettledCounts, group_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.decided import Assessment, Decided

_STEPS_OF_TWO: Final = 8
"""Steps in which a time doubles: 9% each."""

BOTH, CHAMPION_ONLY, CANDIDATE_ONLY = 0, 1, 2
"""Places in the counts of one group."""

ByGroup = dict[int, list[int]]
"""Group to payments of which something is true for both sides, for the champion only, for the candidate only. Most groups have none."""


class RolloutCounts(msgspec.Struct):
    """What was counted, in a minute or in any other time; those of two times or two processes add up."""

    payments: dict[int, int] = {}
    """Group to payments; without repeats and flagged canaries."""
    alerts: ByGroup = {}
    """Reviewed or blocked."""
    blocks: ByGroup = {}
    """Blocked."""
    errors: ByGroup = {}
    """With a rule that failed."""
    champion_hits: dict[str, dict[int, int]] = {}
    """Rule to group to payments for which it holds, in whatever mode."""
    candidate_hits: dict[str, dict[int, int]] = {}
    champion_times: dict[int, int] = {}
    """Step of the time that an evaluation took to evaluations (:func:`time_step`)."""
    candidate_times: dict[int, int] = {}
    alert_cents: list[int] = msgspec.field(default_factory=lambda: [0, 0, 0])
    """Value of the payments of :attr:`alerts`, in hundredths of the base currency: of both sides, the champion only, the candidate only."""
    block_cents: list[int] = msgspec.field(default_factory=lambda: [0, 0, 0])
    """The same of :attr:`blocks`."""
    new: dict[str, Changed] = {}
    """Rule of the candidate to payments that only the candidate reviews or blocks, and for which the rule gives points."""
    lost: dict[str, Changed] = {}
    """Rule of the champion to payments that only the champion reviews or blocks."""
    inputs: InputCounts = msgspec.field(default_factory=InputCounts)
    """What a sample of the payments was like, by the bins of the champion's model."""
    settled: SettledCounts = msgspec.field(default_factory=SettledCounts)
    """Users with a past, by whom the guardrails judge; all else is for people."""

    def add(self, user_id: str, decided: Decided, event_key: str = "") -> None:
        """Count one payment.

        Parameters
        ----------
        user_id : str
            Whose payment it is.
        decided : Decided
            What was decided. Without a candidate it counts for the champion only.
        event_key : str
            Of the payment's row, for examples.
        """
        if decided.outcome.repeats or is_flagged_canary(user_id):
            return
        champion, candidate = decided.assessment, decided.other
        if candidate is not None and decided.side is Side.CANDIDATE:
            champion, candidate = candidate, champion
        self.add_both(user_id, champion, candidate, _cents(decided), event_key)

    def add_both(
        self,
        user_id: str,
        champion: Assessment,
        candidate: Assessment | None,
        cents: int,
        event_key: str = "",
    ) -> None:
        """Count what both sides say of a payment.

        Parameters
        ----------
        user_id, event_key
            As for :meth:`add`.
        champion, candidate : Assessment, Assessment | None
            None for the candidate where there is none.
        cents : int
            Its value, in hundredths of the base currency.
        """
        group = group_of(user_id)
        self.payments[group] = self.payments.get(group, 0) + 1
        for counted, value, holds in (
            (self.alerts, self.alert_cents, _is_alert),
            (self.blocks, self.block_cents, _is_block),
            (self.errors, None, _has_failed),
        ):
            place = _place(holds(champion), candidate is not None and holds(candidate))
            if place is not None:
                counted.setdefault(group, [0, 0, 0])[place] += 1
                if value is not None:
                    value[place] += cents
        if candidate is not None and _is_alert(champion) != _is_alert(candidate):
            changes, deciding = (self.lost, champion) if _is_alert(champion) else (self.new, candidate)
            changed_by(changes, deciding.reasons, champion, candidate, (user_id, event_key), cents)
        for hits, assessment in ((self.champion_hits, champion), (self.candidate_hits, candidate)):
            for rule_id in () if assessment is None else _holding(assessment):
                of_rule = hits.setdefault(rule_id, {})
                of_rule[group] = of_rule.get(group, 0) + 1

    def add_time(self, side: Side, microseconds: float) -> None:
        """Count how long one side took to evaluate a payment. Not every payment needs to be timed."""
        times = self.champion_times if side is Side.CHAMPION else self.candidate_times
        step = time_step(microseconds)
        times[step] = times.get(step, 0) + 1


def total(counts: Iterable[RolloutCounts]) -> RolloutCounts:
    """Add up what was counted at several times, or by several processes."""
    whole = RolloutCounts()
    for each in counts:
        _sum(whole.payments, each.payments)
        for sums, parts in (
            (whole.alerts, each.alerts),
            (whole.blocks, each.blocks),
            (whole.errors, each.errors),
        ):
            for group, three in parts.items():
                sums[group] = [
                    one + other for one, other in zip(sums.get(group, (0, 0, 0)), three, strict=True)
                ]
        for rules, hits in (
            (whole.champion_hits, each.champion_hits),
            (whole.candidate_hits, each.candidate_hits),
        ):
            for rule_id, by_group in hits.items():
                _sum(rules.setdefault(rule_id, {}), by_group)
        for values, parts_of in (
            (whole.alert_cents, each.alert_cents),
            (whole.block_cents, each.block_cents),
        ):
            values[:] = [one + other for one, other in zip(values, parts_of, strict=True)]
        merge(whole.new, each.new)
        merge(whole.lost, each.lost)
        whole.inputs.merge(each.inputs)
        whole.settled.merge(each.settled)
        _sum(whole.champion_times, each.champion_times)
        _sum(whole.candidate_times, each.candidate_times)
    return whole


def time_step(microseconds: float) -> int:
    """The step of a time.

    Examples
    --------
    >>> time_step(100.0), time_step(110.0)
    (53, 54)
    """
    return floor(_STEPS_OF_TWO * log2(max(microseconds, 1.0)))


def end_of_step(step: int) -> float:
    """Microseconds at which a step ends."""
    return float(2.0 ** ((step + 1) / _STEPS_OF_TWO))


def _sum(sums: dict[int, int], parts: dict[int, int]) -> None:
    for key, count in parts.items():
        sums[key] = sums.get(key, 0) + count


def _place(is_champions: bool, is_candidates: bool) -> int | None:
    if is_champions:
        return BOTH if is_candidates else CHAMPION_ONLY
    return CANDIDATE_ONLY if is_candidates else None


def _cents(decided: Decided) -> int:
    return round(100 * float(decided.features["amount_base"]))


def _is_alert(assessment: Assessment) -> bool:
    return assessment.decision is not Decision.APPROVE


def _is_block(assessment: Assessment) -> bool:
    return assessment.decision is Decision.BLOCK


def _has_failed(assessment: Assessment) -> bool:
    return bool(assessment.failed_rule_ids)


def _holding(assessment: Assessment) -> list[str]:
    return [*(reason.rule_id for reason in assessment.reasons), *assessment.shadow_rule_ids]
