"""The pages about people: who is signed in, and what was done."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from console.rights import Right
from console.sessions import SESSION
from console.views import audit_view, sessions_view
from contract.audit import DAYS, chains_of

if TYPE_CHECKING:
    from starlette.responses import Response

    from console.app import Desk, Visit
    from console.audit_store import AuditStore

SHOWN: Final = 200
"""Audit events that the page shows."""


class PeoplePages:
    """Endpoints by the names of their routes."""

    def __init__(self, desk: Desk, events: AuditStore) -> None:
        self._desk = desk
        self._events = events

    def audit(self, visit: Visit) -> Response:
        """Show the newest audit events of a day; without one, or with none that there is, of today."""
        opening = self._events.last(DAYS)
        # By a clock that is ahead the next day has begun, and all events are in it.
        today = max(visit.now.date(), _day("" if opening is None else opening.day) or visit.now.date())
        day = min(_day(visit.query.get("day", "")) or today, today)
        events = [
            event for chain in chains_of(day.isoformat()) for event in self._events.newest(chain, SHOWN)
        ]
        view = audit_view(day, today, events, SHOWN)
        return self._desk.pages.page("audit.html", visit.who, page_name="audit", view=view)

    def sessions(self, visit: Visit) -> Response:
        """Show who is signed in."""
        can_revoke = visit.who is not None and Right.REVOKE_SESSIONS in visit.who.rights
        view = sessions_view(
            self._desk.sessions.newest(), visit.now, self._desk.settings.idle, can_revoke=can_revoke
        )
        return self._desk.pages.page("sessions.html", visit.who, page_name="sessions", view=view)

    def revoke_session(self, visit: Visit) -> Response:
        """End a session."""
        session_key = visit.form.get("subject", "")
        if session_key.startswith(SESSION):
            self._desk.sessions.revoke(session_key, visit.now)
        return self._desk.pages.go("/sessions")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
