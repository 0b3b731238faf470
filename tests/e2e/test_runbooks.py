"""Follows runbooks on the whole stack, and checks that the result is what they say."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import redis

from contract.alert import Alert, decode_message
from contract.transaction import encode_transaction
from engine.features.stored import unpack
from local.redrive import redrive
from local.resources import ALERT_INBOX, ALERT_TOPIC

from .payments import new_user, payment

if TYPE_CHECKING:
    from .conftest import System


def alerts_of(system: System, transaction_id: str) -> list[str]:
    """Return the ids of the alerts that the subscriber got for a payment, including repeats; empties its queue."""
    sqs, url = system.stack.client("sqs"), system.stack.resources.queues[ALERT_INBOX]
    found = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        for message in messages:
            alert = decode_message(msgspec.json.decode(message["Body"])["Message"])
            if isinstance(alert, Alert) and alert.transaction.transaction_id == transaction_id:
                found.append(alert.alert_id)
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def make_topic(system: System) -> None:
    """Make the alert topic and its subscription, as Terraform does if it was deleted."""
    sns, sqs = system.stack.client("sns"), system.stack.client("sqs")
    inbox = sqs.get_queue_attributes(
        QueueUrl=system.stack.resources.queues[ALERT_INBOX], AttributeNames=["QueueArn"]
    )["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name=ALERT_TOPIC)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=inbox)


def test_a_dead_letter_of_the_alert_stage_is_alerted_once_when_it_is_redriven(system: System) -> None:
    user_id = new_user()
    suspicious = payment(user_id, amount=Decimal(25_000))
    system.stack.client("sns").delete_topic(TopicArn=system.stack.alert_topic_arn)
    system.produce(encode_transaction(suspicious), key=user_id)
    system.wait_for(
        lambda: system.metrics.snapshot().dead_letters, "the alert stage to dead-letter the record"
    )

    too_early = redrive("alert", system.build_dir)
    make_topic(system)
    redriven = redrive("alert", system.build_dir)
    once_more = redrive("alert", system.build_dir)

    assert (too_early.put_back, len(too_early.kept)) == (0, 1)
    assert (redriven.put_back, redriven.kept) == (1, ())
    assert (once_more.put_back, once_more.kept) == (0, ())
    assert len(alerts_of(system, suspicious.transaction_id)) == 1
    assert system.metrics.snapshot().dead_letters == 0


def test_profiles_are_rebuilt_from_history_after_the_cache_was_emptied(system: System) -> None:
    user_id = new_user()
    for _ in range(3):
        system.produce(encode_transaction(payment(user_id)), key=user_id)
    before = system.wait_for(lambda: system.all_rows(user_id, 3), "three rows")
    with redis.Redis.from_url(system.stack.cache_endpoint) as cache:
        cache.flushall()

    system.produce(encode_transaction(payment(user_id)), key=user_id)

    rows = system.wait_for(lambda: system.all_rows(user_id, 4), "the fourth row")
    last = max(rows, key=lambda row: row.position.offset)
    assert last.position.offset > max(row.position.offset for row in before)
    assert unpack(last.features, last.feature_set)["profile_tx_count"] == 3
    assert not last.degraded
