"""A label of a payment that the history has no row of any more finds it by what was said of it before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from contract.label import LabelVerdict
from contract.label_rows import Unfinished
from tests.support.label_world import DynamoBackend, LabelWorld
from tests.support.labels import make_message
from tests.support.payments import make_scored, make_transaction

if TYPE_CHECKING:
    from collections.abc import Callable

FRAUD = make_message(transaction_id="tx-1", label_id="dispute")
WON = make_message(
    transaction_id="tx-1",
    user_id="user-1",
    verdict=LabelVerdict.WITHDRAWN,
    fraud_type=None,
    withdraws="dispute",
)


@pytest.fixture
def backend(aws: Callable[[str], Any]) -> DynamoBackend:
    return DynamoBackend(aws("dynamodb"))


def expire(backend: DynamoBackend, *tables: str) -> None:
    for table in tables:
        for item in backend.client.scan(TableName=table)["Items"]:
            key = {name: item[name] for name in ("user_id", "event_key")}
            backend.client.delete_item(TableName=table, Key=key)


@pytest.mark.parametrize("is_flagged", [True, False], ids=["with its flagged row", "without"])
def test_a_dispute_that_is_won_after_the_payment_expired_withdraws_its_label(
    backend: DynamoBackend, is_flagged: bool
) -> None:
    world = LabelWorld(backend)
    world.pay(make_scored())
    world.send(FRAUD)
    assert world.state().risk_rows
    expire(backend, "transaction_history", *(() if is_flagged else ("flagged_transactions",)))

    world.send(WON)

    state = world.state()
    assert backend.waiting() == []
    assert (state.risk_rows, state.risks, state.verdicts) == (set(), {}, {})
    assert list(state.statuses.values()) == (["open"] if is_flagged else [])


@pytest.mark.parametrize(
    "scored", [make_scored(), make_scored(make_transaction(channel=None, location=None))]
)
def test_a_verdict_on_an_expired_payment_is_the_same_label_by_its_flagged_row(
    backend: DynamoBackend, scored: Any
) -> None:
    world = LabelWorld(backend)
    key = world.pay(scored)
    verdict = msgspec.structs.replace(FRAUD, **key._asdict())
    world.send(verdict)
    known = world.state()
    (by_history,) = backend.client.scan(TableName="labels")["Items"]
    world.clear()
    world.pay(scored)
    expire(backend, "transaction_history")

    world.send(verdict)

    (by_flagged_row,) = backend.client.scan(TableName="labels")["Items"]
    assert backend.waiting() == []
    assert by_flagged_row == by_history
    assert world.state() == known


@pytest.mark.parametrize(
    "message",
    [
        msgspec.structs.replace(WON, user_id=None),
        msgspec.structs.replace(WON, transaction_id="tx-2"),
        msgspec.structs.replace(WON, user_id="user-2"),
    ],
    ids=["no user", "another payment", "another user"],
)
def test_a_label_that_names_no_labelled_payment_waits(backend: DynamoBackend, message: Any) -> None:
    world = LabelWorld(backend)
    world.pay(make_scored())
    world.send(FRAUD)
    expire(backend, "transaction_history")

    world.send(message)

    (row,) = backend.client.scan(TableName="pending_labels")["Items"]
    assert row["reason"]["S"] == Unfinished.NO_PAYMENT
    assert len(world.state().labels) == 1


def test_of_two_labelled_payments_with_one_id_the_message_must_name_one(backend: DynamoBackend) -> None:
    world = LabelWorld(backend)
    first = make_scored()
    second = make_scored(make_transaction(amount=first.transaction.amount + 1))
    for row in (first, second):
        key = world.pay(row)
        world.send(msgspec.structs.replace(FRAUD, **key._asdict()))
    assert len(world.state().labels) == 2
    expire(backend, "transaction_history")

    world.send(WON)
    world.send(msgspec.structs.replace(WON, event_key=second.event_key))

    assert [each.field for each in world.quarantine.messages] == ["event_key"]
    assert world.state().statuses == {first.event_key: "confirmed_fraud", second.event_key: "open"}
