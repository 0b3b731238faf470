"""View models: from records to what a template shows. Pure; every text is as people read it, and no sender's text is trusted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from common.alert_text import money
from common.sanitizing import printable
from contract.audit import MAX_TEXT_CHARACTERS
from contract.case_work import holder
from contract.clock import parse_event_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from console.sessions import Session
    from contract.audit import AuditEvent
    from contract.case import Case, QueuedCase


class QueueRow(msgspec.Struct, frozen=True):
    """A case that is not closed."""

    case_id: str
    severity: str
    at_risk: str
    payments: str
    due: str
    is_overdue: bool
    state: str


class QueueView(msgspec.Struct, frozen=True):
    """The queue."""

    summary: str
    rows: tuple[QueueRow, ...]


class PaymentRow(msgspec.Struct, frozen=True):
    """A payment of a case."""

    amount: str
    score: str
    at: str


class CaseView(msgspec.Struct, frozen=True):
    """A case."""

    case_id: str
    severity: str
    at_risk: str
    decided: str
    due: str
    is_overdue: bool
    state: str
    handover: str
    """Why the last one gave it back; empty if nobody has."""
    reasons: tuple[tuple[str, int], ...]
    """Rules and their points, most first."""
    payments: tuple[PaymentRow, ...]
    more: str
    """How many payments are not listed; empty for none."""
    can_claim: bool
    is_mine: bool


class AuditRow(msgspec.Struct, frozen=True):
    """An audit event."""

    at: str
    actor: str
    action: str
    subject: str
    outcome: str
    reason: str


class AuditView(msgspec.Struct, frozen=True):
    """The newest audit events of a day."""

    day: str
    summary: str
    rows: tuple[AuditRow, ...]


class SessionRow(msgspec.Struct, frozen=True):
    """Somebody who is, or was, signed in."""

    name: str
    groups: str
    began_at: str
    seen_at: str
    state: str
    session: str
    """Names it in the form that ends it."""
    can_end: bool


class SessionsView(msgspec.Struct, frozen=True):
    """All sessions."""

    summary: str
    rows: tuple[SessionRow, ...]


def queue_view(cases: Sequence[QueuedCase], person: str, now: datetime, *, has_more: bool) -> QueueView:
    """Show cases in their order, the most urgent first; ``has_more`` where the queue goes on."""
    rows = tuple(
        QueueRow(
            case_id=case.key.case_id,
            severity=case.severity.value,
            at_risk=_money(case.undecided.amount_base + case.fraud.amount_base, case.base_currency),
            payments=_count(case.undecided.payments + case.fraud.payments, "payment"),
            due=due_text(case.due_at, now),
            is_overdue=case.due_at < now,
            state=_holder_text(holder(case, now), person),
        )
        for case in cases
    )
    overdue = sum(row.is_overdue for row in rows)
    first = f"The {len(rows)} most urgent cases" if has_more else _count(len(rows), "case")
    return QueueView(f"{first}, {overdue} overdue.", rows)


def case_view(case: Case, person: str, now: datetime, *, can_work: bool) -> CaseView:
    """Show a case to somebody; ``can_work`` where this person may claim it."""
    held_by = holder(case, now)
    hidden = case.payment_count - len(case.payments)
    return CaseView(
        case_id=case.case_id,
        severity=case.severity.value,
        at_risk=_money(case.at_risk_base, case.base_currency),
        decided=f"{case.fraud.payments} fraud, {case.legitimate.payments} legitimate, {case.undecided.payments} undecided",
        due=due_text(case.due_at, now),
        is_overdue=not case.is_closed and case.due_at < now,
        state=f"closed: {case.verdict.value}" if case.verdict is not None else _holder_text(held_by, person),
        handover="" if case.handover is None else printable(case.handover.reason, MAX_TEXT_CHARACTERS),
        reasons=tuple((rule_id, case.reasons[rule_id]) for rule_id in case.strongest_reasons),
        payments=tuple(
            PaymentRow(
                amount=_money(payment.amount_base, case.base_currency),
                score=str(payment.risk_score),
                at=shown_time(parse_event_key(payment.event_key)[0]),
            )
            for payment in case.payments
        ),
        more=f"{_count(hidden, 'payment')} of less risk." if hidden > 0 else "",
        can_claim=can_work and not case.is_closed and held_by is None,
        is_mine=can_work and held_by == person,
    )


def audit_view(day: str, events: Sequence[AuditEvent], limit: int) -> AuditView:
    """Show the newest audit events of a day, at most ``limit``."""
    newest = sorted(events, key=lambda event: event.at, reverse=True)[:limit]
    rows = tuple(
        AuditRow(
            at=event.at.astimezone(UTC).strftime("%H:%M:%S"),
            actor=event.actor,
            action=event.action.replace("_", " "),
            subject=event.subject,
            outcome=event.outcome.replace("_", " "),
            reason=event.details.get("reason", ""),
        )
        for event in newest
    )
    return AuditView(day, f"The newest {len(rows)}, newest first.", rows)


def sessions_view(
    sessions: Sequence[Session], now: datetime, idle: timedelta, *, can_revoke: bool
) -> SessionsView:
    """Show sessions, the ones used last first."""
    alive = [session.is_alive(now, idle) for session in sessions]
    rows = tuple(
        SessionRow(
            name=session.name,
            groups=", ".join(session.groups),
            began_at=shown_time(session.began_at),
            seen_at=shown_time(session.seen_at),
            state=_state(session, is_alive=is_alive),
            session=session.session_key,
            can_end=can_revoke and is_alive,
        )
        for session, is_alive in zip(sessions, alive, strict=True)
    )
    return SessionsView(f"{sum(alive)} signed in now.", rows)


def shown_time(at: datetime) -> str:
    """A time in UTC, to the minute.

    >>> shown_time(datetime(2026, 3, 1, 9, 5, tzinfo=UTC))
    '1 Mar 2026, 09:05'
    """
    return f"{at.astimezone(UTC).day} {at.astimezone(UTC):%b %Y, %H:%M}"


def duration(length: timedelta) -> str:
    """A length of time in its largest unit, rounded down.

    >>> duration(timedelta(seconds=59)), duration(timedelta(minutes=1)), duration(timedelta(hours=49))
    ('under a minute', '1 minute', '2 days')
    """
    minutes = int(length / timedelta(minutes=1))
    for unit, size in (("day", 1440), ("hour", 60), ("minute", 1)):
        if minutes >= size:
            count = minutes // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "under a minute"


def due_text(due_at: datetime, now: datetime) -> str:
    """How long there is until a case is due, or how long ago it was.

    >>> due_text(datetime(2026, 3, 1, 9), datetime(2026, 3, 1, 8)), due_text(datetime(2026, 3, 1), datetime(2026, 3, 3))
    ('in 1 hour', '2 days ago')
    """
    return f"in {duration(due_at - now)}" if due_at >= now else f"{duration(now - due_at)} ago"


def _money(amount: Decimal, currency: str | None) -> str:
    return "not known" if currency is None else money(amount, currency)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _holder_text(held_by: str | None, person: str) -> str:
    if held_by is None:
        return "open"
    return "yours" if held_by == person else "somebody works on it"


def _state(session: Session, *, is_alive: bool) -> str:
    if session.revoked_at is not None:
        return f"ended {shown_time(session.revoked_at)}"
    return "signed in" if is_alive else "expired"
