"""What people do with a case: claim, release, reassign, skip, close, and undo. Pure: a case and the clock in, the changed case or a refusal out.

A result is the next version, to be written over the one from which it was made. A step that was made already, by the same person at the
same time, gives the case as it is: after a lost answer the caller tries again, and finds its own write.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import msgspec

from contract.case import MAX_SKIPS, Case, CaseStatus, CaseVerdict, Handover, SecondLook, Skip
from contract.case_outcome import verdict_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from contract.case import QueuedCase
    from contract.case_decision import CaseDecision
    from contract.case_outcome import Release

LEASE: Final = timedelta(minutes=15)
"""How long a case is somebody's after the latest thing that this person did with it."""

SKIP_HOLDS: Final = timedelta(hours=8)
"""How long the queue does not offer a case to somebody who has skipped it: a shift."""

UNDO: Final = timedelta(seconds=10)
"""How long somebody can undo what they have decided."""


class Refusal(StrEnum):
    """Why a step was not made."""

    TAKEN = "taken"
    """Somebody else works on the case."""
    NOT_CLAIMED = "not_claimed"
    """The person does not work on it, or not any more."""
    CLOSED = "closed"
    """It is closed already."""
    TOO_LATE = "too_late"
    """What is to be undone was done too long ago, or somebody else did it."""
    SUPERSEDED = "superseded"
    """The user has a newer case, so this one stays closed."""
    GONE = "gone"
    """There is no such case any more."""
    MOVED = "moved"
    """A payment is not in the case, or not any more."""
    OTHER_DECISION = "other_decision"
    """The same form was sent before, and said something else."""
    UNDONE = "undone"
    """The same form was sent before, and what it said was undone."""
    NOT_DUE = "not_due"
    """No second person is to look at the case, or one has."""
    SAME_PERSON = "same_person"
    """Who has decided on a case is not its second person."""
    CHANGED = "changed"
    """More was called legitimate in the case since somebody has looked at it."""


def holder(case: Case | QueuedCase, now: datetime) -> str | None:
    """Who works on a case; None where nobody does, or the lease has ended."""
    if case.status is not CaseStatus.CLAIMED or case.lease_until is None or case.lease_until <= now:
        return None
    return case.assignee


def is_offered(case: Case | QueuedCase, analyst: str, now: datetime) -> bool:
    """Whether the queue offers a case to somebody: nobody works on it, something is to be decided, and this person has not skipped it."""
    if case.status is CaseStatus.CLOSED or holder(case, now) is not None or is_left_decided(case, now):
        return False
    return not any(skip.analyst == analyst and now < skip.until for skip in case.skips)


def is_left_decided(case: Case | QueuedCase, now: datetime) -> bool:
    """Whether a case is not closed though nothing in it is undecided and nobody works on it: somebody has left it whose decision was withdrawn."""
    return case.status is not CaseStatus.CLOSED and not case.undecided.payments and holder(case, now) is None


def end_decided(case: Case, now: datetime) -> Case | Refusal:
    """Close a case that :func:`is_left_decided`, as its labels say and as its last person would have by :func:`release`; ``not_due`` for another."""
    return _released(case, now) if is_left_decided(case, now) else Refusal.NOT_DUE


def claim(case: Case, analyst: str, now: datetime) -> Case | Refusal:
    """Take a case for :data:`LEASE`, or keep it for as long again.

    Parameters
    ----------
    case : Case
        As it is stored.
    analyst : str
        Who takes it. Somebody who has skipped it may take it by name; only the queue does not offer it.
    now : datetime
        The clock, UTC.

    Returns
    -------
    Case | Refusal
        ``closed``, or ``taken`` by somebody else.
    """
    if case.is_closed:
        return Refusal.CLOSED
    if holder(case, now) not in {None, analyst}:
        return Refusal.TAKEN
    return _claimed(case, analyst, now)


def release(case: Case, analyst: str, reason: str, now: datetime) -> Case | Refusal:
    """Give a case back to the queue; ``closed``, ``taken`` or ``not_claimed`` where it is not this person's.

    Where labels of others decide on all of its payments, it is closed as they say: the queue has nothing to offer.
    """
    handover = Handover(analyst, now, reason)
    if case.status is not CaseStatus.CLAIMED and case.handover == handover:
        return case
    return _not_held(case, analyst, now) or _released(case, now, handover=handover)


def reassign(case: Case, by: str, to: str, reason: str, now: datetime) -> Case | Refusal:
    """Give a case to somebody else, whoever has it; refused where it is closed. Whether ``by`` may do so is the caller's question."""
    if case.is_closed:
        return Refusal.CLOSED
    return _claimed(case, to, now, handover=Handover(by, now, reason))


