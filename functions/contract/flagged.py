"""A payment that was not approved: its row in ``flagged_transactions``, in attributes that an analyst can read.

There are few rows, and people and indexes read them. So each field is an attribute of its own, unlike in ``transaction_history``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from msgspec import Meta

from contract.alert import AlertClaim, AlertState, Instant, RiskScore
from contract.canary import is_canary
from contract.currency import MINOR_UNIT_EXPONENT
from contract.errors import InvalidRowError
from contract.items import Item, from_item, to_item
from contract.required_fields import Id
from contract.scored import Decision, Reason, ScoredTransaction
from contract.transaction import Location, Place, ShortText

if TYPE_CHECKING:
    from collections.abc import Mapping

FLAGGED_TABLE: Final = "flagged_transactions"

OPEN: Final = "open"
"""Status of a row that no analyst has decided on; the review queue queries its index for it."""

CANARY: Final = "canary"
"""Status of a canary's row: in no queue, since nobody is to decide on it."""

CANARY_RETENTION: Final = timedelta(days=1)
"""How long a canary's row is kept."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class FlaggedTransaction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of ``flagged_transactions``; the fields are its attributes."""

    transaction_id: Annotated[str, Meta(min_length=1)]
    """The row's key: the payment's own id, or ``<id>~<digest>`` where another payment has that id."""
    user_id: Id
    event_key: str
    """With ``user_id`` the key of the payment in ``transaction_history``."""
    occurred_at: Instant
    """Event time, UTC."""
    amount: Decimal
    """Major units of ``currency``."""
    currency: str
    country: str | None = None
    location: Place | Location | None = None
    merchant_id: ShortText | None = None
    merchant_category: ShortText | None = None
    channel: ShortText | None = None
    card_id: ShortText | None = None
    device_id: ShortText | None = None
    ip_address: ShortText | None = None
    payee_id: ShortText | None = None
    risk_score: RiskScore
    decision: Decision
    reasons: tuple[Reason, ...]
    """Most points first."""
    rule_ids: tuple[str, ...]
    """The rules of ``reasons``, for searching."""
    status: str
    """``open`` until an analyst decides; ``canary`` for a canary's."""
    position: str
    """``topic/partition/offset``."""
    ruleset_version: str
    degraded: bool
    """True where the payment was scored without the cache."""
    appended_at_ms: int
    """When Kafka took the payment, ms since the epoch."""
    scored_at: Instant
    flagged_at: Instant
    """When this row was made."""
    expires_at: int
    """When DynamoDB may delete the row, seconds since the epoch."""
    transaction_id_conflict: bool = False
    """True where another payment with the same transaction id was flagged before."""
    alert_state: AlertState | None = None
    alert_id: str | None = None
    """The alert that reports this payment: its own, or that of its window."""
    alert_claim: AlertClaim | None = None
    """What the alert says, where it is this payment's own."""
    alerted_at: Instant | None = None

    @property
    def appended_at(self) -> datetime:
        """When Kafka took the payment, UTC."""
        return _EPOCH + timedelta(milliseconds=self.appended_at_ms)

    @property
    def reported_transaction_id(self) -> str:
        """The payment's id as its sender gave it."""
        return self.event_key.partition("#")[2]

    @property
    def rounded_amount(self) -> Decimal:
        """Amount in major units, rounded half to even to the currency's minor unit."""
        exponent = MINOR_UNIT_EXPONENT[self.currency]
        return Decimal(round(self.amount.scaleb(exponent))).scaleb(-exponent)


def flag(scored: ScoredTransaction, flagged_at: datetime, retention: timedelta) -> FlaggedTransaction:
    """Make the row of a payment that was not approved, under the payment's own id.

    Parameters
    ----------
    scored : ScoredTransaction
        Decided, and not approved.
    flagged_at : datetime
        The clock, aware.
    retention : timedelta
        How long the row is kept from then on.

    Returns
    -------
    FlaggedTransaction
        Open, and not yet seen by the alert stage. A canary's is in no queue, and is kept for a day at most.
    """
    payment = scored.transaction
    status = OPEN
    if is_canary(payment.user_id):
        status, retention = CANARY, min(retention, CANARY_RETENTION)
    return FlaggedTransaction(
        transaction_id=payment.transaction_id,
        user_id=payment.user_id,
        event_key=scored.event_key,
        occurred_at=scored.occurred_at,
        amount=payment.amount,
        currency=payment.currency,
        country=payment.country,
        location=payment.location,
        merchant_id=payment.merchant_id,
        merchant_category=payment.merchant_category,
        channel=payment.channel,
        card_id=payment.card_id,
        device_id=payment.device_id,
        ip_address=payment.ip_address,
        payee_id=payment.payee_id,
        risk_score=scored.risk_score,
        decision=scored.decision,
        reasons=scored.reasons,
        rule_ids=tuple(reason.rule_id for reason in scored.reasons),
        status=status,
        position=str(scored.position),
        ruleset_version=scored.ruleset_version,
        degraded=scored.degraded,
        appended_at_ms=(scored.appended_at - _EPOCH) // timedelta(milliseconds=1),
        scored_at=scored.scored_at,
        flagged_at=flagged_at,
        expires_at=int((flagged_at + retention).timestamp()),
    )


def under_conflict_key(flagged: FlaggedTransaction, digest_length: int) -> FlaggedTransaction:
    """Move a row to a key of its own, because another payment was flagged under the same transaction id.

    Parameters
    ----------
    flagged : FlaggedTransaction
        The payment's row.
    digest_length : int
        Hexadecimal digits of the payment's digest to put behind the id, 1 to 64.

    Returns
    -------
    FlaggedTransaction
        The same payment under ``<id>~<digest>``: the same key at every delivery, and almost certainly no other payment's.
    """
    # An array, not the two joined by a character: a user_id may contain any character that could join them.
    digest = sha256(msgspec.json.encode([flagged.user_id, flagged.event_key])).hexdigest()
    key = f"{flagged.reported_transaction_id}~{digest[:digest_length]}"
    return msgspec.structs.replace(flagged, transaction_id=key, transaction_id_conflict=True)


def to_flagged_item(flagged: FlaggedTransaction) -> Item:
    """Write the row in DynamoDB's wire form."""
    return to_item(flagged)


def from_flagged_item(item: Mapping[str, Any]) -> FlaggedTransaction:
    """Read a row back; attributes that analysts added are dropped.

    Parameters
    ----------
    item : Mapping
        In DynamoDB's wire form, as a stream or a low-level client gives it.

    Returns
    -------
    FlaggedTransaction
        Equal to the one the row was made from.

    Raises
    ------
    InvalidRowError
        Naming the attribute that is missing or cannot be read.
    """
    flagged = from_item(FLAGGED_TABLE, item, FlaggedTransaction)
    if flagged.currency not in MINOR_UNIT_EXPONENT:
        raise InvalidRowError(FLAGGED_TABLE, "currency", "not a code of ISO 4217")
    return flagged
