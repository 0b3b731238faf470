"""The pages about people: who is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.rights import Right
from console.sessions import SESSION
from console.views import sessions_view

if TYPE_CHECKING:
    from starlette.responses import Response

    from console.app import Desk, Visit


class PeoplePages:
    """Endpoints by the names of their routes."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

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
