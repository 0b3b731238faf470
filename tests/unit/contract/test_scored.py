"""A decision's row in ``transaction_history``: exact both ways, and an unreadable one names its attribute."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given

from benchmarks.item_size import item_bytes
from contract.clock import TimeBasis
from contract.errors import InvalidRowError
from contract.flag_hour import flag_hours
from contract.history_detail import StoredPayment
from contract.reason import Reason
from contract.scored import (
    FLAGGED_HISTORY_ATTRIBUTES,
    HISTORY_ATTRIBUTES,
    Decision,
    Position,
    ScoredTransaction,
    from_history_item,
    to_history_item,
)
from contract.transaction import Transaction
from tests.support.payments import make_scored, make_transaction
from tests.unit.contract.records import make_taught, scored_transactions

EXPIRES_AT_S = 1_900_000_000


def broken(**changes: Any) -> dict[str, Any]:
    item = to_history_item(make_scored(), EXPIRES_AT_S) | changes
    return {name: value for name, value in item.items() if value is not ...}


@given(scored_transactions)
def test_row_gives_back_the_decision_it_was_made_from(scored: ScoredTransaction) -> None:
    again = from_history_item(to_history_item(scored, EXPIRES_AT_S))

    assert again == scored
    assert (again.event_key, again.occurred_at) == (scored.event_key, scored.occurred_at)


@given(scored_transactions)
def test_row_is_read_as_a_client_gives_it_too_with_binary_values_as_bytes(scored: ScoredTransaction) -> None:
    item: dict[str, Any] = to_history_item(scored, EXPIRES_AT_S)

    again = from_history_item(item | {"features": {"B": scored.features}})

    assert again == from_history_item(item)


ROW_OF_FORMAT_1 = {
    "user_id": {"S": "user-1"},
    "event_key": {"S": "2026-03-01T11:59:00.000000Z#tx-1"},
    "decision": {"S": "block"},
    "risk_score": {"N": "85"},
    "position": {"S": "transaction_stream/3/42"},
    "ruleset_version": {"S": "7"},
    "scored_at_ms": {"N": "1772366371000"},
    "expires_at": {"N": "1900000000"},
    "detail": {
        "S": '{"t":{"transaction_id":"tx-1","user_id":"user-1","amount":"1250.00","timestamp":"2026-03-01T11:59:00Z",'
        '"merchant_category":"electronics","channel":"online","card_id":"tok_000000001234"},'
        '"r":[{"rule_id":"high_amount","points":25,"sentence":"25 times the usual amount."}],'
        '"s":["shadow"],"e":["failed"],"f":[1250.0,3,true,"FR"],"fs":"3","pv":12,"d":true,"a":1772366370000}'
    },
}


def test_row_of_format_1_is_read_with_everything_that_it_says() -> None:
    row = from_history_item(ROW_OF_FORMAT_1)

    assert row == make_scored(
        make_transaction(location=None, device_id=None, ip_address=None, merchant_id=None),
        reasons=(Reason("high_amount", 25, "25 times the usual amount."),),
        shadow_rule_ids=("shadow",),
        failed_rule_ids=("failed",),
        features=msgspec.msgpack.encode([1250.0, 3, True, "FR"]),
        feature_set="3",
        degraded=True,
        basis=TimeBasis.TRUSTED,
        has_content_mark=False,
    )


ROW_OF_FORMAT_2 = {name: value for name, value in ROW_OF_FORMAT_1.items() if name != "detail"} | {
    "features": {"B": "lM4AvrwgA8OiRlI="},
    "detail": {
        "S": '{"v":2,"t":{"a":"1250.00","c":"USD","k":"electronics","h":"online","n":"tok_000000001234"},'
        '"r":[{"rule_id":"high_amount","points":25,"sentence":"25 times the usual amount."}],'
        '"s":["shadow"],"e":["failed"],"fs":"861800","pv":12,"d":true,"a":1772366370000}'
    },
}


def test_row_of_format_2_is_read_with_everything_that_it_says() -> None:
    row = from_history_item(ROW_OF_FORMAT_2)

    assert row == make_scored(
        make_transaction(location=None, device_id=None, ip_address=None, merchant_id=None),
        reasons=(Reason("high_amount", 25, "25 times the usual amount."),),
        shadow_rule_ids=("shadow",),
        failed_rule_ids=("failed",),
        features=msgspec.msgpack.encode([12_500_000, 3, True, "FR"]),
        feature_set="861800",
        degraded=True,
        basis=TimeBasis.TRUSTED,
        has_content_mark=False,
    )


@pytest.mark.parametrize("item", [ROW_OF_FORMAT_1, ROW_OF_FORMAT_2])
def test_row_of_an_earlier_format_keeps_its_key_and_teaches_nothing_but_its_payment(
    item: dict[str, dict[str, str]],
) -> None:
    row = from_history_item(item)

    assert row.event_key == item["event_key"]["S"]
    assert (row.repeats, row.releases, row.verdicts) == (0, (), ())


def test_row_read_in_an_earlier_format_is_written_in_the_one_of_today_and_says_the_same() -> None:
    for item in (ROW_OF_FORMAT_1, ROW_OF_FORMAT_2):
        row = from_history_item(item)

        again = to_history_item(row, EXPIRES_AT_S)

        assert from_history_item(again) == row
        assert again["event_key"] == item["event_key"]


def test_row_with_a_time_that_is_not_believed_has_both_times() -> None:
    claimed = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    appended_at = datetime(2026, 3, 1, 11, 59, 30, 123_000, tzinfo=UTC)
    scored = make_scored(
        make_transaction(timestamp=claimed), basis=TimeBasis.APPENDED, appended_at=appended_at
    )

    item = to_history_item(scored, EXPIRES_AT_S)
    again = from_history_item(item)

    assert item["event_key"] == {"S": "2026-03-01T11:59:30.123000Z.GslHS1QToi0#tx-1"}
    assert again.transaction.timestamp == claimed
    assert again.appended_at == again.occurred_at == appended_at


@pytest.mark.parametrize("basis", [TimeBasis.BELIEVED, TimeBasis.TRUSTED])
def test_row_with_a_time_that_is_believed_has_it_in_its_key_alone(basis: TimeBasis) -> None:
    scored = make_scored(basis=basis)

    item = to_history_item(scored, EXPIRES_AT_S)

    assert item["event_key"] == {"S": "2026-03-01T11:59:00.000000Z.GslHS1QToi0#tx-1"}
    assert "2026-03-01T11:59" not in item["detail"]["S"]
    assert scored.occurred_at == scored.transaction.timestamp


def test_row_keeps_microseconds_of_the_time_in_its_key_and_milliseconds_of_the_broker() -> None:
    at = datetime(2026, 3, 1, 11, 59, 0, 999_999, tzinfo=UTC)
    appended_at = datetime(2026, 3, 1, 11, 59, 30, 1_000, tzinfo=UTC)
    scored = make_scored(make_transaction(timestamp=at), appended_at=appended_at)

    again = from_history_item(to_history_item(scored, EXPIRES_AT_S))

    assert again.transaction.timestamp == at
    assert again.appended_at == appended_at


def test_row_names_what_it_repeats_releases_and_applies() -> None:
    detail = to_history_item(make_taught(), EXPIRES_AT_S)["detail"]["S"]

    assert detail.endswith(
        '"a":1772366370000,"b":"a","ts":"0001-01-01T00:00:00Z","rp":18446744073709551615,'
        '"rl":[1,9223372036854775808],'
        '"vd":[[18446744073709551614,true,3,1772366340,[8,1,2,3,4,0]],[5,false,6,4294967295,[0,0,0,0,0,5]]]}'
    )
    assert from_history_item(to_history_item(make_taught(), EXPIRES_AT_S)) == make_taught()


def test_row_says_that_its_place_is_doubted_and_else_nothing_of_it() -> None:
    doubted = make_scored(is_place_doubted=True)

    item = to_history_item(doubted, EXPIRES_AT_S)

    assert item["detail"]["S"].endswith(',"pd":true}')
    assert from_history_item(item) == doubted
    assert '"pd"' not in to_history_item(make_scored(), EXPIRES_AT_S)["detail"]["S"]


def test_row_names_what_a_suspicious_payment_is_worth_and_says_nothing_where_that_is_unknown() -> None:
    worth = make_scored(amount_base=Decimal("1104.05"), base_currency="CHF")
    without_rate = make_scored(base_currency="CHF")

    assert to_history_item(worth, EXPIRES_AT_S)["detail"]["S"].endswith(',"ab":"1104.05","bc":"CHF"}')
    assert to_history_item(without_rate, EXPIRES_AT_S)["detail"]["S"].endswith(',"bc":"CHF"}')
    assert from_history_item(to_history_item(worth, EXPIRES_AT_S)) == worth
    assert from_history_item(to_history_item(without_rate, EXPIRES_AT_S)) == without_rate


def test_row_holds_its_keys_and_what_streams_filter_on_as_attributes() -> None:
    item = to_history_item(make_scored(), EXPIRES_AT_S)

    assert tuple(item) == FLAGGED_HISTORY_ATTRIBUTES
    assert item["user_id"] == {"S": "user-1"}
    assert item["event_key"] == {"S": "2026-03-01T11:59:00.000000Z.GslHS1QToi0#tx-1"}
    assert item["decision"] == {"S": "block"}
    assert item["expires_at"] == {"N": "1900000000"}


def test_detail_has_short_names_and_nothing_that_the_keys_say() -> None:
    scored = make_scored(
        make_transaction(location=None, device_id=None, ip_address=None, merchant_id=None),
        reasons=(Reason("high_amount", 25, "25 times the usual amount."),),
        shadow_rule_ids=("shadow",),
        failed_rule_ids=("failed",),
        degraded=True,
    )

    stored = to_history_item(scored, EXPIRES_AT_S)["detail"]["S"]

    assert stored == (
        '{"v":3,"t":{"a":"1250.00","c":"USD","k":"electronics","h":"online","n":"tok_000000001234"},'
        '"r":[{"rule_id":"high_amount","points":25,"sentence":"25 times the usual amount."}],'
        '"s":["shadow"],"e":["failed"],"fs":"1","pv":12,"d":true,"a":1772366370000}'
    )


def test_row_of_a_usual_payment_is_one_write_unit() -> None:
    item = to_history_item(make_scored(features=bytes(320)), EXPIRES_AT_S)

    assert item_bytes(item) < 1024


@pytest.mark.parametrize(
    "attribute",
    [
        "detail",
        "user_id",
        "event_key",
        "position",
        "risk_score",
        "decision",
        "ruleset_version",
        "scored_at_ms",
    ],
)
def test_missing_attribute_is_named(attribute: str) -> None:
    with pytest.raises(InvalidRowError) as refusal:
        from_history_item(broken(**{attribute: ...}))

    assert (refusal.value.table, refusal.value.attribute) == ("transaction_history", attribute)
    assert refusal.value.problem.startswith("missing")


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("detail", {"S": "{"}),
        ("detail", {"S": "{}"}),
        ("detail", {"S": '{"t": {"user_id": "x"}}'}),
        ("detail", {"S": '{"v":2,"t":{"a":"x","c":"EUR"}}'}),
        ("detail", {"S": '{"v":3,"t":{"a":"1","c":"EUR"},"b":"x"}'}),
        ("detail", {"S": '{"v":3,"t":{"a":"1","c":"EUR"},"ts":"yesterday"}'}),
        ("detail", {"S": '{"v":3,"t":{"a":"1","c":"EUR"},"vd":[[1,true]]}'}),
        ("detail", {"S": '{"v":3,"t":{"a":"1","c":"EUR"},"a":1000000000000000000}'}),
        ("features", {"B": "not base64"}),
        ("event_key", {"S": "2026-03-01T11:59:00.000000Z"}),
        ("event_key", {"S": "yesterday#tx-1"}),
        ("position", {"S": "no position"}),
        ("position", {"S": "topic/x/1"}),
        ("risk_score", {"N": "high"}),
        ("decision", {"S": "maybe"}),
        ("scored_at_ms", {"N": "1.5"}),
        ("scored_at_ms", {"N": "9" * 20}),
    ],
)
def test_attribute_that_cannot_be_read_is_named(attribute: str, value: dict[str, str]) -> None:
    with pytest.raises(InvalidRowError) as refusal:
        from_history_item(broken(**{attribute: value}))

    assert (refusal.value.attribute, refusal.value.problem) == (attribute, "cannot be read")


@pytest.mark.parametrize("attribute", ["detail", "risk_score", "scored_at_ms"])
@pytest.mark.parametrize("value", [{"B": b"x"}, {"NULL": True}, {}, "text", None])
def test_attribute_of_another_type_is_named(attribute: str, value: object) -> None:
    with pytest.raises(InvalidRowError) as refusal:
        from_history_item(broken(**{attribute: value}))

    assert refusal.value.attribute == attribute


def test_row_has_every_field_of_a_payment() -> None:
    """A field that is added to the payment and forgotten here would be lost, and no decision on it could be recomputed."""
    of_keys = {"user_id", "transaction_id", "timestamp"}

    assert {*StoredPayment.__struct_fields__} | of_keys == {*Transaction.__struct_fields__}


def test_row_of_a_later_format_is_refused_and_not_guessed() -> None:
    detail = to_history_item(make_scored(), EXPIRES_AT_S)["detail"]["S"].replace('"v":3', '"v":4')

    with pytest.raises(InvalidRowError) as refusal:
        from_history_item(broken(detail={"S": detail}))

    assert str(refusal.value) == "transaction_history.detail: format 4; this version reads 1 to 3"


@pytest.mark.parametrize("topic", ["transaction_stream", "a/b", "a.b-c"])
def test_position_is_read_as_it_is_written(topic: str) -> None:
    position = Position(topic, 3, 2**60)

    assert Position.parse(str(position)) == position


@pytest.mark.parametrize("text", ["", "topic", "topic/1", "topic/1/", "topic//1", "topic/1/x"])
def test_text_that_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Position.parse(text)


def test_amount_keeps_its_digits_in_the_row() -> None:
    scored = make_scored(make_transaction(amount=Decimal("0.10")))

    assert str(from_history_item(to_history_item(scored, EXPIRES_AT_S)).transaction.amount) == "0.10"


@pytest.mark.parametrize("changes", [{"decision": Decision.APPROVE, "risk_score": 0}, {"repeats": 7}])
def test_only_a_row_that_is_to_be_flagged_has_its_hour(changes: dict[str, Any]) -> None:
    item = to_history_item(make_scored(**changes), EXPIRES_AT_S)

    assert tuple(item) == HISTORY_ATTRIBUTES


def test_a_row_that_is_to_be_flagged_is_in_the_hour_of_its_decision() -> None:
    scored = make_scored()

    item = to_history_item(scored, EXPIRES_AT_S)

    assert item["flag_hour"]["S"] in set(flag_hours(scored.scored_at, scored.scored_at))
    assert from_history_item(item) == scored
