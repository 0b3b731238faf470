"""What other stages do to flagged rows, and what the case stage makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from contract.alert import AlertClaim, AlertState, Severity, SuppressedPayments
from tests.support.case_account import case_problems
from tests.unit.case.world import Worker

if TYPE_CHECKING:
    from contract.case import Case
    from contract.flagged import FlaggedTransaction
    from tests.unit.case.world import DictCaseTables


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
