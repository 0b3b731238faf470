"""What a flagged payment's alert says, by protocol."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from alert.messages import send_fraud_alert
from contract.alert import AgainReason, AlertClaim, Severity, SuppressedPayments
from tests.support.payments import NOW, make_claimed

if TYPE_CHECKING:
    from common.topic import AlertMessage, PublishError


class Topic:
    """Takes messages, or refuses them."""

    def __init__(self, error: PublishError | None = None) -> None:
        self.messages: list[AlertMessage] = []
        self.error = error

    def publish(self, message: AlertMessage) -> None:
        if self.error:
            raise self.error
        self.messages.append(message)


def texts_of(**changes: Any) -> dict[str, str]:
    topic = Topic()
    send_fraud_alert(make_claimed(**changes), topic, NOW)
    (message,) = topic.messages
    texts: dict[str, str] = json.loads(message.body)
    return texts | {"subject": message.subject}


def claim(
    severity: Severity = Severity.HIGH, *, again: AgainReason | None = None, **suppressed: Any
) -> AlertClaim:
    return AlertClaim(severity, NOW - timedelta(minutes=1), SuppressedPayments(**suppressed), again)
