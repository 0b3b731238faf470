"""Alerts on the canary's payments, as its queue receives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from contract.canary import canary_payment
from tests.support.payments import make_alert_of, make_claimed, make_flagged

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from contract.alert import Alert


def canary_alert(user_id: str, sent_at: datetime, latency: timedelta) -> Alert:
    """The alert on a canary's payment, published so long after it was sent."""
    claimed = make_claimed()
    flagged = make_flagged(
        canary_payment(user_id, sent_at),
        alert_state=claimed.alert_state,
        alert_id=claimed.alert_id,
        alert_claim=claimed.alert_claim,
    )
    return msgspec.structs.replace(make_alert_of(flagged), alerted_at=sent_at + latency)
