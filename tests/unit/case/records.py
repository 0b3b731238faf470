"""What other stages do to flagged rows, and what the case stage makes of it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
from hypothesis import strategies as st

from contract.alert import AlertClaim, AlertState, Severity, SuppressedPayments
from contract.flagged import CONFIRMED_FRAUD, FALSE_POSITIVE, IN_REVIEW, OPEN
from tests.support.case_account import case_problems
from tests.support.case_store_contract import payment
from tests.unit.case.world import Worker

if TYPE_CHECKING:
    from contract.case import Case
    from contract.flagged import FlaggedTransaction
    from tests.unit.case.world import DictCaseTables


STATUSES = (OPEN, IN_REVIEW, CONFIRMED_FRAUD, FALSE_POSITIVE)


@st.composite
def payments_of_two_users(draw: st.DrawFn) -> list[FlaggedTransaction]:
    """A few payments that share users, devices and amounts."""
    sent = st.fixed_dictionaries(
        {
            "user_id": st.sampled_from(["user-1", "user-2"]),
            "device_id": st.sampled_from(["device-1", "device-2"]),
            "currency": st.sampled_from(["USD", "EUR"]),
            "amount": st.sampled_from([Decimal(5), Decimal(1_500), Decimal(20_000)]),
        }
    )
    rows = draw(st.lists(st.tuples(sent, st.integers(50, 100)), min_size=1, max_size=6))
    return [
        payment(f"tx-{number}", number, risk_score=score, sent=each)
        for number, (each, score) in enumerate(rows)
    ]


def changed(tables: DictCaseTables, flagged: FlaggedTransaction, **changes: object) -> FlaggedTransaction:
    """Change a row as another stage does, which leaves the marks alone; return the record of the change."""
    row = msgspec.structs.replace(tables.flagged_rows[flagged.key], **changes)
    tables.put(row)
    return row


def alerted(
    tables: DictCaseTables, flagged: FlaggedTransaction, alert_id: str = "alert-1"
) -> FlaggedTransaction:
    """Mark a row as the alert stage does, which decides once."""
    if tables.flagged_rows[flagged.key].alert_state is AlertState.SUPPRESSED:
        return tables.flagged_rows[flagged.key]
    claim = AlertClaim(Severity.HIGH, flagged.occurred_at, SuppressedPayments())
    return changed(tables, flagged, alert_state=AlertState.SENT, alert_id=alert_id, alert_claim=claim)


def taken(tables: DictCaseTables, *payments: FlaggedTransaction) -> list[Case]:
    """Insert payments, handle their records in this order, and give all cases."""
    for flagged in payments:
        tables.put(flagged)
    worker = Worker(tables)
    for flagged in payments:
        worker.take(flagged)
    return tables.cases()


def check(tables: DictCaseTables) -> None:
    """What holds when every record was handled: cases say what the rows say."""
    assert case_problems(tables.rows(), tables.cases(), tables.links()) == []
