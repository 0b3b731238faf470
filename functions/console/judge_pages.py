"""Verdicts: payments of a case are judged in one step, and within ten seconds that is undone exactly."""

from __future__ import annotations

import hmac
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from console import notices
from console.case_pages import MAX_PAYMENTS
from console.case_reader import case_of
from console.judging import give_verdict
from console.verdicts import (
    Choice,
    Decided,
    can_undo,
    money_of,
    payment_id,
    read_choice,
    undecided,
    undo_stamp,
    withdrawal_of,
)
from console.views import base_money, counted
from contract.case_work import UNDO, Refusal, claim, undo_close

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from starlette.responses import Response

    from console.app import Desk, Visit
    from console.case_pages import Cases
    from console.label_queue import LabelQueue
    from console.records import Records
    from contract.case import Case
    from contract.flagged import FlaggedTransaction

MAX_DECISION_CHARACTERS: Final = 64


class JudgePages:
    """Endpoints by the names of their routes.

    Parameters
    ----------
    desk : Desk
        What requests need.
    cases : Cases
        The table of cases.
    records : Records
        The tables of payments.
    queue : LabelQueue
        Where labels go.
    """

    def __init__(self, desk: Desk, cases: Cases, records: Records, queue: LabelQueue) -> None:
        self._desk = desk
        self._cases = cases
        self._records = records
        self._queue = queue

    def judge(self, visit: Visit) -> Response:
        """Give a verdict on the chosen payments; much money is asked for once more."""
        pages, who = self._desk.pages, visit.who
        choice = read_choice(visit.form.get("verdict", ""), visit.form.get("fraud_type", ""))
        decision = visit.form.get("decision", "")[:MAX_DECISION_CHARACTERS]
        case = case_of(self._cases, visit, partial(claim, analyst=visit.person, now=visit.now))
        if isinstance(case, Refusal):
            return pages.notice(notices.REFUSED_STEPS[case], who)
        payments = self._records.case_payments(case, MAX_PAYMENTS)
        chosen = _chosen(payments, visit)
        if choice is None or not decision or not chosen:
            return pages.notice(notices.NOTHING_CHOSEN, who)
        amount = money_of(chosen, case.base_currency)
        if amount >= self._desk.settings.confirm_amount_base and visit.form.get("confirmed") != decision:
            return self._confirm(visit, case, chosen, choice[0])
        decided = Decided(
            person=visit.person,
            case_id=case.case_id,
            decision=decision,
            choice=choice[0],
            fraud_type=choice[1],
            at=visit.now,
        )
        return self._decide(visit, case, payments, chosen, decided)

    def undo(self, visit: Visit) -> Response:
        """Withdraw the labels of a decision of the last ten seconds, and have the case again."""
        pages, who, form = self._desk.pages, visit.who, visit.form
        decision, decided_at = form.get("decision", ""), form.get("decided_at", "")
        stamp = undo_stamp("" if who is None else who.form_token, decision, decided_at, visit.chosen)
        is_genuine = hmac.compare_digest(stamp.encode(), form.get("stamp", "").encode())
        if not is_genuine or not can_undo(decided_at, visit.now):
            return pages.notice(notices.NO_UNDO, who)
        case = case_of(self._cases, visit, partial(_reopened, analyst=visit.person, now=visit.now))
        if isinstance(case, Refusal):
            return pages.notice(notices.REFUSED_STEPS[case], who)
        payments = self._records.case_payments(case, MAX_PAYMENTS)
        wanted = [each for each in payments if payment_id(each) in visit.chosen]
        self._queue.send(
            [withdrawal_of(visit.person, case.case_id, decision, each, visit.now) for each in wanted]
        )
        return self._page(visit, "undone.html", case_id=case.case_id, summary=counted(len(wanted), "payment"))

    def _decide(
        self,
        visit: Visit,
        case: Case,
        payments: Sequence[FlaggedTransaction],
        chosen: Sequence[FlaggedTransaction],
        decided: Decided,
    ) -> Response:
        judged = give_verdict(self._cases, self._queue, case, payments, chosen, decided)
        if judged.refusal is not None:
            return self._desk.pages.notice(notices.REFUSED_STEPS[judged.refusal], visit.who)
        ends = judged.ends
        ids = [payment_id(each) for each in chosen]
        decided_at = decided.at.isoformat()
        token = "" if visit.who is None else visit.who.form_token
        return self._page(
            visit,
            "judged.html",
            summary=_summary(case, chosen, decided.choice),
            ends="" if ends is None else ends.value,
            case_id=case.case_id,
            decision=decided.decision,
            decided_at=decided_at,
            chosen=ids,
            stamp=undo_stamp(token, decided.decision, decided_at, ids),
            seconds=int(UNDO.total_seconds()),
        )

    def _confirm(
        self, visit: Visit, case: Case, chosen: Sequence[FlaggedTransaction], choice: Choice
    ) -> Response:
        return self._page(
            visit,
            "confirm.html",
            summary=_summary(case, chosen, choice),
            case_id=case.case_id,
            fields={
                name: visit.form.get(name, "") for name in ("verdict", "fraud_type", "reason", "decision")
            },
            chosen=[payment_id(each) for each in chosen],
        )

    def _page(self, visit: Visit, template: str, **view: Any) -> Response:
        return self._desk.pages.page(template, visit.who, page_name="case", **view)


def _chosen(payments: Sequence[FlaggedTransaction], visit: Visit) -> list[FlaggedTransaction]:
    """The undecided payments that are ticked."""
    ids = {*visit.chosen}
    return [each for each in undecided(payments) if payment_id(each) in ids]


def _reopened(case: Case, analyst: str, now: datetime) -> Case | Refusal:
    """Open a case that this person has closed. One that labels have closed is opened by their withdrawals."""
    if case.is_closed and case.closed_by is None:
        return case
    if not case.is_closed:
        return claim(case, analyst, now)
    return undo_close(case, analyst, now)


def _summary(case: Case, chosen: Sequence[FlaggedTransaction], choice: Choice) -> str:
    money = base_money(money_of(chosen, case.base_currency), case.base_currency)
    return f"{choice.words}: {counted(len(chosen), 'payment')}, {money}"
