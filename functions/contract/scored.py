"""A transaction with its decision, and its row in ``transaction_history``.

The row says what its payment's fold used, so that a profile follows from rows alone: the decision, which time and place were believed,
what the payment repeats, which reviewed payments it releases to teach, which verdicts of people were applied.

The row has few attributes: its keys and what streams filter on, the packed features, and one JSON text, ``detail``
(:mod:`contract.history_detail`), with all else. Eleven attributes cost botocore less than half of twenty-five. A usual row stays below
1 KiB, one write unit, with all 150 features: they are binary (:mod:`engine.features.stored`), and the JSON has short names and nothing
that the row's other attributes say.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property, lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from contract.clock import (
    EPOCH,
    MILLISECOND,
    TimeBasis,
    event_key,
    has_content_mark,
    parse_event_key,
    time_text,
)
from contract.currency import ASSUMED_CURRENCY
from contract.errors import InvalidRowError, LaterFormatError
from contract.flag_hour import FLAG_HOUR, flag_hour
from contract.history_detail import ROW_FORMAT, HistoryDetail, HistoryDetailV1, StoredPayment, StoredVerdict
from contract.reason import Reason
from contract.side import Side
from contract.transaction import Transaction
from contract.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

HISTORY_TABLE = "transaction_history"

FeatureValue = bool | int | float | str
"""The value of one feature."""


class Decision(StrEnum):
    """What is decided about a payment."""

    APPROVE = "approve"
    REVIEW = "review"
    BLOCK = "block"


class OtherVerdict(NamedTuple):
    """What the side that did not decide would have decided about a payment."""

    decision: Decision
    risk_score: int
    """0 to 100."""


class Position(msgspec.Struct, frozen=True, order=True):
    """Where a record is in Kafka."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Position:
        """Read ``topic/partition/offset``; ValueError if it is something else."""
        topic, partition, offset = text.rsplit("/", 2)
        return cls(topic, int(partition), int(offset))


