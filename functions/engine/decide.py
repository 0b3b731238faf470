"""From features and a ruleset to a decision. Pure: no clock, no store, no logger; the same input gives the same verdict.

Live scoring, shadow rules, replay of history and backtests all come through :func:`is_fraudulent`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from contract.scored import Decision, FeatureValue, Reason
from engine.rules.reasons import sentence
from engine.rules.ruleset import MAX_SCORE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contract.transaction import Transaction
    from engine.rules.ruleset import Ruleset, Thresholds


class Verdict(msgspec.Struct, frozen=True):
    """What was decided about one payment, and why."""

    risk_score: int
    """0 to 100: the points of the live rules that hold, added up, then held to that range."""
    decision: Decision
    reasons: tuple[Reason, ...]
    """One for each live rule that holds, most points first, then by rule id; negative points speak for the payment."""
    shadow_rule_ids: tuple[str, ...]
    """Shadow rules that hold, sorted."""
    failed_rule_ids: tuple[str, ...]
    """Rules that could not be evaluated, sorted; they gave no points."""


_QUIET: Final = Verdict(0, Decision.APPROVE, (), (), ())
"""The verdict on nearly every payment: nothing holds, and no threshold is 0."""


def is_fraudulent(
    features: Mapping[str, FeatureValue], transaction: Transaction, ruleset: Ruleset
) -> Verdict:
    """Decide about one payment.

    Parameters
    ----------
    features : Mapping[str, FeatureValue]
        Every feature of the catalogue, by name.
    transaction : Transaction
        The payment; its ids are looked up in the ruleset's lists as of its own event time.
    ruleset : Ruleset
        The rules and thresholds.

    Returns
    -------
    Verdict
        A function of the three arguments alone.
    """
    matches = ruleset.matches(features, transaction)
    if not matches.rules and not matches.failed_rule_ids:
        return _QUIET
    live = sorted(
        (rule for rule in matches.rules if rule.mode == "live"), key=lambda rule: (-rule.points, rule.id)
    )
    risk_score = min(max(sum(rule.points for rule in live), 0), MAX_SCORE)
    return Verdict(
        risk_score=risk_score,
        decision=_decision(risk_score, ruleset.thresholds),
        reasons=tuple(
            Reason(rule.id, rule.points, sentence(rule.reason, features, ruleset.base_currency))
            for rule in live
        ),
        shadow_rule_ids=tuple(sorted(rule.id for rule in matches.rules if rule.mode == "shadow")),
        failed_rule_ids=tuple(sorted(matches.failed_rule_ids)),
    )


def _decision(risk_score: int, thresholds: Thresholds) -> Decision:
    if risk_score >= thresholds.block:
        return Decision.BLOCK
    if risk_score >= thresholds.review:
        return Decision.REVIEW
    return Decision.APPROVE
