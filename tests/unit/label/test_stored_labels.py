"""After stored labels are sent again, everything is what they say, also what a restored table had lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from contract.label import LabelVerdict
from contract.scored import Decision
from ops.errors import OpsError
from ops.stored_labels import MAX_TRIES, MESSAGES_A_CALL, send_again
from tests.support.label_world import DynamoBackend, LabelWorld
from tests.support.labels import make_message
from tests.support.payments import make_scored, make_transaction

if TYPE_CHECKING:
    from collections.abc import Callable

PAYMENTS = 13
"""More than a message of the queue holds; moto copies all its tables for each transaction."""


class Queue:
    """Takes messages; refuses the first of each call, so many times."""

    def __init__(self, refusals: int = 0) -> None:
        self.bodies: list[bytes] = []
        self.refusals = refusals

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        assert QueueUrl == "url"
        assert len(Entries) <= MESSAGES_A_CALL
        refused = 1 if self.refusals else 0
        self.refusals -= refused
        self.bodies += [entry["MessageBody"].encode() for entry in Entries[refused:]]
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries[refused:]]}


@pytest.fixture
def world(aws: Callable[[str], Any]) -> LabelWorld:
    return make_world(aws, PAYMENTS)


def make_world(aws: Callable[[str], Any], payments: int) -> LabelWorld:
    world = LabelWorld(DynamoBackend(aws("dynamodb")))
    for number in range(payments):
        payment = make_transaction(transaction_id=f"tx-{number}", user_id=f"user-{number % 5}")
        world.pay(make_scored(payment, decision=Decision.REVIEW if number % 2 else Decision.APPROVE))
        world.send(make_message(transaction_id=f"tx-{number}", label_id="first", known_at=None))
        if number % 3 == 0:
            world.send(
                make_message(transaction_id=f"tx-{number}", verdict=LabelVerdict.WITHDRAWN, withdraws="first")
            )
    return world


def delete_all(client: Any, table: str, *key: str) -> None:
    for item in client.scan(TableName=table)["Items"]:
        client.delete_item(TableName=table, Key={name: item[name] for name in key})


@pytest.mark.parametrize("is_history_left", [True, False], ids=["with history", "without"])
def test_everything_is_set_again_whatever_a_restored_table_has_lost_or_brought_back(
    world: LabelWorld, aws: Callable[[str], Any], is_history_left: bool
) -> None:
    client, expected, queue = aws("dynamodb"), world.state(), Queue(refusals=2)
    brought_back = client.scan(TableName="entity_risk")["Items"][::2]
    delete_all(client, "entity_risk", "entity_id", "payment_key")
    for item in brought_back:
        client.put_item(TableName="entity_risk", Item=item)
    for item in client.scan(TableName="flagged_transactions")["Items"]:
        client.put_item(
            TableName="flagged_transactions",
            Item=item | {"status": {"S": "open"}, "status_shard": {"S": "open#0"}},
        )
    if not is_history_left:
        delete_all(client, "transaction_history", "user_id", "event_key")
    world.cache.flushall()

    sent = send_again(client, queue, "labels", "url", lambda _: None)
    failed = world.send(*queue.bodies)

    assert sent == (len(queue.bodies), []) == (PAYMENTS, [])
    assert failed == []
    assert world.state() == expected
    assert world.quarantine.messages == []
    assert client.scan(TableName="pending_labels")["Items"] == []


def test_a_label_that_cannot_be_read_keeps_no_other_from_being_sent(aws: Callable[[str], Any]) -> None:
    make_world(aws, 5)
    client, queue = aws("dynamodb"), Queue()
    bad = sorted(client.scan(TableName="labels")["Items"], key=lambda item: item["user_id"]["S"])[:2]
    for item in bad:
        client.put_item(TableName="labels", Item=item | {"source": {"S": "nobody"}})

    sent = send_again(client, queue, "labels", "url", lambda _: None)

    assert sent.payments == len(queue.bodies) == 4
    assert sorted(sent.unreadable) == sorted(
        f"{item['label_key']['S']}: labels.source: not one of the values allowed" for item in bad
    )
    assert str(sent).startswith(
        "The labels of 4 payments are sent again.\n2 labels cannot be read and are left out:\n"
    )


def test_a_queue_that_refuses_is_an_error(aws: Callable[[str], Any]) -> None:
    make_world(aws, 1)
    pauses: list[float] = []

    with pytest.raises(OpsError, match="The labels queue refused 1 messages"):
        send_again(aws("dynamodb"), Queue(refusals=99), "labels", "url", pauses.append)

    assert len(pauses) == MAX_TRIES - 1
