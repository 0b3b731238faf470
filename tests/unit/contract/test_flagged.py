"""The row of a flagged payment: readable attributes, exact both ways, under the key of its row in the history."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from contract.alert import AlertClaim, AlertState, Severity, SuppressedPayments
from contract.entity_ids import entity_names
from contract.errors import InvalidRowError
from contract.flagged import (
    STATUS_SHARDS,
    flag,
    from_flagged_item,
    status_shard,
    status_shards,
    to_flagged_item,
    to_flagged_key,
)
from tests.support.payments import (
    NOW,
    RETENTION,
    make_claimed,
    make_flagged,
    make_minimal_payment,
    make_scored,
    make_transaction,
)
from tests.unit.contract.records import scored_transactions

if TYPE_CHECKING:
    from contract.scored import ScoredTransaction


@given(scored_transactions)
def test_row_gives_back_the_flagged_payment_it_was_made_from(scored: ScoredTransaction) -> None:
    flagged = flag(scored, NOW, RETENTION)

    assert from_flagged_item(to_flagged_item(flagged)) == flagged


def test_row_with_an_alert_is_read_back_the_same() -> None:
    claim = AlertClaim(
        Severity.CRITICAL, NOW, SuppressedPayments(3, "c", {"EUR": Decimal("10.50")}, first_at=NOW)
    )
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
    assert (item["amount_base"], item["base_currency"]) == ({"N": "1250.00"}, {"S": "USD"})
    assert item["status_shard"]["S"].startswith("open#")
    assert "payee_id" not in item


def test_row_names_what_its_payment_touches_so_that_other_rows_can_be_found_by_it() -> None:
    one, other = (
        to_flagged_item(
            make_flagged(make_transaction(user_id=user, transaction_id=user, device_id="shared", **more))
        )
        for user, more in (("u-1", {"payee_id": "p"}), ("u-2", {"merchant_id": "m"}))
    )

    shared = {each["S"] for each in one["entity_ids"]["L"]} & {each["S"] for each in other["entity_ids"]["L"]}

    assert entity_names(make_minimal_payment(device_id="shared"))[0] in shared
    assert not {each for each in shared if each[0] in "mp"}


def test_row_of_a_payment_that_names_nothing_and_one_stored_before_have_no_entities() -> None:
    item = to_flagged_item(make_flagged(make_minimal_payment()))

    assert "entity_ids" not in item
    assert from_flagged_item(item).entity_ids == ()


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


def test_row_has_the_key_of_its_payment_in_the_history() -> None:
    scored = make_scored(make_transaction(transaction_id="a#b~c"))

    flagged = flag(scored, NOW, RETENTION)

    assert flagged.key == ("user-1", scored.event_key)
    assert to_flagged_key(flagged.key).items() <= to_flagged_item(flagged).items()
    assert flagged.transaction_id == "a#b~c"


def test_rows_of_a_status_are_in_all_its_shards_and_no_other() -> None:
    rows = [make_flagged(make_transaction(transaction_id=f"tx-{number}")) for number in range(400)]

    assert {row.status_shard for row in rows} == set(status_shards("open"))
    assert {status_shard("closed", row.key) for row in rows} == set(status_shards("closed"))
    assert len(status_shards("open")) == STATUS_SHARDS == 16


@pytest.mark.parametrize(
    ("amount_base", "base_currency", "worth"),
    [
        (Decimal("9.40"), "CHF", ("CHF", Decimal("9.40"))),
        (None, "CHF", ("USD", Decimal("12.34"))),
        (None, None, ("USD", Decimal("12.34"))),
    ],
    ids=["with a rate", "without a rate", "row of an earlier format"],
)
def test_worth_is_in_the_base_currency_or_else_in_the_payment_s_own(
    amount_base: Decimal | None, base_currency: str | None, worth: tuple[str, Decimal]
) -> None:
    flagged = make_flagged(
        make_transaction(amount=Decimal("12.345")), amount_base=amount_base, base_currency=base_currency
    )

    assert flagged.worth == worth


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [("12.345", "USD", "12.34"), ("0.5", "JPY", "0"), ("1E+2", "KWD", "100.000")],
)
def test_amount_is_rounded_to_the_currency(amount: str, currency: str, rounded: str) -> None:
    flagged = flag(make_scored(make_transaction(amount=Decimal(amount), currency=currency)), NOW, RETENTION)

    assert str(flagged.rounded_amount) == rounded
