"""View model of a decision that was made again, beside the one that is stored. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from common.sanitizing import printable
from console.masking import MAX_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contract.reason import Reason
    from contract.replayed import ReplayAnswer, ReplayedDecision
    from contract.scored import FeatureValue, OtherVerdict, ScoredTransaction

_PROBABILITY: Final = "fraud_probability"
_NOTHING: Final = "none"


class ComparedRow(msgspec.Struct, frozen=True):
    """A part of a decision, as it is stored, and as it follows from the row."""

    name: str
    stored: str
    computed: str
    differs: bool


class ReplayView(msgspec.Struct, frozen=True):
    """A decision that was made again."""

    summary: str
    rows: tuple[ComparedRow, ...]
    """Empty where it could not be made again."""


def replay_view(
    row: ScoredTransaction, features: Mapping[str, FeatureValue], answer: ReplayAnswer
) -> ReplayView:
    """Show a decision beside itself.

    Parameters
    ----------
    row : ScoredTransaction
        As stored.
    features : Mapping[str, FeatureValue]
        The row's, by name.
    answer : ReplayAnswer
        Of the replay function.
    """
    made = answer.decision
    if made is None:
        return ReplayView(f"It cannot be made again. {printable(answer.why_not, MAX_CHARACTERS)}", ())
    return ReplayView(_summary(made), tuple(_rows(row, features, made)))


def _summary(made: ReplayedDecision) -> str:
    rules = f"ruleset {printable(made.ruleset, MAX_CHARACTERS)}"
    model = f" and model {made.model[:12]}" if made.model else ", which has no model"
    if not made.differences:
        return f"Made again from its row by {rules}{model}: everything is the same."
    names = ", ".join(each.name.replace("_", " ") for each in made.differences)
    return f"Made again from its row by {rules}{model}: not the same are {names}."


def _rows(
    row: ScoredTransaction, features: Mapping[str, FeatureValue], made: ReplayedDecision
) -> list[ComparedRow]:
    differing = {each.name for each in made.differences}
    stored_probability = float(features.get(_PROBABILITY, 0.0))
    pairs = [
        ("decision", "Decision", row.decision.value, made.decision.value),
        ("risk_score", "Score", str(row.risk_score), str(made.risk_score)),
        ("reasons", "Points by rule", _points(row.reasons), _points(made.reasons)),
        (_PROBABILITY, "Fraud probability", f"{stored_probability:.2%}", f"{made.fraud_probability:.2%}"),
        (
            "shadow_rule_ids",
            "Shadow rules that hold",
            _names(row.shadow_rule_ids),
            _names(made.shadow_rule_ids),
        ),
        ("failed_rule_ids", "Rules that failed", _names(row.failed_rule_ids), _names(made.failed_rule_ids)),
        ("side", "Decided by", row.side.value, made.side.value),
        ("other", "The other side says", _other(row.other), _other(made.other)),
    ]
    always = {"decision", "risk_score", "reasons"}
    return [
        ComparedRow(title, stored, computed, name in differing)
        for name, title, stored, computed in pairs
        if name in differing or name in always or stored != _NOTHING
    ]


def _points(reasons: Sequence[Reason]) -> str:
    return ", ".join(f"{each.rule_id} {each.points:+d}" for each in reasons) or _NOTHING


def _names(rule_ids: Sequence[str]) -> str:
    return ", ".join(rule_ids) or _NOTHING


def _other(other: OtherVerdict | None) -> str:
    return _NOTHING if other is None else f"{other.decision.value}, {other.risk_score}"
