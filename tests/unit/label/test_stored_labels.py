"""After stored labels are sent again, everything is what they say, also what a restored table had lost."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from contract.label import LabelVerdict
from contract.scored import Decision
from ops.errors import OpsError
from ops.stored_labels import MAX_TRIES, MESSAGES_A_CALL, WITHDRAWAL_ID, Tables, send_again
from tests.support.label_world import DynamoBackend, LabelWorld
from tests.support.labels import KNOWN_AT, make_message
from tests.support.payments import make_scored, make_transaction

if TYPE_CHECKING:
    from collections.abc import Callable

PAYMENTS = 13
"""More than a message of the queue holds; moto copies all its tables for each transaction."""

TABLES = Tables("labels", "flagged_transactions")


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

    sent = send_again(client, queue, TABLES, "url", lambda _: None)
    failed = world.send(*queue.bodies)

    assert sent == (len(queue.bodies), 0, []) == (PAYMENTS, 0, [])
    assert failed == []
    assert world.state() == expected
    assert world.quarantine.messages == []
    assert client.scan(TableName="pending_labels")["Items"] == []


@pytest.mark.parametrize("is_history_left", [True, False], ids=["with history", "without"])
@pytest.mark.parametrize("is_copied", [True, False], ids=["with a copy of before", "without one"])
def test_after_labels_were_restored_to_an_earlier_time_all_is_what_they_say(
    aws: Callable[[str], Any], is_history_left: bool, is_copied: bool
) -> None:
    client, queue = aws("dynamodb"), Queue()
    world = LabelWorld(DynamoBackend(client))
    for number in range(6):
        payment = make_transaction(
            transaction_id=f"tx-{number}", user_id=f"user-{number}", card_id=f"tok_{number}"
        )
        # Nothing but a copy of before names those that were approved.
        is_approved = is_copied and is_history_left and number % 2
        world.pay(make_scored(payment, decision=Decision.APPROVE if is_approved else Decision.REVIEW))
    for number in (0, 1):
        world.send(make_message(transaction_id=f"tx-{number}", label_id="first"))
    expected, restored = world.state(), client.scan(TableName="labels")["Items"]
    honest = {"verdict": LabelVerdict.LEGITIMATE, "fraud_type": None, "label_id": "later"}
    later = {"known_at": KNOWN_AT + timedelta(days=1)}
    for number in (0, 1, 2, 3):
        world.send(make_message(transaction_id=f"tx-{number}", **honest, **later))
    for number in (4, 5):
        world.send(make_message(transaction_id=f"tx-{number}", label_id="later", **later))
    tables = TABLES._replace(before="labels-before") if is_copied else TABLES
    if is_copied:
        make_copy(client, "labels", "labels-before")
    delete_all(client, "labels", "user_id", "label_key")
    for item in restored:
        client.put_item(TableName="labels", Item=item)
    if not is_history_left:
        delete_all(client, "transaction_history", "user_id", "event_key")

    for _ in range(2):
        sent = send_again(client, queue, tables, "url", lambda _: None)
        failed = world.send(*queue.bodies)

        state = world.state()
        assert failed == []
        assert state[:-1] == expected[:-1]
        assert {label_id for _, label_id in state.labels - expected.labels} == {WITHDRAWAL_ID}
        assert world.quarantine.messages == []
    assert (sent.payments, sent.without) == (6, 0), "the withdrawals are labels now"


def make_copy(client: Any, table: str, copy: str) -> None:
    described = client.describe_table(TableName=table)["Table"]
    client.create_table(
        TableName=copy,
        KeySchema=described["KeySchema"],
        AttributeDefinitions=[
            {"AttributeName": each["AttributeName"], "AttributeType": "S"} for each in described["KeySchema"]
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    for item in client.scan(TableName=table)["Items"]:
        client.put_item(TableName=copy, Item=item)


def test_a_label_that_cannot_be_read_keeps_no_other_from_being_sent(aws: Callable[[str], Any]) -> None:
    make_world(aws, 5)
    client, queue = aws("dynamodb"), Queue()
    bad = sorted(client.scan(TableName="labels")["Items"], key=lambda item: item["user_id"]["S"])[:2]
    for item in bad:
        client.put_item(TableName="labels", Item=item | {"source": {"S": "nobody"}})

    make_copy(client, "labels", "labels-before")
    client.put_item(
        TableName="labels-before", Item={"user_id": {"S": "user-1"}, "label_key": {"S": "soon#1"}}
    )
    tables = TABLES._replace(before="labels-before")

    sent = send_again(client, queue, tables, "url", lambda _: None)

    assert (sent.payments, sent.without) == (len(queue.bodies), 0) == (4, 0)
    assert sorted(sent.unreadable[:-1]) == sorted(
        f"{item['label_key']['S']}: labels.source: not one of the values allowed" for item in bad
    )
    assert sent.unreadable[-1] == "soon: not the key of a payment"
    assert str(sent).startswith(
        "The labels of 4 payments are sent again.\n3 rows cannot be read and are left out:\n"
    )


def test_a_queue_that_refuses_is_an_error(aws: Callable[[str], Any]) -> None:
    make_world(aws, 1)
    pauses: list[float] = []

    with pytest.raises(OpsError, match="The labels queue refused 1 messages"):
        send_again(aws("dynamodb"), Queue(refusals=99), TABLES, "url", pauses.append)

    assert len(pauses) == MAX_TRIES - 1
