"""What subscribers of the alert topic receive, and what the claim of an alert writes to the flagged row."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from contract.clock import Instant
from contract.reason import Reason
from contract.scored import Decision
from contract.transaction import Location

ALERT_SCHEMA_VERSION: Final = "2"
"""Goes up when a field of :class:`Alert` or :class:`AlertDigest` is removed or changes its meaning; new fields do not raise it."""

CRITICAL_RISK_SCORE: Final = 90
"""From this score on, an alert is critical, whatever the decision."""

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
    """Counted: in a later alert of the user or in a digest, and in one of them only. The row names the count."""


class AlertKind(StrEnum):
    """What a message is."""

    FIRST = "first"
    """The first alert of a window."""
    AGAIN = "again"
    """Another alert of a window, at once, because it became graver."""
    DIGEST = "digest"
    """A count of payments that no alert reported."""


class AgainReason(StrEnum):
    """Why an alert was sent again."""

    SEVERITY = "severity"
    """The payment is more severe than what was alerted."""
    AMOUNT = "amount"
    """Much more money is at stake than was alerted."""


class SuppressedPayments(msgspec.Struct, frozen=True, omit_defaults=True):
    """Payments of a user that were flagged without an alert of their own. Each is in one such count, and each count in one message."""

    count: int = 0
    id: str | None = None
    """Of this count; the rows of its payments name it. None where there is none."""
    totals: dict[str, Decimal] = {}
    """Currency to the sum in its major units: the ruleset's base currency, and those without a rate by themselves."""
    blocked: int = 0
    """Of these payments."""
    severity: Severity | None = None
    """The highest of them."""
    risk_score: int = 0
    """The highest of them."""
    first_at: Instant | None = None
    """Event time of the earliest, UTC."""
    last_at: Instant | None = None
    """Event time of the latest, UTC."""


class AlertClaim(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an alert says besides its payment. It is fixed by the claim, so that every copy of the alert says the same."""

    severity: Severity
    window_start: Instant
    """Event time of the payment that opened the window, UTC."""
    suppressed_before: SuppressedPayments
    """What was not alerted on since the user's previous message."""
    again: AgainReason | None = None
    """Why it is sent again; None for the first of its window."""


class AlertTransaction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The part of the payment that an alert shows: no address, no device, four characters of the card."""

    transaction_id: str
    """As the sender gave it."""
    amount: Decimal
    """Major units of ``currency``; a string in JSON."""
    currency: str
    amount_base: Decimal | None = None
    """The amount in ``base_currency``; None where the ruleset has no rate."""
    base_currency: str | None = None
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
    """An alert on one payment. Every copy of a message has the same ``alert_id``."""

    schema_version: str
    kind: AlertKind
    """``first`` or ``again``."""
    again: AgainReason | None = None
    """Why it is sent again; None for the first of its window."""
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
    event_key: str
    """With ``user_id`` the key of the row in ``flagged_transactions`` and in ``transaction_history``."""
    window_start: Instant
    """Event time of the payment that opened this user's window, UTC."""
    suppressed_before: SuppressedPayments
    """What was flagged and not alerted on since the user's previous message."""
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
    link: str | None = None
    """The console's page of its case; None where there is no console. Whoever opens it signs in first."""


class AlertDigest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was flagged of one user and not alerted on. Every copy of a message has the same ``alert_id``."""

    schema_version: str
    kind: AlertKind
    """``digest``."""
    alert_id: str
    """The id of the count, which the rows of its payments name as ``suppression_id``."""
    severity: Severity
    """The highest of the payments."""
    headline: str
    """One sentence for people."""
    user_id: str
    payments: SuppressedPayments
    alerted_at: Instant
    """When the message was published."""
    link: str | None = None
    """The console's page of the case; None where there is no console. Whoever opens it signs in first."""


_ENCODER = msgspec.json.Encoder(decimal_format="string", order="deterministic")
"""A copy of a message is made from a row, which keeps no order of currencies."""
_DECODER = msgspec.json.Decoder(Alert)
_DIGEST_DECODER = msgspec.json.Decoder(AlertDigest)


class _Kind(msgspec.Struct, frozen=True):
    kind: AlertKind


_KIND_DECODER = msgspec.json.Decoder(_Kind)


def encode_message(message: Alert | AlertDigest) -> bytes:
    """Write a message as machines receive it: JSON in UTF-8, amounts as strings."""
    return _ENCODER.encode(message)


def decode_alert(data: bytes | str) -> Alert:
    """Read an alert back; ``msgspec.ValidationError`` names the field that is missing or wrong."""
    return _DECODER.decode(data)


def decode_message(data: bytes | str) -> Alert | AlertDigest:
    """Read a message of any kind back; ``msgspec.ValidationError`` names the field that is missing or wrong."""
    is_digest = _KIND_DECODER.decode(data).kind is AlertKind.DIGEST
    return _DIGEST_DECODER.decode(data) if is_digest else _DECODER.decode(data)
