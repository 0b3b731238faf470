"""The row of a flagged payment: readable attributes, exact both ways, a key of its own on a conflict."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.alert import AlertClaim, AlertState, Severity, SuppressedPayments
from contract.errors import InvalidRowError
from contract.flagged import flag, from_flagged_item, to_flagged_item, under_conflict_key
from tests.support.payments import NOW, RETENTION, make_claimed, make_flagged, make_scored, make_transaction
from tests.unit.contract.records import scored_transactions, texts

if TYPE_CHECKING:
    from contract.scored import ScoredTransaction


@given(scored_transactions)
def test_row_gives_back_the_flagged_payment_it_was_made_from(scored: ScoredTransaction) -> None:
    flagged = flag(scored, NOW, RETENTION)

    assert from_flagged_item(to_flagged_item(flagged)) == flagged


def test_row_with_an_alert_is_read_back_the_same() -> None:
    claim = AlertClaim(Severity.CRITICAL, NOW, SuppressedPayments(3, Decimal("10.50"), "EUR"))
    flagged = make_claimed(alert_claim=claim, alert_state=AlertState.SENT, alerted_at=NOW)

    assert from_flagged_item(to_flagged_item(flagged)) == flagged


def test_row_is_what_an_analyst_can_read() -> None:
    item = to_flagged_item(make_flagged())

    assert item["transaction_id"] == {"S": "tx-1"}
    assert item["status"] == {"S": "open"}
    assert item["occurred_at"] == {"S": "2026-03-01T11:59:00.000000Z"}
    assert item["amount"] == {"N": "1250.00"}
    assert item["country"] == {"S": "FR"}
    assert item["location"]["M"]["city"] == {"S": "Paris"}
    assert item["rule_ids"] == {"L": [{"S": "impossible_travel"}, {"S": "high_amount"}]}
    assert item["reasons"]["L"][0]["M"] == {
        "rule_id": {"S": "impossible_travel"},
        "points": {"N": "60"},
        "sentence": {"S": "8,000 km from the last payment in 30 minutes."},
    }
    assert item["position"] == {"S": "transaction_stream/3/42"}
    assert item["degraded"] == {"BOOL": False}
    assert item["appended_at_ms"] == {"N": str(round(NOW.timestamp() * 1000) - 30_000)}
    assert item["expires_at"] == {"N": str(round((NOW + RETENTION).timestamp()))}
    assert "alert_state" not in item
    assert "transaction_id_conflict" not in item
    assert "payee_id" not in item


def test_attributes_that_analysts_add_are_dropped() -> None:
    item = to_flagged_item(make_flagged(status="confirmed_fraud"))
    item |= {"note": {"S": "called the customer"}, "tags": {"SS": ["a"]}, "seen": {"NULL": True}}

    assert from_flagged_item(item) == make_flagged(status="confirmed_fraud")


@pytest.mark.parametrize(
    "attribute", ["transaction_id", "user_id", "event_key", "occurred_at", "amount", "decision", "reasons"]
)
def test_missing_attribute_is_named(attribute: str) -> None:
    item = to_flagged_item(make_flagged())
    del item[attribute]

    with pytest.raises(InvalidRowError) as refusal:
        from_flagged_item(item)

    assert (refusal.value.table, refusal.value.attribute) == ("flagged_transactions", attribute)
    assert refusal.value.problem == "missing"


@pytest.mark.parametrize(
    ("attribute", "value", "named"),
    [
        ("amount", {"S": "twelve"}, "amount"),
        ("amount", {"N": "twelve"}, "amount"),
        ("amount", "12", "amount"),
        ("amount", {}, "amount"),
        ("risk_score", {"N": "8.5"}, "risk_score"),
        ("decision", {"S": "secret-decision"}, "decision"),
        ("currency", {"S": "XXX"}, "currency"),
        ("occurred_at", {"S": "yesterday"}, "occurred_at"),
        ("reasons", {"L": [{"M": {"rule_id": {"S": "x"}}}]}, "reasons[0].points"),
        ("reasons", {"L": [{"S": "secret-reason"}]}, "reasons[0]"),
        ("alert_state", {"S": "lost"}, "alert_state"),
    ],
)
def test_attribute_that_cannot_be_read_is_named_without_its_value(
    attribute: str, value: Any, named: str
) -> None:
    item = to_flagged_item(make_flagged()) | {attribute: value}

    with pytest.raises(InvalidRowError) as refusal:
        from_flagged_item(item)

    assert refusal.value.attribute == named
    assert "secret" not in str(refusal.value)


@given(texts, texts, st.sampled_from([8, 64]))
def test_conflict_key_names_the_payment_and_keeps_its_id(
    user_id: str, transaction_id: str, digits: int
) -> None:
    flagged = make_flagged(make_transaction(user_id=user_id, transaction_id=transaction_id))

    moved = under_conflict_key(flagged, digits)

    assert moved.transaction_id.rpartition("~")[0] == transaction_id
    assert len(moved.transaction_id) == len(transaction_id) + 1 + digits
    assert moved.reported_transaction_id == transaction_id
    assert moved.transaction_id_conflict
    assert under_conflict_key(moved, digits) == moved


def test_conflict_keys_of_two_payments_differ_where_joined_keys_would_not() -> None:
    one = msgspec.structs.replace(make_flagged(), user_id="a#b", event_key="c#tx-1")
    other = msgspec.structs.replace(make_flagged(), user_id="a", event_key="b#c#tx-1")

    assert (
        under_conflict_key(one, 64).transaction_id[-64:] != under_conflict_key(other, 64).transaction_id[-64:]
    )


def test_id_with_a_separator_in_it_is_reported_whole() -> None:
    flagged = make_flagged(make_transaction(transaction_id="a#b~c"))

    assert flagged.reported_transaction_id == "a#b~c"


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [("12.345", "USD", "12.34"), ("0.5", "JPY", "0"), ("1E+2", "KWD", "100.000")],
)
def test_amount_is_rounded_to_the_currency(amount: str, currency: str, rounded: str) -> None:
    flagged = flag(make_scored(make_transaction(amount=Decimal(amount), currency=currency)), NOW, RETENTION)

    assert str(flagged.rounded_amount) == rounded
