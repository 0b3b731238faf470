"""A label names one payment, and an error names the field that would distinguish several."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from contract.clock import TimeBasis
from contract.errors import InvalidLabelError
from contract.flagged import FlaggedKey
from label.finder import MAX_CANDIDATES, PaymentFinder
from tests.support.label_world import Calls, DynamoBackend
from tests.support.labels import make_message
from tests.support.payments import NOW, make_scored, make_transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contract.scored import ScoredTransaction

AT = NOW - timedelta(minutes=1)


def pay(dynamo: DynamoBackend, scored: ScoredTransaction | None = None, **changes: Any) -> FlaggedKey:
    scored = scored or make_scored(make_transaction(**changes))
    key = FlaggedKey(scored.transaction.user_id, scored.event_key)
    dynamo.pay(scored, key, is_flagged=False)
    return key


def found(dynamo: DynamoBackend, *, index: bool = True, **fields: Any) -> FlaggedKey | None:
    dynamo.index = "by_transaction_id" if index else ""
    finder: PaymentFinder = dynamo.parts(Calls())[0]
    payment = finder.find(make_message(**{"transaction_id": "tx-1"} | fields))
    return None if payment is None else payment.key


def field_of(dynamo: DynamoBackend, **fields: Any) -> str:
    with pytest.raises(InvalidLabelError) as caught:
        found(dynamo, **fields)
    assert "tx-1" not in str(caught.value)
    return caught.value.field


def test_transaction_id_is_enough_for_one_payment(dynamo: DynamoBackend) -> None:
    key = pay(dynamo)
    pay(dynamo, transaction_id="tx-2")

    assert found(dynamo) == key
    assert found(dynamo, transaction_id="tx-3") is None


def test_payments_of_several_users_need_the_user(dynamo: DynamoBackend) -> None:
    pay(dynamo)
    other = pay(dynamo, user_id="user-2")

    assert field_of(dynamo) == "user_id"
    assert found(dynamo, user_id="user-2") == other
    assert found(dynamo, user_id="user-3") is None


def test_payments_of_one_user_need_the_time_or_the_key(dynamo: DynamoBackend) -> None:
    pay(dynamo)
    later = pay(dynamo, timestamp=AT + timedelta(seconds=5))

    assert field_of(dynamo) == field_of(dynamo, user_id="user-1") == "timestamp"
    assert found(dynamo, timestamp=AT + timedelta(seconds=5.4)) == later
    assert found(dynamo, event_key=later.event_key) == later
    assert found(dynamo, user_id="user-1", event_key=later.event_key) == later


def test_payments_of_one_user_at_one_time_need_the_key(dynamo: DynamoBackend) -> None:
    one = pay(dynamo)
    pay(dynamo, amount=Decimal(9900))

    assert field_of(dynamo, timestamp=AT) == "event_key"
    assert found(dynamo, timestamp=AT, event_key=one.event_key) == one


@pytest.mark.parametrize("hours", [-20, 20])
def test_time_without_its_zone_still_finds_the_only_payment(dynamo: DynamoBackend, hours: int) -> None:
    key = pay(dynamo)

    assert found(dynamo, timestamp=AT + timedelta(hours=hours)) == key
    assert found(dynamo, timestamp=AT + timedelta(hours=30)) is None


def test_payment_whose_time_was_not_believed_is_found_by_the_time_that_its_sender_gave(
    dynamo: DynamoBackend,
) -> None:
    claimed = AT - timedelta(days=400)
    key = pay(dynamo, make_scored(make_transaction(timestamp=claimed), basis=TimeBasis.APPENDED))
    pay(dynamo, timestamp=AT)

    assert found(dynamo, timestamp=claimed) == key


def test_row_that_repeats_a_payment_is_no_payment_of_its_own(dynamo: DynamoBackend) -> None:
    key = pay(dynamo)
    repeat = make_scored(make_transaction(timestamp=AT + timedelta(seconds=2)), repeats=17)
    pay(dynamo, repeat)

    assert found(dynamo) == key


def test_id_that_a_sender_uses_for_everything_needs_the_key(dynamo: DynamoBackend) -> None:
    keys = [pay(dynamo, timestamp=AT + timedelta(minutes=number)) for number in range(MAX_CANDIDATES + 1)]

    assert field_of(dynamo) == "user_id"
    assert field_of(dynamo, user_id="user-1") == "event_key"
    assert found(dynamo, user_id="user-1", event_key=keys[3].event_key) == keys[3]


def test_payment_of_the_canary_is_refused(dynamo: DynamoBackend) -> None:
    pay(dynamo, user_id="canary-7")

    assert field_of(dynamo) == "transaction_id"
    assert field_of(dynamo, user_id="canary-7") == "user_id"


def without_index(dynamo: DynamoBackend, fields: Sequence[str]) -> str:
    given: dict[str, Any] = {"user_id": "user-1", "timestamp": AT}
    return field_of(dynamo, index=False, **{field: given[field] for field in fields})


def test_without_the_index_user_and_time_are_required(dynamo: DynamoBackend) -> None:
    key = pay(dynamo)
    pay(dynamo, transaction_id="tx-2")

    assert without_index(dynamo, []) == without_index(dynamo, ["timestamp"]) == "user_id"
    assert without_index(dynamo, ["user_id"]) == "timestamp"
    assert found(dynamo, index=False, user_id="user-1", timestamp=AT) == key
    assert found(dynamo, index=False, user_id="user-1", timestamp=AT + timedelta(seconds=1)) == key
    assert found(dynamo, index=False, user_id="user-1", timestamp=AT + timedelta(seconds=3)) is None
    assert found(dynamo, index=False, user_id="user-1", event_key=key.event_key) == key


def test_without_the_index_payments_of_one_time_need_the_key(dynamo: DynamoBackend) -> None:
    pay(dynamo)
    pay(dynamo, amount=Decimal(9900))

    assert field_of(dynamo, index=False, user_id="user-1", timestamp=AT) == "event_key"
