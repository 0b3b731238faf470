"""What a stored row says about how its payment is folded. A rebuild, a redelivery and a second writer fold rows alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from contract.scored import Decision
from contract.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contract.scored import ScoredTransaction


class Lessons(msgspec.Struct, frozen=True):
    """What a user's earlier payments teach as of one payment, before it is decided."""

    releases: tuple[int, ...] = ()
    """Key hashes of reviewed payments that nobody called fraud in time: from now on they teach what is normal."""
    verdicts: tuple[Verdict, ...] = ()
    """Verdicts of people that were not applied before."""


NO_LESSONS: Final = Lessons()

_DECISION_NUMBERS: Final = {Decision.APPROVE: 0, Decision.REVIEW: 1, Decision.BLOCK: 2}
DECISIONS: Final[tuple[Decision, ...]] = (*_DECISION_NUMBERS, Decision.REVIEW, Decision.BLOCK)
"""Decision by its number. Profiles store the numbers. The last two are those of payments that somebody called legitimate since (:mod:`engine.profile.stops`)."""


class Outcome(msgspec.Struct, frozen=True):
    """The part of a row that its fold uses."""

    decision: Decision
    risk_score: int = 0
    repeats: int = 0
    """Key hash of the payment that this one repeats; 0 for a payment of its own. A repeat is not counted and teaches nothing."""
    lessons: Lessons = NO_LESSONS
    is_place_doubted: bool = False
    """The payment does not say where the user is, even if it was approved."""

    @classmethod
    def of(cls, row: ScoredTransaction) -> Outcome:
        """What ``row`` says."""
        has_lessons = row.releases or row.verdicts
        lessons = Lessons(row.releases, row.verdicts) if has_lessons else NO_LESSONS
        return cls(row.decision, row.risk_score, row.repeats, lessons, row.is_place_doubted)


def decision_number(decision: Decision) -> int:
    """Place of a decision in :data:`DECISIONS`."""
    return _DECISION_NUMBERS[decision]


class Repeated(msgspec.Struct, frozen=True):
    """What a profile knows of a payment that is sent again under another time."""

    key_hash: int
    decision: Decision
    risk_score: int


def new_verdicts(verdicts: Sequence[Verdict], applied: Sequence[int]) -> tuple[Verdict, ...]:
    """Those of ``verdicts`` whose hashes are not among ``applied``, in their order."""
    return tuple(verdict for verdict in verdicts if verdict.verdict_hash not in applied)
