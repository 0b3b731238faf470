"""The queue, a case, and what people do with it before they decide."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Protocol

from common.sanitizing import printable
from console import notices
from console.rights import Right
from console.views import case_view, queue_view
from contract.case import Case, CaseKey, parse_case_id
from contract.case_work import Refusal, claim, release, skip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from starlette.responses import Response

    from console.app import Desk, Visit
    from contract.case import QueuedCase

MAX_USER_CHARACTERS: Final = 300

SHOWN: Final = 100
"""Cases that the queue shows."""


class Cases(Protocol):
    """The calls to the cases; see :class:`common.case_desk.CaseDesk`."""

    def queue(self) -> Iterator[QueuedCase]:
        """Give the cases that are not closed, the most urgent first."""
        ...

    def next_case(self, analyst: str, now: datetime) -> Case | None:
        """Claim the most urgent one that is offered to somebody."""
        ...

    def change(self, key: CaseKey, step: Callable[[Case], Case | Refusal]) -> Case | Refusal:
        """Make a step with a case."""
        ...


class CasePages:
    """Endpoints by the names of their routes.

    Parameters
    ----------
    desk : Desk
        What requests need.
    cases : Cases
        The table of cases.
    case_of_alert : Callable
        Gives the id of the case that an alert is in; None where it is in none.
    """

    def __init__(self, desk: Desk, cases: Cases, case_of_alert: Callable[[str], str | None]) -> None:
        self._desk = desk
        self._cases = cases
        self._case_of_alert = case_of_alert

    def queue(self, visit: Visit) -> Response:
        """Show the cases that are not closed."""
        first = list(islice(self._cases.queue(), SHOWN + 1))
        view = queue_view(first[:SHOWN], visit.person, visit.now, has_more=len(first) > SHOWN)
        return self._page(visit, "queue.html", "queue", view=view, can_work=self._can_work(visit))

    def alert(self, visit: Visit) -> Response:
        """Go from an alert to its case; an alert that is a minute old may have none yet."""
        case_id = self._case_of_alert(visit.parts["alert"])
        if case_id is None:
            return self._desk.pages.notice(notices.NO_CASE_YET, visit.who)
        return self._desk.pages.go(f"/cases/{case_id}")

    def case(self, visit: Visit) -> Response:
        """Show a case, without what names its user."""
        return self._shown(visit, is_revealed=False)

    def reveal(self, visit: Visit) -> Response:
        """Show a case with its user's id."""
        return self._shown(visit, is_revealed=True)

    def _shown(self, visit: Visit, *, is_revealed: bool) -> Response:
        found = self._change(visit, lambda case: case)
        if isinstance(found, Refusal):
            return self._refused(visit, found)
        view = case_view(found, visit.person, visit.now, can_work=self._can_work(visit))
        user_id = printable(found.user_id, MAX_USER_CHARACTERS) if is_revealed else ""
        can_reveal = visit.who is not None and Right.REVEAL in visit.who.rights
        return self._page(visit, "case.html", "case", view=view, user_id=user_id, can_reveal=can_reveal)

    def next_case(self, visit: Visit) -> Response:
        """Claim the most urgent case, and show it."""
        case = self._cases.next_case(visit.person, visit.now)
        if case is None:
            return self._desk.pages.notice(notices.NO_NEXT_CASE, visit.who)
        return self._desk.pages.go(f"/cases/{case.case_id}")

    def claim(self, visit: Visit) -> Response:
        """Claim this case."""
        return self._step(visit, partial(claim, analyst=visit.person, now=visit.now))

    def release(self, visit: Visit) -> Response:
        """Give this case back, with a reason."""
        return self._step(
            visit, partial(release, analyst=visit.person, reason=visit.reason, now=visit.now), "/queue"
        )

    def skip(self, visit: Visit) -> Response:
        """Give this case back, and do not get it again."""
        return self._step(visit, partial(skip, analyst=visit.person, now=visit.now), "/queue")

    def _step(
        self, visit: Visit, step: Callable[[Case], Case | Refusal], after: str | None = None
    ) -> Response:
        changed = self._change(visit, step)
        if isinstance(changed, Refusal):
            return self._refused(visit, changed)
        return self._desk.pages.go(after or f"/cases/{changed.case_id}")

    def _change(self, visit: Visit, step: Callable[[Case], Case | Refusal]) -> Case | Refusal:
        try:
            key = parse_case_id(visit.parts["case"])
        except ValueError:
            return Refusal.GONE
        return self._cases.change(key, step)

    def _refused(self, visit: Visit, refusal: Refusal) -> Response:
        return self._desk.pages.notice(notices.REFUSED_STEPS[refusal], visit.who)

    def _can_work(self, visit: Visit) -> bool:
        return visit.who is not None and Right.WORK_CASES in visit.who.rights

    def _page(self, visit: Visit, template: str, page_name: str, **view: Any) -> Response:
        return self._desk.pages.page(template, visit.who, page_name=page_name, **view)
