"""A transaction with its decision, and its row in ``transaction_history``.

The row has few attributes: its keys and what streams filter on. Everything else is one JSON text, ``detail``. An item of nine
attributes costs botocore less than half of one with twenty-five, and stays below 1 KiB, one write unit.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from contract.errors import InvalidRowError
from contract.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Mapping

HISTORY_TABLE = "transaction_history"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

FeatureValue = bool | int | float | str
"""The value of one feature; its position in the feature set says of which one."""


class Decision(StrEnum):
    """What is decided about a payment."""

    APPROVE = "approve"
    REVIEW = "review"
    BLOCK = "block"


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


class Reason(msgspec.Struct, frozen=True):
    """Why points were given."""

    rule_id: str
    points: int
    sentence: str
    """The rule's sentence with the figures in it, for people."""


class ScoredTransaction(msgspec.Struct, frozen=True, kw_only=True):
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
    features: tuple[FeatureValue, ...]
    """Values in the order of the feature set's catalogue."""
    feature_set: str
    """Version of the catalogue that gives ``features`` their names."""
    ruleset_version: str
    profile_version: int
    """How many transactions the user's profile held when this one was scored."""
    degraded: bool = False
    """True where the profile came from history because the cache could not be used."""
    appended_at: datetime
    """When Kafka took the record, UTC."""
    scored_at: datetime
    """When it was decided, UTC."""


_STORED_NAMES = {
    "transaction": "t",
    "reasons": "r",
    "shadow_rule_ids": "s",
    "failed_rule_ids": "e",
    "features": "f",
    "feature_set": "fs",
    "profile_version": "pv",
    "degraded": "d",
    "appended_at_ms": "a",
}
"""Field of :class:`HistoryDetail` to its name in the table. Rows that are stored have these names: they never change."""


class HistoryDetail(msgspec.Struct, frozen=True, omit_defaults=True, rename=_STORED_NAMES):
    """The packed part of a row. It is stored under short names, since every transaction stores them."""

    transaction: Transaction
    """The payment."""
    reasons: tuple[Reason, ...] = ()
    """Live rules that gave points, the most points first."""
    shadow_rule_ids: tuple[str, ...] = ()
    """Shadow rules that would have fired."""
    failed_rule_ids: tuple[str, ...] = ()
    """Rules that could not be evaluated."""
    features: tuple[FeatureValue, ...] = ()
    """Values in the order of the catalogue."""
    feature_set: str = ""
    """Version of the catalogue."""
    profile_version: int = 0
    """How many transactions the user's profile held before."""
    degraded: bool = False
    """True where the profile came from history because the cache could not be used."""
    appended_at_ms: int = 0
    """When Kafka took the record, ms since the epoch."""


_DETAIL_ENCODER = msgspec.json.Encoder(decimal_format="string")
_DETAIL_DECODER = msgspec.json.Decoder(HistoryDetail)


HISTORY_ATTRIBUTES = (
    "user_id",
    "event_key",
    "decision",
    "risk_score",
    "position",
    "ruleset_version",
    "scored_at_ms",
    "expires_at",
    "detail",
)
"""A row's attributes, in the order in which :func:`to_history_item` gives them."""


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
        Attribute name to typed value (``{"S": ...}`` or ``{"N": ...}``), in the order of :data:`HISTORY_ATTRIBUTES`.
    """
    detail = HistoryDetail(
        transaction=scored.transaction,
        reasons=scored.reasons,
        shadow_rule_ids=scored.shadow_rule_ids,
        failed_rule_ids=scored.failed_rule_ids,
        features=scored.features,
        feature_set=scored.feature_set,
        profile_version=scored.profile_version,
        degraded=scored.degraded,
        appended_at_ms=_to_ms(scored.appended_at),
    )
    return {
        "user_id": {"S": scored.transaction.user_id},
        "event_key": {"S": scored.transaction.event_key},
        "decision": {"S": scored.decision.value},
        "risk_score": {"N": str(scored.risk_score)},
        "position": {"S": str(scored.position)},
        "ruleset_version": {"S": scored.ruleset_version},
        "scored_at_ms": {"N": str(_to_ms(scored.scored_at))},
        "expires_at": {"N": str(expires_at_s)},
        "detail": {"S": _DETAIL_ENCODER.encode(detail).decode()},
    }


def from_history_item(item: Mapping[str, Any]) -> ScoredTransaction:
    """Read a row of ``transaction_history`` back, exactly.

    Parameters
    ----------
    item : Mapping
        In DynamoDB's wire form, as a stream or a low-level client gives it.

    Returns
    -------
    ScoredTransaction
        Equal to the one that the row was made from, to the millisecond.

    Raises
    ------
    InvalidRowError
        Naming the attribute that is missing or cannot be read.
    """
    detail: HistoryDetail = _read(item, "detail", "S", _DETAIL_DECODER.decode)
    transaction = detail.transaction
    return ScoredTransaction(
        transaction=msgspec.structs.replace(transaction, timestamp=transaction.timestamp.astimezone(UTC)),
        position=_read(item, "position", "S", Position.parse),
        risk_score=_read(item, "risk_score", "N", int),
        decision=_read(item, "decision", "S", Decision),
        reasons=detail.reasons,
        shadow_rule_ids=detail.shadow_rule_ids,
        failed_rule_ids=detail.failed_rule_ids,
        features=detail.features,
        feature_set=detail.feature_set,
        ruleset_version=_read(item, "ruleset_version", "S", str),
        profile_version=detail.profile_version,
        degraded=detail.degraded,
        appended_at=_read({"detail": {"N": detail.appended_at_ms}}, "detail", "N", _from_ms),
        scored_at=_read(item, "scored_at_ms", "N", lambda text: _from_ms(int(text))),
    )


def _read(item: Mapping[str, Any], attribute: str, kind: str, parse: Any) -> Any:
    try:
        value = item[attribute][kind]
    except (KeyError, TypeError) as error:
        raise InvalidRowError(HISTORY_TABLE, attribute, f"missing, or not of type {kind}") from error
    try:
        return parse(value)
    except (ValueError, OverflowError, msgspec.MsgspecError) as error:
        raise InvalidRowError(HISTORY_TABLE, attribute, "cannot be read") from error


def _to_ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _from_ms(at_ms: int) -> datetime:
    # Whole milliseconds: at_ms / 1000 is a binary fraction, and the microseconds would sometimes be off by one.
    return _EPOCH + timedelta(milliseconds=at_ms)
