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
from contract.clock import TimeBasis
from contract.errors import InvalidTransactionError
from contract.fields import MIN_COORDINATE
from contract.reason import Reason
from contract.scored import Decision, OtherVerdict, Position, ScoredTransaction
from contract.side import Side
from contract.text import canonical_text, is_acceptable_id
from contract.transaction import Location, Transaction, decode_transaction
from contract.verdict import Verdict
from tests.support.payments import NOW, make_scored, make_transaction

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
        decode_transaction(data)
    return refusal.value


def outcome(data: bytes) -> Transaction | InvalidTransactionError:
    try:
        return decode_transaction(data)
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
hashes = st.integers(0, 2**64 - 1)
verdicts = st.builds(
    Verdict,
    hashes,
    st.booleans(),
    hashes,
    st.integers(0, 2**32 - 1),
    st.tuples(*[st.integers(0, 2**32 - 1)] * 6),
)
any_times = st.datetimes(timezones=st.just(UTC))
"""Of the whole calendar, absurd ones too."""


def _with_times(scored: ScoredTransaction, absurd: datetime) -> ScoredTransaction:
    """A time that is not believed may be any; one that is believed is in UTC, since decoding a record puts it there."""
    payment = scored.transaction
    at = absurd if scored.basis is TimeBasis.APPENDED else payment.timestamp.astimezone(UTC)
    return msgspec.structs.replace(scored, transaction=msgspec.structs.replace(payment, timestamp=at))


scored_transactions = st.builds(
    ScoredTransaction,
    transaction=transactions,
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
    basis=st.sampled_from(TimeBasis),
    repeats=st.just(0) | hashes,
    releases=st.lists(hashes, max_size=3).map(tuple),
    verdicts=st.lists(verdicts, max_size=2).map(tuple),
    side=st.sampled_from(Side),
    other=st.none() | st.builds(OtherVerdict, st.sampled_from(Decision), st.integers(0, 100)),
    appended_at=moments,
    scored_at=moments,
).flatmap(lambda scored: any_times.map(lambda absurd: _with_times(scored, absurd)))


def make_taught(**changes: Any) -> ScoredTransaction:
    """A row with an absurd event time, a repeat, releases and verdicts."""
    taught: dict[str, Any] = {
        "basis": TimeBasis.APPENDED,
        "repeats": 2**64 - 1,
        "releases": (1, 2**63),
        "verdicts": (
            Verdict(2**64 - 2, True, 3, 1_772_366_340, (8, 1, 2, 3, 4, 0)),
            Verdict(5, False, 6, 2**32 - 1, (0, 0, 0, 0, 0, 5)),
        ),
    }
    payment = make_transaction(timestamp=datetime(1, 1, 1, tzinfo=UTC))
    return make_scored(payment, **taught | changes)
