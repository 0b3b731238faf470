"""The queue; who works on it; cases that are given to somebody else, and cases that are judged together."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from console import notices
from console.case_pages import MAX_PAYMENTS
from console.case_reader import case_of
from console.judge_pages import form_id
from console.queue_views import Filter, looks_view, queue_view, read_filter
from console.rights import Right
from console.route import Action
from console.verdicts import CHOICES, KINDS, Unreadable, money_of, read_verdict, undecided
from console.views import base_money, counted
from contract.case import Case, parse_case_id
from contract.case_work import Refusal, claim, reassign
from contract.flagged import FlaggedTransaction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.responses import Response

    from console.app import Desk, Visit
    from console.case_pages import Cases
    from console.filter_pages import Filters
    from console.judge_pages import Verdicts
    from console.records import Records
    from console.verdicts import Choice
    from contract.case_decision import Ruling
    from contract.closed_case import LookCase

READ: Final = 300
"""Cases of the queue that are read for a page: its counts are of these."""

MAX_BULK: Final = 25
"""Cases that are judged together."""

READ_LOOKS: Final = 2_000
"""Cases for a second person that are read for a page. They are few: two thousand are about a megabyte."""

COOKIE: Final = "console_queue"
"""Keeps somebody's filter; it holds three words of ours."""

_COOKIE_SECONDS: Final = 30 * 86_400


class Bulk(msgspec.Struct, frozen=True):
    """Cases that are to be judged together."""

    cases: tuple[tuple[Case, tuple[FlaggedTransaction, ...]], ...]
    """Each with all of its payments."""
    left_out: int
    """Chosen ones that are closed, gone, or somebody else's, or have no payment that is undecided."""

    @property
    def chosen(self) -> list[FlaggedTransaction]:
        """The payments that are judged."""
        return [each for _, payments in self.cases for each in undecided(payments)]

    @property
    def summary(self) -> str:
        """What is judged, exactly."""
        currencies = {case.base_currency for case, _ in self.cases}
        currency = currencies.pop() if len(currencies) == 1 else None
        money = base_money(money_of(self.chosen, currency), currency)
        return f"{counted(len(self.chosen), 'payment')} of {counted(len(self.cases), 'case')}, {money}"


class Waiting(Protocol):
    """The call to the cases that wait; see :class:`console.beside.CaseSurroundings`."""

    def second_looks(self, limit: int) -> list[LookCase]:
        """Those that a second person is to look at."""
        ...


