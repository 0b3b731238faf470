"""A case of an analyst, and the verdicts that are given on its page."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from console.rights import Group
from console.verdicts import payment_id
from contract.case import CaseStatus, Tally
from contract.case_work import LEASE
from contract.flagged import FlaggedKey
from tests.support.console_forms import form_on
from tests.support.console_world import NOW, ConsoleWorld
from tests.support.payments import make_scored, make_transaction

if TYPE_CHECKING:
    from contract.case import Case
    from contract.scored import ScoredTransaction
    from tests.support.console_world import Answer

MINE: Any = {"status": CaseStatus.CLAIMED, "assignee": "person-1", "lease_until": NOW + LEASE}


def paid(number: int, amount: str = "100", **changes: Any) -> ScoredTransaction:
    """Make the payment of so many times ten minutes ago; ``amount`` in USD."""
    at = NOW - timedelta(minutes=10 * number)
    payment = make_transaction(transaction_id=f"tx-{number}", amount=Decimal(amount), timestamp=at)
    worth = {"amount_base": Decimal(amount), "base_currency": "USD"}
    return make_scored(payment, appended_at=at, scored_at=at, **worth | changes)


def id_of(row: ScoredTransaction) -> str:
    """Give the id by which a form names a payment."""
    return payment_id(FlaggedKey(row.transaction.user_id, row.event_key))


def my_case(world: ConsoleWorld, *rows: ScoredTransaction, **changes: Any) -> Case:
    """A case of the signed-in analyst with these payments undecided."""
    world.sign_in(Group.ANALYST)
    total = sum((row.transaction.amount for row in rows), Decimal(0))
    case = world.put_case(**{**MINE, "undecided": Tally(len(rows), total), **changes})
    world.put_payments(*rows, case=case)
    return case


def judge(world: ConsoleWorld, case: Case, choice: str, **changes: Any) -> Answer:
    """Press a verdict's button on the case's page."""
    form: dict[str, Any] = form_on(world.get(f"/cases/{case.case_id}").body, "Probably fraud")
    return world.post(f"/cases/{case.case_id}/judge", form | {"verdict": choice} | changes)


def undo(world: ConsoleWorld, case: Case, page: str) -> Answer:
    """Press undo on the page that a verdict was answered with."""
    return world.post(f"/cases/{case.case_id}/undo", form_on(page, "Undo"))
