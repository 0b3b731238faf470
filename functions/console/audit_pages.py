"""What was done in the console: a day's events, and those that an auditor asks for, page by page.

What is asked for is sent as a form, like a search: no id of a person or a case is in an address.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from common.sanitizing import printable
from console.audit_search import EventSearch, Wanted, begin_of, place_of
from console.audit_views import audit_view
from console.route import Action
from console.search_pages import FIELDS
from contract.audit import DAY_CLOSED, DAYS, MAX_TEXT_CHARACTERS
from contract.audit_values import OPAQUE_ID

if TYPE_CHECKING:
    from starlette.responses import Response

    from console.app import Desk, Visit
    from console.audit_store import AuditStore

KINDS: Final = (
    (OPAQUE_ID, "A case, a payment, an alert, a change, by its id on our pages"),
    *((kind, f"{words}, which somebody searched for") for kind, words in FIELDS),
)
"""What an event can be about: the form's word, and theirs."""

ACTIONS: Final = (*(action.value for action in Action), DAY_CLOSED)
"""What events say was asked for."""


class AuditPages:
    """Endpoints by the names of their routes."""

    def __init__(self, desk: Desk, events: AuditStore) -> None:
        self._desk = desk
        self._events = events

    def audit(self, visit: Visit) -> Response:
        """Show today's newest audit events."""
        today = self._today(visit)
        return self._shown(visit, Wanted(today, today), today)

    def audit_of_day(self, visit: Visit) -> Response:
        """Show the newest audit events of a day; of today for a day that there is not, or not yet."""
        today = self._today(visit)
        day = min(_day(visit.parts["day"]) or today, today)
        return self._shown(visit, Wanted(day, day), today)

    def find_events(self, visit: Visit) -> Response:
        """Show the audit events that a form asks for, from its place on."""
        today, form = self._today(visit), visit.form
        last = min(_day(form.get("day", "")) or today, today)
        kind, action = form.get("subject", ""), form.get("action", "")
        wanted = Wanted(
            last=last,
            first=min(_day(form.get("since", "")) or last, last),
            person=printable(form.get("person", "").strip(), MAX_TEXT_CHARACTERS),
            action=action if action in ACTIONS else "",
            kind=kind if kind in dict(KINDS) else OPAQUE_ID if visit.asked_for else "",
            value=visit.asked_for,
        )
        return self._shown(visit, wanted, today)

    def _shown(self, visit: Visit, wanted: Wanted, today: date) -> Response:
        place = place_of(visit.form.get("before", ""), wanted)
        page = EventSearch(self._events, wanted).page(place)
        view = audit_view(page, wanted, today, self._desk.names())
        return self._desk.pages.page(
            "audit.html",
            visit.who,
            page_name="audit",
            view=view,
            is_begin=place == begin_of(wanted.last),
            kinds=KINDS,
            actions=[(each, each.replace("_", " ")) for each in ACTIONS],
        )

    def _today(self, visit: Visit) -> date:
        opening = self._events.last(DAYS)
        # By a clock that is ahead the next day has begun, and all events are in it.
        return max(visit.now.date(), _day("" if opening is None else opening.day) or visit.now.date())


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
