"""What subscribers of the alert topic receive, and what the claim of an alert writes to the flagged row."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from contract.scored import Decision, Reason
from contract.transaction import Location

ALERT_SCHEMA_VERSION: Final = "1"
"""Goes up when a field of :class:`Alert` is removed or changes its meaning; new fields do not raise it."""

CRITICAL_RISK_SCORE: Final = 90
"""From this score on, an alert is critical, whatever the decision."""

Instant = Annotated[datetime, Meta(tz=True)]
"""A moment in UTC."""

RiskScore = Annotated[int, Meta(ge=0, le=100)]
"""0, nothing suspicious, to 100."""


class Severity(StrEnum):
    """How urgent an alert is."""

    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for the least urgent."""
        return list(Severity).index(self)

    @classmethod
    def of(cls, decision: Decision, risk_score: int) -> Severity:
        """Severity of a payment: critical from :data:`CRITICAL_RISK_SCORE`, else high if blocked, else medium."""
        if risk_score >= CRITICAL_RISK_SCORE:
            return cls.CRITICAL
        return cls.HIGH if decision is Decision.BLOCK else cls.MEDIUM


class AlertState(StrEnum):
    """How far the alert stage is with a flagged payment; a row without one has not been processed."""

    CLAIMED = "claimed"
    """An alert is to be sent; perhaps it has been."""
    SENT = "sent"
    SUPPRESSED = "suppressed"
    """Reported by the alert of its window; the row has the id of that alert."""


class SuppressedPayments(msgspec.Struct, frozen=True, omit_defaults=True):
    """Payments that were flagged without an alert of their own."""

    count: int = 0
    total: Decimal | None = None
    """Sum in major units of ``currency``; None for none, or in more than one currency."""
    currency: str | None = None
    """ISO 4217, where all were in the same one."""


class AlertClaim(msgspec.Struct, frozen=True):
    """What an alert says besides its payment. It is fixed by the claim, so that every copy of the alert says the same."""

    severity: Severity
    window_start: Instant
    """Event time of the payment that opened the window, UTC."""
    suppressed_before: SuppressedPayments
    """What was not alerted on since the user's previous alert."""


class AlertTransaction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The part of the payment that an alert shows: no address, no device, four characters of the card."""

    transaction_id: str
    """As the sender gave it."""
    amount: Decimal
    """Major units of ``currency``; a string in JSON."""
    currency: str
    occurred_at: Instant
    """Event time, UTC."""
    country: str | None = None
    location: str | Location | None = None
    merchant_id: str | None = None
    merchant_category: str | None = None
    channel: str | None = None
    card_last4: str | None = None
    """The last four characters of the card's token."""
    payee_id: str | None = None


class Alert(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message on the topic. Every copy of a message has the same ``alert_id``."""

    schema_version: str
    alert_id: str
    severity: Severity
    decision: Decision
    risk_score: RiskScore
    headline: str
    """One sentence for people."""
    reasons: tuple[Reason, ...]
    """Most points first."""
    transaction: AlertTransaction
    user_id: str
    flagged_transaction_id: str
    """Key of the row in ``flagged_transactions``: the payment's id, unless another payment has that id."""
    window_start: Instant
    """Event time of the payment that opened this user's window, UTC."""
    suppressed_before: SuppressedPayments
    """What was flagged and not alerted on since the previous alert."""
    position: str
    """The payment in Kafka: ``topic/partition/offset``."""
    ruleset_version: str
    scored_degraded: bool
    """True where the payment was scored without the cache."""
    appended_at: Instant
    """When Kafka took the payment, UTC."""
    scored_at: Instant
    alerted_at: Instant
    """When the message was published."""


_ENCODER = msgspec.json.Encoder(decimal_format="string")
_DECODER = msgspec.json.Decoder(Alert)


def encode_alert(alert: Alert) -> bytes:
    """Write an alert as machines receive it: JSON in UTF-8, amounts as strings."""
    return _ENCODER.encode(alert)


def decode_alert(data: bytes | str) -> Alert:
    """Read an alert back; ``msgspec.ValidationError`` names the field that is missing or wrong."""
    return _DECODER.decode(data)
