"""A case, and what people do with it before they decide."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from console import notices
from console.case_reader import case_of
from console.case_views import CaseRecords, case_view
from console.records import MAX_KEYS
from console.rights import Right
from console.verdicts import CHOICES, KINDS
from contract.case import is_undecided
from contract.case_work import Refusal, claim, release, skip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from starlette.responses import Response

    from console.app import Desk, Visit
    from console.records import Records
    from console.world_map import Ring
    from contract.case import Case, CaseKey, QueuedCase
    from contract.case_decision import CaseDecision
    from contract.closed_case import ClosedCase

MAX_PAYMENTS: Final = 500
"""Payments of a case that are read; a case with more is judged in several steps."""

ORDER_BY_TIME: Final = "time"
"""In a case's address, asks for its payments by time."""

MAX_HISTORY: Final = 60
"""Payments of the user that the timeline shows, the newest."""


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


class Beside(Protocol):
    """What is shown beside a case; see :class:`console.beside.CaseSurroundings`."""

    def similar(self, case: Case) -> list[ClosedCase]:
        """Closed cases with the same two strongest reasons."""
        ...

    def decisions(self, case: Case) -> list[CaseDecision]:
        """What was decided on it."""
        ...


class CasePages:
    """Endpoints by the names of their routes.

    Parameters
    ----------
    desk : Desk
        What requests need.
    cases : Cases
        The table of cases.
    records : Records
        The tables of payments.
    beside : Beside
        What is shown beside a case.
    land : Callable
        Gives the coasts of the map.
    new_id : Callable
        Gives a random text.
    """

    def __init__(
        self,
        desk: Desk,
        cases: Cases,
        records: Records,
        beside: Beside,
        land: Callable[[], Sequence[Ring]],
        new_id: Callable[[], str],
    ) -> None:
        self._desk = desk
        self._cases = cases
        self._records = records
        self._beside = beside
        self._land = land
        self._new_id = new_id

    def alert(self, visit: Visit) -> Response:
        """Go from an alert to its case; an alert that is a minute old may have none yet."""
        case_id = self._records.case_of_alert(visit.parts["alert"])
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
        found = case_of(self._cases, visit)
        if isinstance(found, Refusal):
            return self._refused(visit, found)
        view = case_view(
            self._read(found),
            self._land(),
            visit.person,
            visit.now,
            can_work=self._can_work(visit),
            is_revealed=is_revealed,
            is_by_time=visit.query.get("order", "") == ORDER_BY_TIME,
        )
        can_reveal = not is_revealed and visit.who is not None and visit.who.may_reveal
        return self._page(
            visit,
            "case.html",
            "case",
            view=view,
            can_reveal=can_reveal,
            choices=CHOICES,
            kinds=KINDS,
            decision=self._new_id(),
            workers=self._workers(visit, found),
        )

    def _workers(self, visit: Visit, case: Case) -> tuple[tuple[str, str], ...]:
        """Whom this person may give the case to: id and name."""
        if case.is_closed or visit.who is None or not visit.who.may_reassign:
            return ()
        return tuple(sorted(self._desk.names(Right.WORK_CASES).items(), key=lambda pair: pair[1]))

    def _read(self, case: Case) -> CaseRecords:
        payments = self._records.payments_to_judge(case, MAX_PAYMENTS)
        history = self._records.history_of_user(case.user_id, MAX_HISTORY)
        gravest = sorted(payments, key=lambda each: (not is_undecided(each), -each.risk_score))[:MAX_KEYS]
        older = self._records.history_rows([each.key for each in gravest if each.key not in history])
        return CaseRecords(
            case=case,
            payments=payments,
            history=history | older,
            labels=self._records.labels_of_user(case.user_id),
            similar=self._beside.similar(case),
            decisions=self._beside.decisions(case),
        )

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
        changed = case_of(self._cases, visit, step)
        if isinstance(changed, Refusal):
            return self._refused(visit, changed)
        return self._desk.pages.go(after or f"/cases/{changed.case_id}")

    def _refused(self, visit: Visit, refusal: Refusal) -> Response:
        return self._desk.pages.notice(notices.REFUSED_STEPS[refusal], visit.who)

    def _can_work(self, visit: Visit) -> bool:
        return visit.who is not None and visit.who.may_work

    def _page(self, visit: Visit, template: str, page_name: str, **view: Any) -> Response:
        return self._desk.pages.page(template, visit.who, page_name=page_name, **view)