class QueuePages:
    """Endpoints by the names of their routes.

    Parameters
    ----------
    desk : Desk
        What requests need.
    cases : Cases
        The table of cases.
    records : Records
        The tables of payments.
    verdicts : Verdicts
        Where people decide.
    beside : Waiting
        Closed cases that await a second look.
    filters : Filters
        What people keep.
    new_id : Callable
        Gives a random text.
    """

    def __init__(
        self,
        desk: Desk,
        cases: Cases,
        records: Records,
        verdicts: Verdicts,
        beside: Waiting,
        filters: Filters,
        new_id: Callable[[], str],
    ) -> None:
        self._desk = desk
        self._cases = cases
        self._records = records
        self._verdicts = verdicts
        self._beside = beside
        self._filters = filters
        self._new_id = new_id

    def queue(self, visit: Visit) -> Response:
        """Show the cases that are not closed, narrowed as this person has narrowed them last."""
        wanted = _filter(visit)
        read = list(islice(self._cases.queue(), READ + 1))
        who = visit.who
        names = self._desk.names() if who is not None and who.may_reassign else {}
        saved = self._filters.of(visit.person)
        can_work = who is not None and who.may_work
        looks = self._beside.second_looks(READ_LOOKS + 1) if can_work else []
        view = queue_view(
            read[:READ], wanted, visit.person, names, visit.now, saved, has_more=len(read) > READ
        )
        response = self._page(
            visit,
            "queue.html",
            view=view,
            can_work=can_work,
            can_bulk=who is not None and who.may_bulk,
            can_see_load=who is not None and who.may_reassign,
            most=MAX_BULK,
            looks=looks_view(looks[:READ_LOOKS], visit.person, visit.now, has_more=len(looks) > READ_LOOKS),
        )
        if visit.query:
            response.set_cookie(
                COOKIE,
                f"{wanted.view}.{wanted.severity}.{wanted.least}",
                max_age=_COOKIE_SECONDS,
                path=f"{self._desk.settings.base_path}/queue",
                secure=self._desk.settings.is_secure,
                httponly=True,
                samesite="lax",
            )
        return response

    def reassign(self, visit: Visit) -> Response:
        """Give a case to somebody else, with a reason."""
        to = visit.form.get("to", "")
        if to not in self._desk.names(Right.WORK_CASES):
            return self._desk.pages.notice(notices.NOBODY, visit.who)
        step = partial(reassign, by=visit.person, to=to, reason=visit.reason, now=visit.now)
        case = case_of(self._cases, visit, step)
        if isinstance(case, Refusal):
            return self._desk.pages.notice(notices.REFUSED_STEPS[case], visit.who)
        return self._desk.pages.go(f"/cases/{case.case_id}")

    def preview_bulk(self, visit: Visit) -> Response:
        """Show what would be judged together, with the exact count."""
        bulk = self._bulk(visit)
        if not bulk.chosen:
            return self._desk.pages.notice(notices.NOTHING_CHOSEN, visit.who)
        return self._preview(visit, bulk, has_changed=False)

    def judge_bulk(self, visit: Visit) -> Response:
        """Judge them, if they are still what was shown."""
        said = read_verdict(visit.form.get("verdict", ""), visit.form.get("fraud_type", ""), visit.reason)
        if isinstance(said, Unreadable):
            return self._desk.pages.notice(notices.UNREADABLE_VERDICTS[said], visit.who)
        bulk = self._bulk(visit)
        decision = form_id(visit)
        if not decision or not bulk.chosen:
            return self._desk.pages.notice(notices.NOTHING_CHOSEN, visit.who)
        if visit.form.get("summary") != bulk.summary:
            return self._preview(visit, bulk, has_changed=True)
        lines, released = [], Decimal(0)
        for case, payments in bulk.cases:
            if visit.session is not None:
                details = {"verdict": said.choice.name, "together_with": str(len(bulk.cases) - 1)}
                self._desk.record(Action.PAYMENTS_JUDGED, visit.session, "allowed", case.case_id, details)
            judged = self._judge(case, payments, decision, said.ruling, visit, released)
            if isinstance(judged, Case) and said.ruling.is_release and not judged.is_look_due:
                released += money_of(undecided(payments), case.base_currency)
            lines.append((case.case_id, _judged_text(judged)))
        return self._page(visit, "bulk_done.html", words=said.choice.words, summary=bulk.summary, lines=lines)

    def _judge(
        self,
        case: Case,
        payments: Sequence[FlaggedTransaction],
        decision: str,
        ruling: Ruling,
        visit: Visit,
        released_elsewhere: Decimal,
    ) -> Case | Refusal:
        """Claim and judge one of the cases; ``released_elsewhere`` is what the form has released before it without a second look."""
        held = self._cases.change(case.key, partial(claim, analyst=visit.person, now=visit.now))
        if isinstance(held, Refusal):
            return Refusal.TAKEN
        keys = [each.event_key for each in undecided(payments)]
        return self._verdicts.decide(
            case.key,
            decision,
            keys,
            ruling,
            visit.person,
            visit.now,
            released_elsewhere=released_elsewhere,
        )

    def _bulk(self, visit: Visit) -> Bulk:
        ids = list(dict.fromkeys(visit.chosen))[:MAX_BULK]
        found = self._records.cases([each for each in ids if _is_case_id(each)])
        order = {case_id: number for number, case_id in enumerate(ids)}
        mine = [case for case in found if not isinstance(claim(case, visit.person, visit.now), Refusal)]
        mine.sort(key=lambda case: order[case.case_id])
        read = [(case, tuple(self._records.payments_to_judge(case, MAX_PAYMENTS))) for case in mine]
        # A case counts payments as undecided whose rows somebody has deleted: nothing can be said about those.
        judged = tuple((case, payments) for case, payments in read if undecided(payments))
        return Bulk(judged, len({*visit.chosen}) - len(judged))

    def _preview(self, visit: Visit, bulk: Bulk, *, has_changed: bool) -> Response:
        choices: tuple[Choice, ...] = CHOICES
        return self._page(
            visit,
            "bulk.html",
            summary=bulk.summary,
            left_out=bulk.left_out,
            has_changed=has_changed,
            cases=[(case.case_id, _line(case, payments)) for case, payments in bulk.cases],
            choices=choices,
            kinds=KINDS,
            decision=self._new_id(),
        )

    def _page(self, visit: Visit, template: str, **view: Any) -> Response:
        return self._desk.pages.page(template, visit.who, page_name="queue", **view)


def _filter(visit: Visit) -> Filter:
    if visit.query:
        return read_filter(*(visit.query.get(part, "") for part in ("view", "severity", "least")))
    view, severity, least, *_ = [*visit.cookies.get(COOKIE, "").split("."), "", "", ""]
    return read_filter(view, severity, least)


def _judged_text(judged: Case | Refusal) -> str:
    """Say what became of one of several cases."""
    match judged:
        case Refusal.TAKEN:
            return "not judged: somebody was faster"
        case Refusal():
            return "not judged: it has changed meanwhile"
    text = "judged; it is still open" if judged.verdict is None else f"closed: {judged.verdict.value}"
    return f"{text}; a second person will look at it" if judged.is_look_due else text


def _is_case_id(text: str) -> bool:
    try:
        parse_case_id(text)
    except ValueError:
        return False
    return True


def _line(case: Case, payments: Sequence[FlaggedTransaction]) -> str:
    open_ones = undecided(payments)
    money = base_money(money_of(open_ones, case.base_currency), case.base_currency)
    return f"{case.severity.value}: {counted(len(open_ones), 'payment')}, {money}; {', '.join(case.strongest_reasons[:2])}"
