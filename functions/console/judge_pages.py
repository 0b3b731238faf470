"""Verdicts: payments of a case, and approved ones of its user, are judged in one step, and within ten seconds that is undone; a second person looks at much released money."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from console import notices
from console.approved import among, approved_payment, worth_of
from console.case_pages import MAX_PAYMENTS
from console.case_reader import case_of
from console.verdicts import Unreadable, money_of, payment_id, read_verdict
from console.views import base_money, counted
from contract.case import CaseKey, parse_case_id
from contract.case_work import UNDO, Refusal, agree

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from decimal import Decimal

    from starlette.responses import Response

    from console.app import Desk, Visit
    from console.case_pages import Cases
    from console.records import Records
    from console.verdicts import Choice
    from contract.case import Case
    from contract.case_decision import ApprovedPayment, Ruling
    from contract.flagged import FlaggedTransaction

MAX_FORM_ID_CHARACTERS: Final = 64
MAX_VERSION_DIGITS: Final = 15

MAX_HISTORY_READ: Final = 300
"""Payments of a user among which a ticked one is searched for, the newest: more than a page shows, since new ones come in between."""


class Verdicts(Protocol):
    """The calls by which people decide; see :class:`common.case_verdicts.CaseVerdicts`."""

    def decide(
        self,
        key: CaseKey,
        decision_id: str,
        event_keys: Collection[str],
        ruling: Ruling,
        analyst: str,
        now: datetime,
        approved: Collection[ApprovedPayment] = (),
        released_elsewhere: Decimal = ...,
    ) -> Case | Refusal:
        """Decide on payments of a case, and on approved ones of its user."""
        ...

    def undo(self, key: CaseKey, decision_id: str, analyst: str, now: datetime) -> Case | Refusal:
        """Take a decision back."""
        ...

    def contest(self, key: CaseKey, analyst: str, reason: str, now: datetime) -> Case | Refusal:
        """Take a closed case over as its second person."""
        ...


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
    verdicts : Verdicts
        Where people decide.
    """

    def __init__(self, desk: Desk, cases: Cases, records: Records, verdicts: Verdicts) -> None:
        self._desk = desk
        self._cases = cases
        self._records = records
        self._verdicts = verdicts

    def judge(self, visit: Visit) -> Response:
        """Give a verdict on the chosen payments; much money is asked for once more."""
        form, who = visit.form, visit.who
        said = read_verdict(form.get("verdict", ""), form.get("fraud_type", ""), visit.reason)
        if isinstance(said, Unreadable):
            return self._desk.pages.notice(notices.UNREADABLE_VERDICTS[said], who)
        decision = form_id(visit)
        case = case_of(self._cases, visit)
        if isinstance(case, Refusal):
            return self._refused(visit, case)
        wanted = {*visit.chosen}
        if not decision or not wanted:
            return self._desk.pages.notice(notices.NOTHING_CHOSEN, who)
        payments = {payment_id(each): each for each in self._records.payments_to_judge(case, MAX_PAYMENTS)}
        chosen = [each for name, each in payments.items() if name in wanted]
        approved = self._approved(case, wanted - payments.keys())
        if len(chosen) + len(approved) < len(wanted):
            return self._desk.pages.notice(notices.PAYMENTS_GONE, who)
        amount = money_of(chosen, case.base_currency) + worth_of(approved)
        summary = _summary(case, chosen, approved, said.choice)
        if amount >= self._desk.settings.confirm_amount_base and form.get("confirmed") != decision:
            return self._confirm(visit, case, summary)
        keys = [each.event_key for each in chosen]
        judged = self._verdicts.decide(
            case.key, decision, keys, said.ruling, visit.person, visit.now, approved
        )
        if isinstance(judged, Refusal):
            return self._refused(visit, judged)
        return self._page(
            visit,
            "judged.html",
            summary=summary,
            ends="" if judged.verdict is None else judged.verdict.value,
            is_second_look_due=judged.is_look_due,
            case_id=case.case_id,
            decision=decision,
            seconds=int(UNDO.total_seconds()),
        )

    def undo(self, visit: Visit) -> Response:
        """Take a decision of the last ten seconds back: its labels are withdrawn, and a case that it closed is open again."""
        try:
            key = parse_case_id(visit.parts["case"])
        except ValueError:
            return self._refused(visit, Refusal.GONE)
        case = self._verdicts.undo(key, form_id(visit), visit.person, visit.now)
        if isinstance(case, Refusal):
            return self._refused(visit, case)
        return self._page(visit, "undone.html", case_id=case.case_id)

    def agree(self, visit: Visit) -> Response:
        """Say as a second person that a case was decided rightly, as the form's page has shown it."""
        step = partial(agree, analyst=visit.person, version=_seen_version(visit), now=visit.now)
        case = case_of(self._cases, visit, step)
        if isinstance(case, Refusal):
            return self._refused(visit, case)
        return self._desk.pages.go(f"/cases/{case.case_id}")

    def contest(self, visit: Visit) -> Response:
        """Take a closed case over as its second person, who decides anew."""
        try:
            key = parse_case_id(visit.parts["case"])
        except ValueError:
            return self._refused(visit, Refusal.GONE)
        case = self._verdicts.contest(key, visit.person, visit.reason, visit.now)
        if isinstance(case, Refusal):
            return self._refused(visit, case)
        return self._desk.pages.go(f"/cases/{case.case_id}")

    def _approved(self, case: Case, wanted: Collection[str]) -> list[ApprovedPayment]:
        """Approved payments of the case's user that a form names."""
        if not wanted:
            return []
        history = among(self._records.history_of_user(case.user_id, MAX_HISTORY_READ))
        return [
            approved_payment(key, row, case.base_currency, self._records.labels_of_payment(key))
            for key, row in history.items()
            if payment_id(key) in wanted
        ]

    def _confirm(self, visit: Visit, case: Case, summary: str) -> Response:
        return self._page(
            visit,
            "confirm.html",
            summary=summary,
            case_id=case.case_id,
            fields={
                name: visit.form.get(name, "") for name in ("verdict", "fraud_type", "reason", "decision")
            },
            chosen=list(dict.fromkeys(visit.chosen)),
        )

    def _refused(self, visit: Visit, refusal: Refusal) -> Response:
        return self._desk.pages.notice(notices.REFUSED_STEPS[refusal], visit.who)

    def _page(self, visit: Visit, template: str, **view: Any) -> Response:
        return self._desk.pages.page(template, visit.who, page_name="case", **view)


def form_id(visit: Visit) -> str:
    """Id of the form, with which it was made; empty for one that no form of ours has."""
    given = visit.form.get("decision", "")
    is_ours = (
        16 <= len(given) <= MAX_FORM_ID_CHARACTERS and given.isascii() and given.replace("-", "").isalnum()
    )
    return given if is_ours else ""


def _seen_version(visit: Visit) -> int:
    """Version of the second look that the form's page has shown; -1 of a form that no page of ours has."""
    given = visit.form.get("look", "")
    return int(given) if given.isascii() and given.isdecimal() and len(given) <= MAX_VERSION_DIGITS else -1


def _summary(
    case: Case,
    chosen: Sequence[FlaggedTransaction],
    approved: Sequence[ApprovedPayment],
    choice: Choice,
) -> str:
    money = base_money(money_of(chosen, case.base_currency) + worth_of(approved), case.base_currency)
    gone = f", {len(approved)} of them gone through" if approved else ""
    return f"{choice.words}: {counted(len(chosen) + len(approved), 'payment')}{gone}, {money}"
