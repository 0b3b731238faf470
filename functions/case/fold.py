"""What a flagged payment changes: its case, other cases of its user, and its own marks. Pure.

A payment's marks say which case it is in and what it is counted as there, and they are written with the case, all or none. So what a
record changes is the difference between the row and its marks, and a record that comes again changes nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from contract.alert import Severity
from contract.case import (
    MAX_ALERTS,
    MAX_ENTITIES,
    MAX_PAYMENTS,
    MAX_REASONS,
    Case,
    CaseAlert,
    CasePayment,
    CaseStatus,
    Judgement,
    Tally,
    alert_link,
    linked_entities,
    owner_of,
)
from contract.case_outcome import verdict_of

if TYPE_CHECKING:
    from datetime import datetime

    from contract.case_limits import CaseLimits
    from contract.flagged import FlaggedTransaction


class UserCases(NamedTuple):
    """What is stored of a payment's user."""

    own: Case | None
    """The case that the payment's marks name; None where they name none, or the row has been deleted."""
    newest: Case | None
    """The user's newest case."""
    awaited: frozenset[str] | None = None
    """Of :func:`contract.case_outcome.awaited_keys` for ``own``; None where nobody has read its decisions, and the label of each payment may be on its way."""


class Marks(NamedTuple):
    """What a flagged row says about its case."""

    case_id: str | None
    case_judgement: str | None
    case_alert_id: str | None


class Change(NamedTuple):
    """What is to be written, all or none."""

    before: Marks
    """Of the flagged row, which must still have them,"""
    after: Marks
    """and gets these."""
    cases: tuple[Case, ...]
    """One or two, each made from the version before its own; version 1 is a new row."""
    links: tuple[str, ...]
    """Entities and alerts that are linked to the case that the payment is in afterwards."""
    closed: Case | None
    """The user's newest case, which must still be closed in this version: a new case opens after it."""
    is_reopened: bool
    """Whether a closed case is open again: then no newer one may exist."""

    is_closed_now: bool
    """Whether the labels close the case with this change."""

    @property
    def case(self) -> Case:
        """The case that the payment is in afterwards."""
        return self.cases[-1]


def marks_of(flagged: FlaggedTransaction) -> Marks:
    """Read a row's marks."""
    return Marks(flagged.case_id, flagged.case_judgement, flagged.case_alert_id)


def is_settled(flagged: FlaggedTransaction) -> bool:
    """Whether a row's case counts the payment as what the row says."""
    wanted = (Judgement.of(flagged.status), flagged.reported_by)
    return flagged.case_id is not None and wanted == (flagged.case_judgement, flagged.case_alert_id)


def settle(flagged: FlaggedTransaction, stored: UserCases, limits: CaseLimits, now: datetime) -> Change:
    """Bring a payment's case up to date with its row.

    Parameters
    ----------
    flagged : FlaggedTransaction
        As it is stored, not settled.
    stored : UserCases
        The cases of its user.
    limits : CaseLimits
        When a case is urgent.
    now : datetime
        The clock, UTC.

    Returns
    -------
    Change
        A payment without a case joins the user's open case, or opens one; so does a payment that nobody has decided on any more, and
        whose case is closed and not the newest. A case without undecided payments is closed; one that gets an undecided payment is open.
    """
    own, newest = stored.own, stored.newest
    if own is not None and (
        not own.is_closed or own == newest or not _is_left_undecided(flagged, own, stored.awaited)
    ):
        return _changed(flagged, own, limits, now)
    left = () if own is None else (_without(own, flagged, limits, now),)
    if newest is not None and not newest.is_closed:
        return _joined(flagged, newest, left, limits, now)
    number = 1 if newest is None else newest.case_number + 1
    change = _joined(flagged, _new_case(flagged, number, limits, now), left, limits, now)
    return change._replace(closed=newest)


