"""Cases for tests, valid by default, with any field changed by name."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from contract.alert import Severity
from contract.case import Case, CasePayment, CaseStatus, Tally, owner_of
from tests.support.payments import NOW


def make_case(user_id: str = "user-1", **changes: Any) -> Case:
    """An open case of one payment of 1,250 USD."""
    fields: dict[str, Any] = {
        "case_owner": owner_of(user_id),
        "case_number": 1,
        "version": 1,
        "user_id": user_id,
        "status": CaseStatus.OPEN,
        "severity": Severity.HIGH,
        "priority": 2,
        "opened_at": NOW,
        "due_at": NOW + timedelta(hours=4),
        "expires_at": int(NOW.timestamp()) + 86_400,
        "base_currency": "USD",
        "undecided": Tally(1, Decimal("1250.00")),
        "payments": (CasePayment(85, Decimal("1250.00"), "2026-03-01T12:00:00.000000Z.hJ2c9Xl0aQs#tx-1"),),
        "reasons": {"impossible_travel": 60, "high_amount": 25},
        "entities": ("c:0001020304050607",),
    }
    return Case(**fields | changes)