def skip(case: Case, analyst: str, now: datetime) -> Case | Refusal:
    """Give a case back as by :func:`release`, and do not get it again from the queue for :data:`SKIP_HOLDS`."""
    wanted = Skip(analyst, now + SKIP_HOLDS)
    if case.status is not CaseStatus.CLAIMED and wanted in case.skips:
        return case
    refusal = _not_held(case, analyst, now)
    if refusal is not None:
        return refusal
    valid = [each for each in case.skips if now < each.until and each.analyst != analyst]
    return _released(case, now, skips=(*valid, wanted)[-MAX_SKIPS:])


def keep(case: Case, analyst: str, now: datetime) -> Case | Refusal:
    """Go on with a case, for :data:`LEASE` from now; refused where it is not this person's."""
    return _not_held(case, analyst, now) or _claimed(case, analyst, now)


def with_decision(
    case: Case, analyst: str, released: Release | None, now: datetime, *, is_contest_left: bool = False
) -> Case:
    """Note in a case that somebody decides on it; the version stays.

    Parameters
    ----------
    case : Case
        The version that is to be written with the decision.
    analyst : str
        Who decides, and is not the second person of this case from then on.
    released : Release | None
        What is called legitimate in all, where a second person is to look at it. Who has agreed before has not seen this decision,
        so the look is due again. None leaves a look that is due as it is, but for one that is contested.
    now : datetime
        The clock, UTC.
    is_contest_left : bool
        Of :func:`contract.case_outcome.is_contest_left`: a contested look ends once everything is decided anew.
    """
    look = case.second_look
    if released is not None:
        others, since = released.others, now
        if look is not None and look.is_due:
            others, since = others.union(look.others), look.since
        look = SecondLook(since, released.total, others=tuple(sorted(others)), version=case.version)
    elif look is not None and look.is_contested and not is_contest_left:
        look = None
    return msgspec.structs.replace(
        case, decided_by=tuple(sorted({*case.decided_by, analyst})), second_look=look
    )


def close(case: Case, analyst: str, verdict: CaseVerdict, now: datetime) -> Case | Refusal:
    """End a case by a verdict; refused where it is not this person's. Its labels are sent by the caller.

    A case that labels have closed meanwhile is refused as ``closed``; so is one that somebody else has closed.
    """
    if (case.closed_by, case.closed_at, case.verdict) == (analyst, now, verdict):
        return case
    refusal = _not_held(case, analyst, now)
    if refusal is not None:
        return refusal
    return _next(
        case,
        status=CaseStatus.CLOSED,
        verdict=verdict,
        closed_at=now,
        closed_by=analyst,
        assignee=None,
        lease_until=None,
    )


def undo(
    case: Case, decision: CaseDecision, others: Collection[CaseDecision], analyst: str, now: datetime
) -> Case | Refusal:
    """Take a decision back, within :data:`UNDO`, by whoever made it. A case that is closed since is this person's again.

    The write of a case that is open again demands that the user has no newer one, else it is ``superseded``: only the newest may be open.

    Parameters
    ----------
    case : Case
        As it is stored.
    decision : CaseDecision
        One that is undone already gives the case as it is.
    others : Collection[CaseDecision]
        The other decisions that hold. A case stays closed where they decide on all of this decision's payments.
    analyst : str
        Who takes it back.
    now : datetime
        The clock, UTC.

    Returns
    -------
    Case | Refusal
        ``too_late``, also for what somebody else decided. A case that somebody else has closed, or has now, stays so.
    """
    if decision.undone_at is not None:
        return case
    if decision.analyst != analyst or now - decision.decided_at > UNDO:
        return Refusal.TOO_LATE
    # A look stays due: what is undone may have been seen and used.
    look = case.second_look or decision.ended_look
    decided = frozenset[str]().union(*(one.event_keys for one in others))
    if case.is_closed and case.closed_by in {None, analyst} and not decision.event_keys <= decided:
        return _reopened(case, analyst, now, second_look=look)
    # A newer version all the same: who decides meanwhile must not count what is undone.
    return _next(case, second_look=look)


def agree(case: Case, analyst: str, version: int, now: datetime) -> Case | Refusal:
    """Say as a second person that a case was decided rightly; refused where none is due, or to whoever has decided on it.

    Parameters
    ----------
    case : Case
        As it is stored.
    analyst : str
        Who agrees.
    version : int
        Of the second look that this person has seen: nobody agrees to what was released since.
    now : datetime
        The clock, UTC.

    Returns
    -------
    Case | Refusal
        ``not_due``, ``same_person``, or ``changed`` where something was released since.
    """
    look = case.second_look
    if look is None:
        return Refusal.NOT_DUE
    agreed = msgspec.structs.replace(look, by=analyst, at=now)
    if look == agreed:
        return case
    if not case.is_look_due:
        return Refusal.NOT_DUE
    refusal = _decided_on(case, analyst)
    if refusal is None and look.version != version:
        return Refusal.CHANGED
    return refusal or _next(case, second_look=agreed)


