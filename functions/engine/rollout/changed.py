"""What a candidate flags and its champion does not, and the other way round: by rule, with value and examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from contract.scored import Decision

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contract.reason import Reason
    from engine.decided import Assessment

MAX_EXAMPLES: Final = 5
"""Payments that are named for each rule, the latest ones."""


class Example(msgspec.Struct, frozen=True, array_like=True):
    """One payment on which the sides do not agree."""

    user_id: str
    event_key: str
    """With the user, the key of its row."""
    cents: int
    """Its worth, in hundredths of the base currency."""
    champion: Decision
    champion_score: int
    candidate: Decision
    candidate_score: int


class Changed(msgspec.Struct):
    """Payments that one side flags by a rule, and the other side does not flag."""

    payments: int = 0
    cents: int = 0
    """Their value, in hundredths of the base currency."""
    examples: list[Example] = []
    """The latest payments, the last one last."""


def changed_by(
    changes: dict[str, Changed],
    reasons: Sequence[Reason],
    champion: Assessment,
    candidate: Assessment,
    key: tuple[str, str],
    cents: int,
) -> None:
    """Count a payment for each reason of the side that flags it.

    Parameters
    ----------
    changes : dict[str, Changed]
        By rule; gets the payment.
    reasons : Sequence[Reason]
        Of the side that flags it; those that speak for the payment are left out.
    champion, candidate : Assessment
        What both sides say.
    key : tuple[str, str]
        User and key of the payment's row.
    cents : int
        Its worth, in hundredths of the base currency.
    """
    example = Example(
        *key, cents, champion.decision, champion.risk_score, candidate.decision, candidate.risk_score
    )
    for reason in reasons:
        if reason.points > 0:
            _add(changes.setdefault(reason.rule_id, Changed()), 1, cents, (example,))


def merge(whole: dict[str, Changed], part: Mapping[str, Changed]) -> None:
    """Add what was counted later."""
    for rule_id, changed in part.items():
        _add(whole.setdefault(rule_id, Changed()), changed.payments, changed.cents, changed.examples)


def _add(changed: Changed, payments: int, cents: int, examples: Sequence[Example]) -> None:
    changed.payments += payments
    changed.cents += cents
    # By time, so that it does not matter in which order processes are added up.
    together = sorted(
        (*changed.examples, *examples), key=lambda example: (example.event_key, example.user_id)
    )
    changed.examples = together[-MAX_EXAMPLES:]
