"""Cases for tests, valid by default, with any field changed by name."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec

from contract.alert import Severity
from contract.case import Case, CasePayment, CaseStatus, Tally, owner_of
from contract.case_decision import CaseDecision, DecidedPayment, Ruling
from contract.label import FraudType, LabelVerdict
from tests.support.labels import EVENT_KEY
from tests.support.payments import NOW

FRAUD = Ruling(
    verdict=LabelVerdict.FRAUD, fraud_type=FraudType.ACCOUNT_TAKEOVER, confidence=0.7, note="New device."
)


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
        "expires_at": 1_900_000_000,  # not by the clock of the tests: an emulator deletes what expired
        "base_currency": "USD",
        "undecided": Tally(1, Decimal("1250.00")),
        "payments": (CasePayment(85, Decimal("1250.00"), "2026-03-01T12:00:00.000000Z.hJ2c9Xl0aQs#tx-1"),),
        "reasons": {"impossible_travel": 60, "high_amount": 25},
        "entities": ("c:0001020304050607",),
    }
    return Case(**fields | changes)


def make_decision(**changes: Any) -> CaseDecision:
    """Two payments that somebody called fraud."""
    decision = CaseDecision(
        case_id="80048216f18b6e4f9049b00fb70d7d1f-1",
        decision_id="form-0123456789ab",
        user_id="user-1",
        analyst="ann",
        decided_at=NOW,
        ruling=FRAUD,
        payments=(
            DecidedPayment(EVENT_KEY, "t-1"),
            DecidedPayment(EVENT_KEY.replace("t-1", "t-2"), "t-2"),
        ),
        amount_base=Decimal("2500.00"),
        expires_at=1_900_000_000,
    )
    return msgspec.structs.replace(decision, **changes)
