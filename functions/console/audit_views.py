"""View model of the page of audit events. Pure."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

import msgspec

from console.audit_search import MAX_REQUESTS, PAGE
from console.views import counted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from console.audit_search import EventPage, Wanted
    from contract.audit import AuditEvent


class AuditRow(msgspec.Struct, frozen=True):
    """An audit event."""

    at: str
    actor: str
    action: str
    subject: str
    outcome: str
    details: str
    """Reason, verdict and what else the form said."""


class AuditView(msgspec.Struct, frozen=True, kw_only=True):
    """Events of some days, and the form that asks for others."""

    title: str
    earlier: str
    """The day before them, YYYY-MM-DD, UTC."""
    later: str
    """The day after; empty for today."""
    summary: str
    rows: tuple[AuditRow, ...]
    following: str
    """Where older events begin; empty where there are no more."""
    fields: dict[str, str]
    """What was asked for, by the fields of the form."""
    people: tuple[tuple[str, str], ...]
    """Who was signed in lately: id and name."""


def audit_view(page: EventPage, wanted: Wanted, today: date, names: Mapping[str, str]) -> AuditView:
    """Show a page of audit events to an auditor; ``names`` says who was signed in lately."""
    first, last = wanted.first, wanted.last
    days = last.isoformat() if first == last else f"{first.isoformat()} to {last.isoformat()}"
    summary = f"{counted(len(page.events), 'event')}, newest first."
    if page.following is not None and len(page.events) < PAGE:
        summary += f" What {MAX_REQUESTS} requests read has no more that fit; there are older events."
    return AuditView(
        title=days,
        earlier=(first - timedelta(days=1)).isoformat() if first > first.min else "",
        later="" if last >= today else (last + timedelta(days=1)).isoformat(),
        summary=summary,
        rows=tuple(_row(event, with_day=first != last) for event in page.events),
        following="" if page.following is None else page.following.text,
        fields={
            "day": last.isoformat(),
            "since": first.isoformat(),
            "person": wanted.person,
            "action": wanted.action,
            "subject": wanted.kind,
            "query": wanted.value,
        },
        people=tuple(sorted(names.items(), key=lambda pair: pair[1])),
    )


def _row(event: AuditEvent, *, with_day: bool) -> AuditRow:
    return AuditRow(
        at=event.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S" if with_day else "%H:%M:%S"),
        actor=event.actor,
        action=event.action.replace("_", " "),
        subject=event.subject,
        outcome=event.outcome.replace("_", " "),
        details="; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in event.details.items()),
    )
