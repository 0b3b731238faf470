"""Makes a user's cases anew from what the payments' marks and people's decisions say: after a restore, each may be of another time. Pure.

Every record of the stream keeps a case equal to the marks of its payments, and no record can find that it is not. So the reconciler asks for this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from case.fold import UserCases, counted, is_placed, next_version, with_alert, with_payment, with_status
from contract.case import Case, CaseStatus, Judgement, Tally, alert_link
from contract.case_outcome import awaited_keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from contract.case_decision import CaseDecision
    from contract.case_limits import CaseLimits
    from contract.flagged import FlaggedKey, FlaggedTransaction


class UserRows(NamedTuple):
    """All that is stored of a user."""

    cases: Sequence[Case]
    """By number; read before the rows, so that whoever changes a row's marks meanwhile has changed the version of its case."""
    rows: Sequence[FlaggedTransaction]
    decisions: Mapping[str, Sequence[CaseDecision]]
    """Case id to what people decided on it, read after the cases, as are the rows."""


class Recount(NamedTuple):
    """A case as the marks of its payments say."""

    before: Case
    after: Case
    """The next version; the same one where the case is right."""
    links: tuple[str, ...]
    """Entities and alerts that must be linked to it."""

    @property
    def is_reopened(self) -> bool:
        """Whether it is open again: then no newer one may exist."""
        return self.before.is_closed and not self.after.is_closed


def recounts(stored: UserRows, limits: CaseLimits, now: datetime) -> list[Recount]:
    """Count all cases of a user, in the order of their numbers.

    Parameters
    ----------
    stored : UserRows
        All of the user's.
    limits : CaseLimits
        When a case is urgent.
    now : datetime
        The clock, UTC.

    Returns
    -------
    list[Recount]
        One for each case. A case that a person has closed stays closed while labels may be on their way for all that is undecided in it. Where
        no decision that holds names an undecided payment, nothing will ever decide on it: the case opens again if it is the newest. Of an older one
        :func:`misplaced` names the payment, which moves.
    """
    found = []
    for case in stored.cases:
        rows = [row for row in stored.rows if row.case_id == case.case_id]
        made = stored.decisions.get(case.case_id, ())
        awaited = awaited_keys(made, now)
        after = _counted_anew(case, rows)
        # Who has decided is not the second person, of a case that was restored to before the decision neither.
        deciders = {*case.decided_by, *(decision.analyst for decision in made)}
        after = msgspec.structs.replace(after, decided_by=tuple(sorted(deciders)))
        if rows:
            is_newest = case is stored.cases[-1]
            is_left_open = any(_is_left_open(row, case, awaited) for row in rows)
            after = _reopened(after) if is_newest and is_left_open else with_status(after, now)
        after = next_version(after, limits, now)
        if msgspec.structs.replace(after, version=case.version) == case:
            after = case
        alerts = dict.fromkeys(alert_link(row.case_alert_id) for row in rows if row.case_alert_id is not None)
        found.append(Recount(case, after, (*after.entities, *alerts)))
    return found


def misplaced(stored: UserRows, now: datetime) -> list[FlaggedKey]:
    """Name a user's payments that are not settled, or whose case does not exist or is closed without them."""
    by_id = {case.case_id: case for case in stored.cases}
    awaited = {case_id: awaited_keys(made, now) for case_id, made in stored.decisions.items()}
    newest = stored.cases[-1] if stored.cases else None
    found = []
    for row in stored.rows:
        case_id = row.case_id or ""
        if not is_placed(row, UserCases(by_id.get(case_id), newest, awaited.get(case_id, frozenset()))):
            found.append(row.key)
    return found


def _counted_anew(case: Case, rows: Sequence[FlaggedTransaction]) -> Case:
    """Reasons, entities and severity stay what the case has met, also of payments that have expired."""
    after = msgspec.structs.replace(
        case,
        undecided=Tally(),
        fraud=Tally(),
        legitimate=Tally(),
        unpriced=0,
        payments=(),
        alerts=(),
        alert_count=0,
    )
    for row in sorted(rows, key=lambda row: row.event_key):
        after = counted(
            with_payment(after, row), Judgement(row.case_judgement or Judgement.UNDECIDED), row, 1
        )
        if row.case_alert_id is not None and row.case_alert_id == row.own_alert_id:
            after = with_alert(after, row)
    return after


def _is_left_open(row: FlaggedTransaction, case: Case, awaited: frozenset[str]) -> bool:
    """Whether a payment is undecided in a closed case, by its mark, and no label of it is on its way."""
    if not case.is_closed or Judgement(row.case_judgement or Judgement.UNDECIDED) is not Judgement.UNDECIDED:
        return False
    return case.closed_by is None or row.event_key not in awaited


def _reopened(case: Case) -> Case:
    status = CaseStatus.OPEN if case.assignee is None else CaseStatus.CLAIMED
    return msgspec.structs.replace(case, status=status, verdict=None, closed_at=None, closed_by=None)