def _changed(flagged: FlaggedTransaction, case: Case, limits: CaseLimits, now: datetime) -> Change:
    """A payment of a case is counted as something else, or has an alert now."""
    after = counted(_uncounted(case, flagged), Judgement.of(flagged.status), flagged, 1)
    after = with_status(after, now)
    is_reopened = case.is_closed and _is_undone(flagged)
    if is_reopened:
        # Where labels have closed it under somebody's hands, that person has it again: undoing may come before or after.
        status = CaseStatus.OPEN if after.assignee is None else CaseStatus.CLAIMED
        after = msgspec.structs.replace(after, status=status, verdict=None, closed_at=None, closed_by=None)
    links: tuple[str, ...] = ()
    if flagged.reported_by != flagged.case_alert_id:
        after, links = with_alert(after, flagged), _alert_links(flagged)
    return Change(
        before=marks_of(flagged),
        after=_marks_in(after, flagged),
        cases=(next_version(after, limits, now),),
        links=links,
        closed=None,
        is_reopened=is_reopened,
        is_closed_now=after.is_closed and not case.is_closed,
    )


def _joined(
    flagged: FlaggedTransaction, case: Case, left: tuple[Case, ...], limits: CaseLimits, now: datetime
) -> Change:
    """A payment is in this case from now on; ``left`` is the case that it was in, without it."""
    after = counted(with_payment(case, flagged), Judgement.of(flagged.status), flagged, 1)
    after = with_status(after, now)
    links = tuple(name for name in after.entities if name not in case.entities)
    after, links = with_alert(after, flagged), (*links, *_alert_links(flagged))
    return Change(
        before=marks_of(flagged),
        after=_marks_in(after, flagged),
        cases=(*left, next_version(after, limits, now)),
        links=links,
        closed=None,
        is_reopened=False,
        is_closed_now=after.is_closed,
    )


def _is_undone(flagged: FlaggedTransaction) -> bool:
    """Whether a payment is undecided that its case counts as decided."""
    return Judgement.of(flagged.status) is Judgement.UNDECIDED and flagged.case_judgement not in {
        None,
        Judgement.UNDECIDED,
    }


def _is_left_undecided(flagged: FlaggedTransaction, closed: Case, awaited: frozenset[str] | None) -> bool:
    """Whether a payment is undecided that its closed case has, or must have, as decided, and no label of which is on its way.

    Labels alone close a case without undecided ones. What a person has closed has undecided ones until its labels come.
    """
    if Judgement.of(flagged.status) is not Judgement.UNDECIDED:
        return False
    if closed.closed_by is None or _is_undone(flagged):
        return True
    return awaited is not None and flagged.event_key not in awaited


def is_placed(flagged: FlaggedTransaction, stored: UserCases) -> bool:
    """Whether a payment is settled, in a case that is stored and can still be decided on."""
    own, newest = stored.own, stored.newest
    if own is None or not is_settled(flagged):
        return False
    return not own.is_closed or own == newest or not _is_left_undecided(flagged, own, stored.awaited)


def _marks_in(case: Case, flagged: FlaggedTransaction) -> Marks:
    return Marks(case.case_id, Judgement.of(flagged.status).value, flagged.reported_by)


def _new_case(flagged: FlaggedTransaction, number: int, limits: CaseLimits, now: datetime) -> Case:
    severity = Severity.of(flagged.decision, flagged.risk_score)
    priority = limits.priority(severity, flagged.amount_base or Decimal(0))
    return Case(
        case_owner=owner_of(flagged.user_id),
        case_number=number,
        version=0,
        user_id=flagged.user_id,
        status=CaseStatus.OPEN,
        severity=severity,
        priority=priority,
        opened_at=now,
        due_at=now + limits.due_after[priority - 1],
        expires_at=flagged.expires_at,
    )