class ScoredTransaction(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A transaction, the decision on it, and everything that is needed to recompute the decision."""

    transaction: Transaction
    position: Position
    risk_score: int
    """0 to 100."""
    decision: Decision
    reasons: tuple[Reason, ...]
    """Live rules that gave points, the most points first."""
    shadow_rule_ids: tuple[str, ...] = ()
    """Shadow rules that would have fired; they give no points."""
    failed_rule_ids: tuple[str, ...] = ()
    """Rules that could not be evaluated on this transaction (a division by zero, say)."""
    features: bytes
    """Every feature's value, packed; :func:`engine.features.stored.unpack` gives them their names."""
    feature_set: str
    """Version of the catalogue by which ``features`` are packed."""
    ruleset_version: str
    profile_version: int
    """How many transactions the user's profile held when this one was scored."""
    degraded: bool = False
    """True where the profile came from checkpoints and history because the cache could not be used."""
    basis: TimeBasis
    """Which time of the payment was believed."""
    repeats: int = 0
    """64 bits of the payment that this one repeats under another time, not counted and not alerted; 0 for a payment of its own."""
    releases: tuple[int, ...] = ()
    """64 bits each of reviewed payments that teach what is normal from now on."""
    verdicts: tuple[Verdict, ...] = ()
    """Verdicts of people that are applied from this payment on."""
    is_place_doubted: bool = False
    """The payment does not say where its user is (:func:`engine.features.place.is_doubted`)."""
    amount_base: Decimal | None = None
    """Of a payment that was not approved: its amount in ``base_currency``, rounded to its minor unit; None without a rate."""
    base_currency: str | None = None
    """Of a payment that was not approved: the ruleset's base currency."""
    side: Side = Side.CHAMPION
    """Which side of the ruleset decided."""
    other: OtherVerdict | None = None
    """What the other side would have decided; None where there is none, and for a repeat."""
    appended_at: datetime
    """When Kafka took the record, UTC."""
    scored_at: datetime
    """When it was decided, UTC."""
    has_content_mark: bool = True
    """The row's key says what is paid; those of rows that were stored in formats 1 and 2 do not."""

    @property
    def occurred_at(self) -> datetime:
        """The payment's time, UTC: its event time where that is believed, else the append time."""
        return self.appended_at if self.basis is TimeBasis.APPENDED else self.transaction.timestamp

    @property
    def is_to_be_flagged(self) -> bool:
        """Whether it belongs into ``flagged_transactions``: not approved, and no repeat of a payment that is there itself."""
        return self.decision is not Decision.APPROVE and not self.repeats

    @cached_property
    def event_key(self) -> str:
        """Sort key of its row; made once, since inserting and settling ask for it several times."""
        if not self.has_content_mark:
            return f"{time_text(self.occurred_at)}#{self.transaction.transaction_id}"
        return event_key(self.occurred_at, self.transaction.content_mark, self.transaction.transaction_id)


_FORMATS_READ = (2, ROW_FORMAT)

_ENCODER = msgspec.json.Encoder(decimal_format="string")
_DETAIL_DECODER = msgspec.json.Decoder(HistoryDetail)
_V1_DECODER = msgspec.json.Decoder(HistoryDetailV1)
_FEATURES_ENCODER = msgspec.msgpack.Encoder()
_PAYMENT_VALUES = attrgetter(*StoredPayment.__struct_fields__)
_DECISION_TEXTS = {decision: decision.value for decision in Decision}
"""An enumeration's ``value`` takes ten times as long."""

HISTORY_ATTRIBUTES = (
    "user_id",
    "event_key",
    "decision",
    "risk_score",
    "position",
    "ruleset_version",
    "scored_at_ms",
    "expires_at",
    "features",
    "detail",
    "transaction_id",
)
"""An approved payment's attributes, in the order in which :func:`to_history_item` gives them."""

FLAGGED_HISTORY_ATTRIBUTES = (*HISTORY_ATTRIBUTES, FLAG_HOUR)
"""The attributes of a payment that is to be flagged."""


def to_history_item(scored: ScoredTransaction, expires_at_s: int) -> dict[str, dict[str, str]]:
    """Make the row of ``transaction_history``, in DynamoDB's wire form.

    Parameters
    ----------
    scored : ScoredTransaction
        The decided transaction.
    expires_at_s : int
        When DynamoDB may delete the row, seconds since the epoch.

    Returns
    -------
    dict
        Attribute name to typed value (``{"S": ...}``, ``{"N": ...}`` or, in base64, ``{"B": ...}``), in the order of
        :data:`HISTORY_ATTRIBUTES` or :data:`FLAGGED_HISTORY_ATTRIBUTES`.
    """
    payment = scored.transaction
    detail = HistoryDetail(
        ROW_FORMAT,
        StoredPayment(*_PAYMENT_VALUES(payment)),
        scored.reasons,
        scored.shadow_rule_ids,
        scored.failed_rule_ids,
        scored.feature_set,
        scored.profile_version,
        scored.degraded,
        _to_ms(scored.appended_at),
        scored.basis,
        payment.timestamp if scored.basis is TimeBasis.APPENDED else None,
        scored.repeats,
        scored.releases,
        scored.verdicts,
        scored.is_place_doubted,
        scored.amount_base,
        scored.base_currency,
        scored.side is Side.CANDIDATE,
        None
        if scored.other is None
        else StoredVerdict(_DECISION_TEXTS[scored.other.decision], scored.other.risk_score),
    )
    item = {
        "user_id": {"S": payment.user_id},
        "event_key": {"S": scored.event_key},
        "decision": {"S": _DECISION_TEXTS[scored.decision]},
        "risk_score": {"N": str(scored.risk_score)},
        "position": {"S": str(scored.position)},
        "ruleset_version": {"S": scored.ruleset_version},
        "scored_at_ms": {"N": str(_to_ms(scored.scored_at))},
        "expires_at": {"N": str(expires_at_s)},
        "features": {"B": b2a_base64(scored.features, newline=False).decode()},
        "detail": {"S": _ENCODER.encode(detail).decode()},
        # Only for the index by it: a row's key says it too.
        "transaction_id": {"S": payment.transaction_id},
    }
    if scored.is_to_be_flagged:
        item[FLAG_HOUR] = {"S": flag_hour(scored.scored_at, scored.event_key)}
    return item


def from_history_item(item: Mapping[str, Any]) -> ScoredTransaction:
    """Read a row of ``transaction_history`` back, exactly.

    Parameters
    ----------
    item : Mapping
        In DynamoDB's wire form, with binary values in base64 or as bytes. Rows of earlier formats are read too.

    Returns
    -------
    ScoredTransaction
        Equal to the one that the row was made from, to the millisecond.

    Raises
    ------
    InvalidRowError
        Naming the attribute that is missing or cannot be read; LaterFormatError where a later version wrote the row.
    """
    if "features" not in item:
        return _from_v1(item)
    detail: HistoryDetail = _read(item, "detail", "S", _DETAIL_DECODER.decode)
    if detail.format not in _FORMATS_READ:
        problem = f"format {detail.format}; this version reads 1 to {ROW_FORMAT}"
        raise LaterFormatError(HISTORY_TABLE, "detail", problem)
    at, transaction_id = _read(item, "event_key", "S", parse_event_key)
    payment = Transaction(
        transaction_id=transaction_id,
        user_id=_read(item, "user_id", "S", str),
        timestamp=at if detail.event_at is None else detail.event_at.astimezone(UTC),
        **msgspec.structs.asdict(detail.payment),
    )
    return _scored(
        item,
        transaction=payment,
        reasons=detail.reasons,
        shadow_rule_ids=detail.shadow_rule_ids,
        failed_rule_ids=detail.failed_rule_ids,
        features=_read(item, "features", "B", _to_bytes),
        feature_set=detail.feature_set,
        profile_version=detail.profile_version,
        degraded=detail.degraded,
        basis=detail.basis if detail.format == ROW_FORMAT else TimeBasis.TRUSTED,
        repeats=detail.repeats,
        releases=detail.releases,
        verdicts=detail.verdicts,
        is_place_doubted=detail.is_place_doubted,
        amount_base=detail.amount_base,
        base_currency=detail.base_currency,
        side=Side.CANDIDATE if detail.is_candidates else Side.CHAMPION,
        other=None if detail.other is None else _read({"detail": {"S": detail.other}}, "detail", "S", _other),
        appended_at=_read({"detail": {"N": detail.appended_at_ms}}, "detail", "N", _from_ms),
    )


def _from_v1(item: Mapping[str, Any]) -> ScoredTransaction:
    detail: HistoryDetailV1 = _read(item, "detail", "S", _V1_DECODER.decode)
    payment = detail.t
    return _scored(
        item,
        transaction=msgspec.structs.replace(
            payment,
            timestamp=payment.timestamp.astimezone(UTC),
            # Rows of format 1 left out the currency where it was this one.
            currency=payment.currency or ASSUMED_CURRENCY,
        ),
        reasons=detail.r,
        shadow_rule_ids=detail.s,
        failed_rule_ids=detail.e,
        features=_FEATURES_ENCODER.encode(detail.f),
        feature_set=detail.fs,
        profile_version=detail.pv,
        degraded=detail.d,
        basis=TimeBasis.TRUSTED,
        appended_at=_read({"detail": {"N": detail.a}}, "detail", "N", _from_ms),
    )


def _scored(item: Mapping[str, Any], **fields: Any) -> ScoredTransaction:
    """With what is the same in every format."""
    return ScoredTransaction(
        position=_read(item, "position", "S", Position.parse),
        risk_score=_read(item, "risk_score", "N", int),
        decision=_read(item, "decision", "S", Decision),
        ruleset_version=_read(item, "ruleset_version", "S", str),
        scored_at=_read(item, "scored_at_ms", "N", _from_ms),
        has_content_mark=_read(item, "event_key", "S", has_content_mark),
        **fields,
    )


def _other(stored: StoredVerdict) -> OtherVerdict:
    return OtherVerdict(Decision(stored.decision), stored.risk_score)


def _to_bytes(value: bytes | str) -> bytes:
    return a2b_base64(value) if isinstance(value, str) else value


def _read(item: Mapping[str, Any], attribute: str, kind: str, parse: Any) -> Any:
    try:
        value = item[attribute][kind]
    except (KeyError, TypeError) as error:
        raise InvalidRowError(HISTORY_TABLE, attribute, f"missing, or not of type {kind}") from error
    try:
        return parse(value)
    except (ValueError, OverflowError, msgspec.MsgspecError) as error:
        raise InvalidRowError(HISTORY_TABLE, attribute, "cannot be read") from error


@lru_cache(
    maxsize=256
)  # all payments of a batch are scored at the same time, and many have arrived in one millisecond
def _to_ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _from_ms(at_ms: int | str) -> datetime:
    # Whole milliseconds: at_ms / 1000 is a binary fraction, and the microseconds would sometimes be off by one.
    return EPOCH + int(at_ms) * MILLISECOND
