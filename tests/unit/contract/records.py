"""Records of the topic, valid but for what is given, their outcomes, and payments of every kind."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import strategies as st

from contract.addresses import canonical_address
from contract.errors import InvalidTransactionError
from contract.fields import MIN_COORDINATE
from contract.scored import Decision, Position, Reason, ScoredTransaction
from contract.text import canonical_text, is_acceptable_id
from contract.transaction import Location, Transaction, decode_transaction
from tests.support.payments import NOW

VALID: dict[str, Any] = {
    "transaction_id": "tx-1",
    "user_id": "user-1",
    "amount": "12.50",
    "timestamp": "2026-03-01T11:59:00Z",
}
OPTIONAL_TEXTS = (
    "merchant_id",
    "merchant_category",
    "channel",
    "card_id",
    "device_id",
    "ip_address",
    "payee_id",
)


def record(**changes: Any) -> bytes:
    fields = VALID | changes
    return json.dumps({name: value for name, value in fields.items() if value is not ...}).encode()


def refused(data: bytes) -> InvalidTransactionError:
    with pytest.raises(InvalidTransactionError) as refusal:
        decode_transaction(data, NOW)
    return refusal.value


def outcome(data: bytes) -> Transaction | InvalidTransactionError:
    try:
        return decode_transaction(data, NOW)
    except InvalidTransactionError as error:
        return error


ids = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=128).filter(is_acceptable_id)
texts = ids.map(canonical_text).filter(lambda text: 0 < len(text) <= 128 and text.isprintable())
addresses = st.ip_addresses().map(lambda address: canonical_address(str(address)))
amounts = st.integers(0, 2**53).map(lambda minor: Decimal(minor).scaleb(-2))
times = st.builds(
    lambda microseconds, hours: (NOW - timedelta(microseconds=microseconds)).astimezone(
        timezone(timedelta(hours=hours))
    ),
    st.integers(0, 50 * 365 * 86_400 * 1_000_000),
    st.integers(-11, 14),
)


def _storable(degrees: float) -> float:
    return degrees if abs(degrees) >= MIN_COORDINATE else 1.0


locations = (
    st.none()
    | texts
    | st.builds(
        Location,
        latitude=st.floats(-90, 90).map(_storable),
        longitude=st.floats(-180, 180).map(_storable),
        country=st.none() | st.just("FR"),
        city=st.none() | texts,
    )
)
transactions = st.builds(
    Transaction,
    transaction_id=ids,
    user_id=ids,
    amount=amounts,
    timestamp=times,
    currency=st.sampled_from(["USD", "EUR", "MXV"]),
    location=locations,
    **{field: st.none() | texts for field in OPTIONAL_TEXTS} | {"ip_address": st.none() | addresses},
    is_currency_assumed=st.booleans(),
    invalid_fields=st.sampled_from([(), ("channel",), ("ip_address", "location.country")]),
)
moments = st.integers(0, 4_000_000_000_000).map(
    lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)
feature_values = (
    st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
scored_transactions = st.builds(
    ScoredTransaction,
    # Decoding a record puts its time into UTC.
    transaction=transactions.map(
        lambda payment: msgspec.structs.replace(payment, timestamp=payment.timestamp.astimezone(UTC))
    ),
    position=st.builds(Position, texts, st.integers(0, 1000), st.integers(0, 2**63 - 1)),
    risk_score=st.integers(0, 100),
    decision=st.sampled_from(Decision),
    reasons=st.lists(st.builds(Reason, texts, st.integers(-100, 100), st.text()), max_size=3).map(tuple),
    shadow_rule_ids=st.lists(texts, max_size=2).map(tuple),
    failed_rule_ids=st.lists(texts, max_size=2).map(tuple),
    features=st.binary(max_size=40),
    feature_set=texts,
    ruleset_version=texts,
    profile_version=st.integers(0, 2**40),
    degraded=st.booleans(),
    appended_at=moments,
    scored_at=moments,
)
