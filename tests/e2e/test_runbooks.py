"""Follows runbooks on the whole stack, and checks that the result is what they say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import redis

from contract.alert import Alert, decode_message
from contract.scored import to_history_item
from contract.transaction import encode_transaction
from engine.features.stored import unpack
from local.event_sources.config import read_config
from local.event_sources.destination import BucketDestination
from local.redrive import redrive
from local.resources import ALERT_INBOX
from local.stack.state import StackFolder
from tests.support.payments import make_scored

from .payments import new_user, payment

if TYPE_CHECKING:
    from contract.scored import ScoredTransaction

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


def dead_letter(system: System, scored: ScoredTransaction) -> None:
    """Store the letter that Lambda writes for a row whose record the stream has dropped since."""
    config = read_config(StackFolder(system.build_dir).run_dir / "persist.json")
    record = {
        "eventID": "1",
        "eventName": "INSERT",
        "dynamodb": {
            "ApproximateCreationDateTime": (datetime.now(UTC) - timedelta(days=2)).timestamp(),
            "SequenceNumber": "1",
            "NewImage": to_history_item(scored, 2_000_000_000),
        },
        "eventSourceARN": "arn:aws:dynamodb:us-east-1:000000000000:table/transaction_history/stream/gone",
    }
    context = {
        "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:persist",
        "condition": "RecordAgeExceeded",
    }
    letter = {"requestContext": context, "timestamp": "2026-01-01T00:00:00.000Z"}
    event = msgspec.json.encode({"Records": [record]})
    BucketDestination(system.stack.client("s3"), config.dead_letter_bucket).send(letter, "shard", event)


def test_a_dead_letter_that_no_stream_has_any_more_is_flagged_and_alerted_once_when_it_is_redriven(
    system: System,
) -> None:
    suspicious = make_scored(payment(new_user(), amount=Decimal(25_000)))
    dead_letter(system, suspicious)
    dead_letter(system, suspicious)  # Lambda may store it twice
    system.wait_for(lambda: system.metrics.snapshot().dead_letters == 2, "both letters to be announced")

    redriven = redrive("persist", system.build_dir)
    once_more = redrive("persist", system.build_dir)

    assert (redriven.put_back, redriven.kept) == (2, ())
    assert (once_more.put_back, once_more.kept) == (0, ())
    transaction_id = suspicious.transaction.transaction_id
    alerts = system.wait_for(lambda: alerts_of(system, transaction_id), "the alert")
    assert len(alerts) == 1
    assert system.metrics.snapshot().dead_letters == 0


def test_profiles_are_rebuilt_from_history_after_the_cache_was_emptied(system: System) -> None:
    user_id = new_user()
    for _ in range(3):
        system.produce(encode_transaction(payment(user_id)), key=user_id)
    before = system.wait_for(lambda: system.all_rows(user_id, 3), "three rows")
    with redis.Redis.from_url(system.stack.cache_admin_endpoint) as cache:
        cache.flushall()

    system.produce(encode_transaction(payment(user_id)), key=user_id)

    rows = system.wait_for(lambda: system.all_rows(user_id, 4), "the fourth row")
    last = max(rows, key=lambda row: row.position.offset)
    assert last.position.offset > max(row.position.offset for row in before)
    assert unpack(last.features, last.feature_set)["profile_tx_count"] == 3
    assert not last.degraded