def with_payment(case: Case, flagged: FlaggedTransaction) -> Case:
    """Add all of a payment but its tally. Each part is a maximum, a set or a sum, so the order of payments does not matter."""
    severity = Severity.of(flagged.decision, flagged.risk_score)
    base_currency = case.base_currency or (flagged.base_currency if flagged.amount_base is not None else None)
    case = msgspec.structs.replace(case, base_currency=base_currency)
    payment = CasePayment(flagged.risk_score, _amount_base(case, flagged), flagged.event_key)
    reasons = dict(case.reasons)
    for reason in flagged.reasons:
        reasons[reason.rule_id] = max(reason.points, reasons.get(reason.rule_id, 0))
    case = msgspec.structs.replace(case, reasons=reasons)
    return msgspec.structs.replace(
        case,
        severity=max(case.severity, severity, key=lambda each: each.rank),
        expires_at=max(case.expires_at, flagged.expires_at),
        unpriced=case.unpriced + (not _is_priced(case, flagged)),
        payments=tuple(sorted({*case.payments, payment}, reverse=True)[:MAX_PAYMENTS]),
        reasons={rule_id: reasons[rule_id] for rule_id in case.strongest_reasons[:MAX_REASONS]},
        entities=tuple(dict.fromkeys((*case.entities, *linked_entities(flagged))))[:MAX_ENTITIES],
    )


def _without(case: Case, flagged: FlaggedTransaction, limits: CaseLimits, now: datetime) -> Case:
    """A closed case without a payment that is in another one now. It still shows what it has met.

    A contested look ends with the last payment that counts as released: the others are decided on where they are now.
    """
    after = _uncounted(case, flagged)
    look = case.second_look
    if look is not None and look.is_contested and not after.legitimate.payments:
        after = msgspec.structs.replace(after, second_look=None)
    after = msgspec.structs.replace(
        after,
        unpriced=case.unpriced - (not _is_priced(case, flagged)),
        payments=tuple(payment for payment in case.payments if payment.event_key != flagged.event_key),
    )
    return next_version(after, limits, now)


def counted(case: Case, judgement: Judgement, flagged: FlaggedTransaction, change: int) -> Case:
    """Add a payment to a tally (1), or take it out (-1)."""
    tally: Tally = getattr(case, judgement.value)
    amount = tally.amount_base + change * _amount_base(case, flagged)
    return msgspec.structs.replace(case, **{judgement.value: Tally(tally.payments + change, amount)})


def _uncounted(case: Case, flagged: FlaggedTransaction) -> Case:
    judgement = flagged.case_judgement
    return case if judgement is None else counted(case, Judgement(judgement), flagged, -1)


def with_alert(case: Case, flagged: FlaggedTransaction) -> Case:
    """Add a payment's own alert; digests are only linked."""
    if flagged.own_alert_id is None:
        return case
    alerts = sorted({*case.alerts, CaseAlert(flagged.event_key, flagged.own_alert_id)}, reverse=True)
    return msgspec.structs.replace(case, alerts=tuple(alerts[:MAX_ALERTS]), alert_count=case.alert_count + 1)


def _alert_links(flagged: FlaggedTransaction) -> tuple[str, ...]:
    """Links from the message that reports a payment, an alert or a digest."""
    return () if flagged.reported_by is None else (alert_link(flagged.reported_by),)


def with_status(case: Case, now: datetime) -> Case:
    """Close a case in which nothing is undecided. The verdict of one that nobody has closed follows the labels."""
    if case.undecided.payments or case.closed_by is not None:
        return case
    return msgspec.structs.replace(
        case,
        status=CaseStatus.CLOSED,
        verdict=verdict_of(case.fraud.payments, case.legitimate.payments),
        closed_at=case.closed_at or now,
    )


def next_version(case: Case, limits: CaseLimits, now: datetime) -> Case:
    """Make the next version. A case that has become more urgent is due as soon as one that opens now; a small payment first wins no time."""
    priority, due_at = limits.priority(case.severity, case.at_risk_base), case.due_at
    if priority < case.priority:
        due_at = min(due_at, now + limits.due_after[priority - 1])
    return msgspec.structs.replace(case, version=case.version + 1, priority=priority, due_at=due_at)


def _is_priced(case: Case, flagged: FlaggedTransaction) -> bool:
    return flagged.amount_base is not None and flagged.base_currency == case.base_currency


def _amount_base(case: Case, flagged: FlaggedTransaction) -> Decimal:
    """What a payment adds to the case's sums."""
    return (
        flagged.amount_base if flagged.amount_base is not None and _is_priced(case, flagged) else Decimal(0)
    )
