"""Gives a verdict: labels first, then the end of the case where nothing is left to decide."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from console.verdicts import case_verdict, label_of
from contract.case_work import Refusal, close

if TYPE_CHECKING:
    from collections.abc import Sequence

    from console.case_reader import Changing
    from console.label_queue import LabelQueue
    from console.verdicts import Decided
    from contract.case import Case, CaseVerdict
    from contract.flagged import FlaggedTransaction


class Judged(NamedTuple):
    """The result of a verdict; the labels are sent."""

    ends: CaseVerdict | None
    """How the case ended; None where something is undecided."""
    refusal: Refusal | None
    """Why the case was not closed; None where it was, or was not to be."""


def give_verdict(
    cases: Changing,
    queue: LabelQueue,
    case: Case,
    payments: Sequence[FlaggedTransaction],
    chosen: Sequence[FlaggedTransaction],
    decided: Decided,
) -> Judged:
    """Judge payments of a case that somebody has.

    Labels go first: a case that is closed and whose labels were not sent would be a verdict that is lost. The form again sends the same
    labels.

    Parameters
    ----------
    cases : Changing
        The table of cases.
    queue : LabelQueue
        Where labels go.
    case : Case
        Claimed by who decides.
    payments : Sequence[FlaggedTransaction]
        All of the case.
    chosen : Sequence[FlaggedTransaction]
        Those that the decision is on.
    decided : Decided
        The decision.

    Raises
    ------
    LabelsNotSentError
        Where the queue did not take all labels; nothing is closed then.
    InvalidRowError, CaseContentionError, ClientError, BotoCoreError
        Where a table or the queue did not answer.
    """
    queue.send([label_of(decided, each) for each in chosen])
    ends = case_verdict(case, payments, chosen, decided.choice)
    if ends is None:
        return Judged(None, None)
    closed = cases.change(case.key, partial(close, analyst=decided.person, verdict=ends, now=decided.at))
    # The labels may have closed the case already: they say the same.
    if isinstance(closed, Refusal) and closed is not Refusal.CLOSED:
        return Judged(ends, closed)
    return Judged(ends, None)
