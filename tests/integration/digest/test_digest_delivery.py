"""Alert and digest stage at once on MiniStack: each flagged payment is in one message that a subscriber receives."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from alert.stage import AlertStage
from alert.store import AlertTables
from common.alert_windows import windows_backoff
from common.topic import SnsTopic
from contract.alert import AlertDigest, decode_message
from contract.alert_account import account_problems
from contract.alert_windows import from_windows_item
from contract.flagged import from_flagged_item, to_flagged_item
from digest.stage import DigestStage
from digest.store import DueDigests
from tests.support.alert_store_contract import LIMITS, payment
from tests.support.crashes import make_crashes
from tests.support.payments import NOW, Context, Log, Metrics, flagged_event
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from contract.alert import Alert
    from contract.flagged import FlaggedTransaction

ALERT_WORKERS = 3
DIGEST_RUNS = 12


class Deployment:
    """Both stages on MiniStack, with a topic and a subscriber."""

    def __init__(self, aws_client: Callable[[str], Any], unique_name: Callable[[str], str]) -> None:
        self.aws_client = cache(aws_client)
        self.dynamodb = self.aws_client("dynamodb")
        self.flagged_table = make_table(self.dynamodb, "flagged_transactions", unique_name)
        self.windows_table = make_table(self.dynamodb, "alert_windows", unique_name)
        sns, sqs = self.aws_client("sns"), self.aws_client("sqs")
        self.topic_arn: str = sns.create_topic(Name=unique_name("fraud-alerts"))["TopicArn"]
        self.inbox: str = sqs.create_queue(QueueName=unique_name("inbox"))["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=self.inbox, AttributeNames=["QueueArn"])["Attributes"]
        sns.subscribe(TopicArn=self.topic_arn, Protocol="sqs", Endpoint=attributes["QueueArn"])

    def alert_on(self, payments: list[FlaggedTransaction]) -> None:
        """Handle payments as an event source mapping does: what failed is delivered again."""
        stage = AlertStage(
            AlertTables(self.dynamodb, self.flagged_table, self.windows_table),
            SnsTopic(self.aws_client("sns"), self.topic_arn),
            LIMITS,
            Metrics(),
            Log(),
            make_crashes(),
            clock=lambda: NOW,
            backoff=windows_backoff(lambda seconds: None, lambda: 0.5),
        )
        while payments:
            answer = stage.handle(flagged_event(*payments), Context())
            failed = {int(str(failure["itemIdentifier"])) - 100 for failure in answer["batchItemFailures"]}
            payments = [flagged for place, flagged in enumerate(payments) if place in failed]

    def digest(self, now: datetime) -> Metrics:
        """Run the digest stage once."""
        metrics = Metrics()
        DigestStage(
            DueDigests(self.dynamodb, self.windows_table),
            SnsTopic(self.aws_client("sns"), self.topic_arn),
            metrics,
            Log(),
            clock=lambda: now,
            backoff=windows_backoff(lambda seconds: None, lambda: 0.5),
        ).send_due(Context())
        return metrics

    def received(self) -> list[Alert | AlertDigest]:
        """Take everything that the subscriber has."""
        sqs, found = self.aws_client("sqs"), []
        while messages := sqs.receive_message(QueueUrl=self.inbox, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(decode_message(json.loads(message["Body"])["Message"]))
                sqs.delete_message(QueueUrl=self.inbox, ReceiptHandle=message["ReceiptHandle"])
        return found

    def account(self, messages: list[Alert | AlertDigest]) -> list[str]:
        """What is wrong between tables and messages."""
        rows, windows = (
            self.dynamodb.scan(TableName=table, ConsistentRead=True)["Items"]
            for table in (self.flagged_table, self.windows_table)
        )
        return account_problems(map(from_flagged_item, rows), messages, map(from_windows_item, windows))


@pytest.fixture
def deployment(aws_client: Callable[[str], Any], unique_name: Callable[[str], str]) -> Deployment:
    return Deployment(aws_client, unique_name)


def test_digest_arrives_with_its_kind_and_what_was_suppressed(deployment: Deployment) -> None:
    payments = [payment(f"tx-{number}", number, amount=Decimal(30)) for number in range(3)]
    for one in payments:
        deployment.dynamodb.put_item(TableName=deployment.flagged_table, Item=to_flagged_item(one))
    deployment.alert_on(payments)

    deployment.digest(NOW + timedelta(minutes=15))

    alert, digest = deployment.received()
    assert isinstance(digest, AlertDigest)
    assert (alert.user_id, digest.user_id) == ("user-1", "user-1")
    assert (digest.payments.count, digest.payments.totals) == (2, {"USD": Decimal(60)})
    assert deployment.account([alert, digest]) == []


def test_stages_at_once_report_each_payment_in_one_message(deployment: Deployment) -> None:
    amounts = ["3", "40", "900", "9500"]
    payments = [
        payment(
            f"tx-{number}",
            7 * number % 90,
            user_id=f"user-{number % 3}",
            amount=Decimal(amounts[number % len(amounts)]),
            appended_at_ms=round(NOW.timestamp() * 1000) + number,
        )
        for number in range(72)
    ]
    for one in payments:
        deployment.dynamodb.put_item(TableName=deployment.flagged_table, Item=to_flagged_item(one))
    together = threading.Barrier(ALERT_WORKERS + 1)

    def alert(start: int) -> None:
        together.wait(timeout=30)
        for place in range(start, len(payments), ALERT_WORKERS):
            deployment.alert_on([payments[place], payments[place - 1]])

    def digest() -> None:
        together.wait(timeout=30)
        for run in range(DIGEST_RUNS):
            deployment.digest(NOW + timedelta(hours=2 + 2 * run))

    threads = [threading.Thread(target=alert, args=(start,)) for start in range(ALERT_WORKERS)]
    threads.append(threading.Thread(target=digest))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    for run in range(2):
        deployment.digest(NOW + timedelta(days=10 + run))

    messages = deployment.received()
    assert deployment.account(messages) == []
    digests = [one for one in messages if isinstance(one, AlertDigest)]
    assert len({one.alert_id for one in digests}) == len(digests) > 3
    counted = sum(one.payments.count for one in digests)
    alerts = {one.alert_id: one for one in messages if not isinstance(one, AlertDigest)}
    counted += sum(one.suppressed_before.count for one in alerts.values())
    assert len(alerts) + counted == len(payments)
