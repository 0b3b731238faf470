"""Payments of users that no other end-to-end test knows."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tests.support.payments import make_minimal_payment

if TYPE_CHECKING:
    from contract.transaction import Transaction


def new_user() -> str:
    """A user id that was never used."""
    return f"user-{uuid.uuid4().hex[:12]}"


def payment(user_id: str, **changes: Any) -> Transaction:
    """A small payment, made now."""
    fields: dict[str, Any] = {
        "transaction_id": f"tx-{uuid.uuid4().hex}",
        "user_id": user_id,
        "amount": Decimal("23.40"),
        "timestamp": datetime.now(UTC),
        "merchant_id": "corner-shop",
    }
    return make_minimal_payment(**fields | changes)
