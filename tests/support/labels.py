"""Labels and messages, valid by default."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from contract.label import Label, LabelMessage, LabelSource, LabelVerdict

KNOWN_AT = datetime(2026, 3, 8, 9, tzinfo=UTC)
"""When the default label became known: a week after :data:`tests.support.payments.NOW`."""

EVENT_KEY = "2026-03-01T12:00:00.000000Z.hJ2c9Xl0aQs#t-1"


def make_label(**changes: Any) -> Label:
    """Make a label of fraud, by an analyst."""
    label = Label(
        user_id="user-1",
        event_key=EVENT_KEY,
        label_id="l-1",
        transaction_id="t-1",
        occurred_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
        verdict=LabelVerdict.FRAUD,
        source=LabelSource.ANALYST,
        known_at=KNOWN_AT,
        recorded_at=KNOWN_AT + timedelta(seconds=1),
        expires_at=int((KNOWN_AT + timedelta(days=1_000)).timestamp()),
    )
    return msgspec.structs.replace(label, **changes)


def make_withdrawal(label: Label, **changes: Any) -> Label:
    """Withdraw a label, an hour after it became known."""
    made = make_label(
        label_id=f"w-{label.label_id}",
        verdict=LabelVerdict.WITHDRAWN,
        source=label.source,
        known_at=label.known_at + timedelta(hours=1),
        withdraws=label.label_id,
    )
    return msgspec.structs.replace(made, **changes)


def make_message(**changes: Any) -> LabelMessage:
    """Make a message that calls the default payment fraud."""
    message = LabelMessage(
        transaction_id="t-1", verdict=LabelVerdict.FRAUD, source=LabelSource.ANALYST, known_at=KNOWN_AT
    )
    return msgspec.structs.replace(message, **changes)
