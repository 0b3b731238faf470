"""A payment that was not approved: its row in ``flagged_transactions``, in attributes that an analyst can read.

There are few rows, and people and indexes read them. So each field is an attribute of its own, unlike in ``transaction_history``.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple
from zlib import crc32

import msgspec
from msgspec import Meta

from contract.alert import AlertClaim, AlertState, RiskScore
from contract.canary import is_canary
from contract.clock import EPOCH, MILLISECOND, Instant
from contract.currency import MINOR_UNIT_EXPONENT
from contract.entity_ids import entity_names
from contract.errors import InvalidRowError
from contract.items import Item, from_item, to_item
from contract.reason import Reason
from contract.required_fields import Id
from contract.scored import Decision, ScoredTransaction
from contract.transaction import Location, Place, ShortText

if TYPE_CHECKING:
    from collections.abc import Mapping

FLAGGED_TABLE: Final = "flagged_transactions"

OPEN: Final = "open"
"""Status of a row that no analyst has decided on; the review queue queries its index for it."""

IN_REVIEW: Final = "in_review"
"""Status of a row that an analyst looks at."""

CONFIRMED_FRAUD: Final = "confirmed_fraud"
"""Status of a row whose payment was fraud, by the label that counts."""

FALSE_POSITIVE: Final = "false_positive"
"""Status of a row whose payment was legitimate, by the label that counts."""

CANARY: Final = "canary"
"""Status of a canary's row: in no queue, since nobody is to decide on it."""

CANARY_RETENTION: Final = timedelta(days=1)
"""How long a canary's row is kept."""

STATUS_SHARDS: Final = 16
"""In how many partitions of the index by status the rows of one status are. One partition takes 1,000 write units a second."""


class FlaggedKey(NamedTuple):
    """Key of a row of ``flagged_transactions``: that of the payment in ``transaction_history``."""

    user_id: str
    event_key: str


class FlaggedTransaction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of ``flagged_transactions``; the fields are its attributes."""

    user_id: Id
    event_key: str
    """With ``user_id`` the row's key, and that of the payment in ``transaction_history``."""
    transaction_id: Annotated[str, Meta(min_length=1)]
    """As the sender gave it. Senders reuse ids, so several rows may have one."""
    occurred_at: Instant
    """Event time, UTC."""
    amount: Decimal
    """Major units of ``currency``."""
    currency: str
    amount_base: Decimal | None = None
    """The amount in major units of ``base_currency``; None where the ruleset has no rate."""
    base_currency: str | None = None
    """That of the ruleset, in which amounts are compared."""
    country: str | None = None
    location: Place | Location | None = None
    merchant_id: ShortText | None = None
    merchant_category: ShortText | None = None
    channel: ShortText | None = None
    card_id: ShortText | None = None
    device_id: ShortText | None = None
    ip_address: ShortText | None = None
    payee_id: ShortText | None = None
    entity_ids: tuple[str, ...] = ()
    """What the payment touches, as :func:`contract.entity_ids.entity_name` writes it: rows that name the same one touch the same card,
    device, address, network, merchant or payee."""
    risk_score: RiskScore
    decision: Decision
    reasons: tuple[Reason, ...]
    """Most points first."""
    rule_ids: tuple[str, ...]
    """The rules of ``reasons``, for searching."""
    status: str
    """``open``, ``in_review`` while an analyst looks at it, then ``confirmed_fraud`` or ``false_positive`` by the label that counts;
    ``canary`` for a canary's."""
    status_shard: str
    """Of :func:`status_shard`; whoever changes ``status`` changes it too."""
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
    alert_state: AlertState | None = None
    alert_id: str | None = None
    """Its own alert, or the one of its window before it; none where its user had enough messages before a window was open."""
    suppression_id: str | None = None
    """The count that a suppressed payment is in: that of a digest, or of an alert's ``suppressed_before``."""
    alert_claim: AlertClaim | None = None
    """What the alert says, where it is this payment's own."""
    alerted_at: Instant | None = None

    @property
    def appended_at(self) -> datetime:
        """When Kafka took the payment, UTC."""
        return EPOCH + self.appended_at_ms * MILLISECOND

    @property
    def key(self) -> FlaggedKey:
        """Key of its row."""
        return FlaggedKey(self.user_id, self.event_key)

    @property
    def worth(self) -> tuple[str, Decimal]:
        """Currency and amount by which it is compared and added up: the base currency's, else its own."""
        if self.amount_base is not None and self.base_currency is not None:
            return self.base_currency, self.amount_base
        return self.currency, self.rounded_amount

    @property
    def rounded_amount(self) -> Decimal:
        """Amount in major units, rounded half to even to the currency's minor unit."""
        exponent = MINOR_UNIT_EXPONENT[self.currency]
        return Decimal(round(self.amount.scaleb(exponent))).scaleb(-exponent)


def flag(scored: ScoredTransaction, flagged_at: datetime, retention: timedelta) -> FlaggedTransaction:
    """Make the row of a payment that was not approved.

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
        user_id=payment.user_id,
        event_key=scored.event_key,
        transaction_id=payment.transaction_id,
        occurred_at=scored.occurred_at,
        amount=payment.amount,
        currency=payment.currency,
        amount_base=scored.amount_base,
        base_currency=scored.base_currency,
        country=payment.country,
        location=payment.location,
        merchant_id=payment.merchant_id,
        merchant_category=payment.merchant_category,
        channel=payment.channel,
        card_id=payment.card_id,
        device_id=payment.device_id,
        ip_address=payment.ip_address,
        payee_id=payment.payee_id,
        entity_ids=entity_names(payment),
        risk_score=scored.risk_score,
        decision=scored.decision,
        reasons=scored.reasons,
        rule_ids=tuple(reason.rule_id for reason in scored.reasons),
        status=status,
        status_shard=status_shard(status, FlaggedKey(payment.user_id, scored.event_key)),
        position=str(scored.position),
        ruleset_version=scored.ruleset_version,
        degraded=scored.degraded,
        appended_at_ms=(scored.appended_at - EPOCH) // MILLISECOND,
        scored_at=scored.scored_at,
        flagged_at=flagged_at,
        expires_at=int((flagged_at + retention).timestamp()),
    )


def status_shard(status: str, key: FlaggedKey) -> str:
    """Partition of a row in the index by status: ``<status>#<shard>``.

    >>> status_shard("open", FlaggedKey("user-1", "2026-03-01T12:00:00.000000Z.hJ2c9Xl0aQs#t-1"))
    'open#15'
    """
    return f"{status}#{crc32(chr(0).join(key).encode()) % STATUS_SHARDS}"


def status_shards(status: str) -> tuple[str, ...]:
    """All partitions of a status; a queue reads each and merges them by event time."""
    return tuple(f"{status}#{shard}" for shard in range(STATUS_SHARDS))


def to_flagged_key(key: FlaggedKey) -> Item:
    """Write a row's key in DynamoDB's wire form."""
    return {"user_id": {"S": key.user_id}, "event_key": {"S": key.event_key}}


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