def is_contestable(case: Case) -> bool:
    """Whether somebody who has not decided on a case may take it over: a look is due, or people have closed it and released something."""
    is_released = case.verdict is not CaseVerdict.FRAUD or bool(case.legitimate.payments)
    return case.is_look_due or (case.is_closed and is_released and bool(case.decided_by))


def contest(
    case: Case,
    others: Collection[CaseDecision],
    analyst: str,
    reason: str,
    now: datetime,
    *,
    is_begun: bool = False,
) -> Case | Refusal:
    """Take a case over as a second person, who decides anew. The caller withdraws its releases, decision by decision.

    A look stays in the case until everything is decided anew: the label of somebody else may release the same payments.

    A contest that has begun and did not end goes on, whatever reason is given now: also of somebody else, once nobody works on the case.

    Parameters
    ----------
    case : Case
        As it is stored.
    others : Collection[CaseDecision]
        The decisions that hold still when this one is withdrawn. A look stays due as long as one of them releases something.
    analyst : str
        Who contests it.
    reason : str
        For whoever has it next.
    now : datetime
        The clock, UTC.
    is_begun : bool
        Whether another decision of the case was withdrawn so before.

    Returns
    -------
    Case | Refusal
        ``not_due`` where :func:`is_contestable` says no, ``same_person`` for whoever has decided on it, ``taken`` where somebody else works on what is contested already.
    """
    had, look = case.handover, _contested_look(case, others)
    if is_begun and not case.is_closed:
        if holder(case, now) not in {None, analyst}:
            return Refusal.TAKEN
        return _claimed(case, analyst, now, handover=Handover(analyst, now, reason), second_look=look)
    if holder(case, now) == analyst and had is not None and (had.by, had.reason) == (analyst, reason):
        return _next(case, second_look=look)  # taken over with another of its decisions
    if not is_contestable(case):
        return Refusal.NOT_DUE
    refusal = _decided_on(case, analyst)
    return refusal or _reopened(case, analyst, now, handover=Handover(analyst, now, reason), second_look=look)


def stay_closed(case: Case, look: SecondLook | None) -> Case:
    """Leave a case closed of which a decision is undone, since the user has a newer one, where its undecided payments will be.

    Parameters
    ----------
    case : Case
        As it is stored, perhaps counted anew.
    look : SecondLook | None
        What it would have if it were open again.
    """
    return _next(case, second_look=look)


def _not_held(case: Case, analyst: str, now: datetime) -> Refusal | None:
    """Whether the case is not this person's. It still is after the lease, as long as nobody else has taken it."""
    if case.is_closed:
        return Refusal.CLOSED
    if case.status is CaseStatus.CLAIMED and case.assignee == analyst:
        return None
    return Refusal.NOT_CLAIMED if holder(case, now) is None else Refusal.TAKEN


def _decided_on(case: Case, analyst: str) -> Refusal | None:
    """Whether this person cannot be the second one of a case."""
    return Refusal.SAME_PERSON if analyst in case.deciders else None


def _contested_look(case: Case, holding: Collection[CaseDecision]) -> SecondLook | None:
    """The second look of a case that somebody takes over: due as before while one of these decisions releases something."""
    look = case.second_look
    if look is None or any(one.is_release for one in holding):
        return look
    return msgspec.structs.replace(look, by=None, at=None, is_contested=True)


def _reopened(case: Case, analyst: str, now: datetime, **changes: object) -> Case:
    return _claimed(case, analyst, now, verdict=None, closed_at=None, closed_by=None, **changes)


def _claimed(case: Case, analyst: str, now: datetime, **changes: object) -> Case:
    return _next(case, status=CaseStatus.CLAIMED, assignee=analyst, lease_until=now + LEASE, **changes)


def _released(case: Case, now: datetime, **changes: object) -> Case:
    changes |= {"assignee": None, "lease_until": None}
    if case.undecided.payments:
        return _next(case, status=CaseStatus.OPEN, **changes)
    # A decision was withdrawn, and other labels say what its payments are: no record of the stream will close the case.
    verdict = verdict_of(case.fraud.payments, case.legitimate.payments)
    return _next(case, status=CaseStatus.CLOSED, verdict=verdict, closed_at=now, **changes)


def _next(case: Case, **changes: object) -> Case:
    return msgspec.structs.replace(case, version=case.version + 1, **changes)
