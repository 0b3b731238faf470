"""From a flagged payment to subscribers' queues: real requests, filter policies, a real stream."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from alert.stage import AlertStage
from alert.store import AlertTables
from common.alert_windows import windows_backoff
from common.topic import SnsTopic
from contract.alert import AlertState, decode_alert
from contract.flagged import from_flagged_item, to_flagged_item, to_flagged_key
from tests.support.alert_store_contract import LIMITS, payment
from tests.support.crashes import make_crashes
from tests.support.payments import NOW, Context, Log, Metrics, flagged_event
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.flagged import FlaggedTransaction


class Deployment:
    """The alert stage on MiniStack, with a topic and its subscribers."""

    def __init__(self, aws_client: Callable[[str], Any], unique_name: Callable[[str], str]) -> None:
        # A client of each service, once: reading a service's model takes longer than a test.
        self.aws_client = cache(aws_client)
        self.unique_name = unique_name
        self.dynamodb = self.aws_client("dynamodb")
        self.flagged_table = make_table(self.dynamodb, "flagged_transactions", unique_name)
        self.windows_table = make_table(self.dynamodb, "alert_windows", unique_name)
        self.topic_arn: str = self.aws_client("sns").create_topic(Name=unique_name("fraud-alerts"))[
            "TopicArn"
        ]
        self.metrics = Metrics()
        self.log = Log()

    def stage(self) -> AlertStage:
        """A worker."""
        return AlertStage(
            AlertTables(self.dynamodb, self.flagged_table, self.windows_table),
            SnsTopic(self.aws_client("sns"), self.topic_arn),
            LIMITS,
            self.metrics,
            self.log,
            make_crashes(),
            clock=lambda: NOW,
            backoff=windows_backoff(lambda seconds: None, lambda: 0.5),
        )

    def subscribe(self, **attributes: str) -> str:
        """Subscribe a queue; gives its URL."""
        sqs = self.aws_client("sqs")
        url: str = sqs.create_queue(QueueName=self.unique_name("inbox"))["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.aws_client("sns").subscribe(
            TopicArn=self.topic_arn, Protocol="sqs", Endpoint=arn, Attributes=attributes
        )
        return url

    def insert(self, *flagged: FlaggedTransaction) -> None:
        """Put rows into flagged_transactions."""
        for row in flagged:
            self.dynamodb.put_item(TableName=self.flagged_table, Item=to_flagged_item(row))

    def row(self, flagged: FlaggedTransaction) -> FlaggedTransaction:
        """Read a payment's row."""
        key = to_flagged_key(flagged.key)
        return from_flagged_item(self.dynamodb.get_item(TableName=self.flagged_table, Key=key)["Item"])

    def received(self, queue_url: str) -> list[dict[str, Any]]:
        """Take what a queue holds; MiniStack delivers before it answers a publish."""
        answer = self.aws_client("sqs").receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        return messages

    def stream_records(self) -> list[dict[str, Any]]:
        """Every record of flagged_transactions' stream so far, as an event source mapping reads them."""
        arn = self.dynamodb.describe_table(TableName=self.flagged_table)["Table"]["LatestStreamArn"]
        streams = self.aws_client("dynamodbstreams")
        (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        iterator = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        records: list[dict[str, Any]] = streams.get_records(ShardIterator=iterator)["Records"]
        return records


@pytest.fixture
def deployment(aws_client: Callable[[str], Any], unique_name: Callable[[str], str]) -> Deployment:
    return Deployment(aws_client, unique_name)


def test_subscriber_receives_the_alert_as_json(deployment: Deployment) -> None:
    inbox = deployment.subscribe()
    deployment.insert(payment("tx-1"))

    answer = deployment.stage().handle(flagged_event(payment("tx-1")), Context())

    (message,) = deployment.received(inbox)
    alert = decode_alert(json.loads(message["Body"])["Message"])
    row = deployment.row(payment("tx-1"))
    assert answer == {"batchItemFailures": []}
    assert deployment.log.lines == []
    assert (alert.alert_id, alert.alerted_at) == (row.alert_id, row.alerted_at)
    assert row.alert_state is AlertState.SENT


def test_raw_subscriber_receives_the_alert_and_its_attributes(deployment: Deployment) -> None:
    inbox = deployment.subscribe(RawMessageDelivery="true")
    deployment.insert(payment("tx-1"))

    deployment.stage().handle(flagged_event(payment("tx-1")), Context())

    (message,) = deployment.received(inbox)
    assert decode_alert(message["Body"]).transaction.transaction_id == "tx-1"
    assert message["MessageAttributes"]["severity"]["StringValue"] == "high"
    assert len(message["MessageAttributes"]) <= 10


def test_filter_policies_choose_by_severity_rule_country_and_score(deployment: Deployment) -> None:
    policies = {
        "critical": {"severity": ["critical"]},
        "travel": {"rule_ids": ["impossible_travel"]},
        "other rule": {"rule_ids": ["card_testing"]},
        "france": {"country": ["FR"], "decision": ["block"]},
        "high scores": {"risk_score": [{"numeric": [">=", 90]}]},
    }
    inboxes = {
        name: deployment.subscribe(FilterPolicy=json.dumps(policy)) for name, policy in policies.items()
    }
    blocked = payment("tx-1")
    critical = msgspec.structs.replace(
        payment("tx-2", 60), risk_score=95, country=None, reasons=(), rule_ids=()
    )
    deployment.insert(blocked, critical)

    deployment.stage().handle(flagged_event(blocked, critical), Context())

    received = {
        name: [
            decode_alert(json.loads(message["Body"])["Message"]).transaction.transaction_id
            for message in deployment.received(url)
        ]
        for name, url in inboxes.items()
    }
    assert received == {
        "critical": ["tx-2"],
        "travel": ["tx-1"],
        "other rule": [],
        "france": ["tx-1"],
        "high scores": ["tx-2"],
    }


def test_marks_of_the_stage_do_not_make_it_alert_again(deployment: Deployment) -> None:
    inbox = deployment.subscribe()
    deployment.insert(payment("tx-1"), payment("tx-2", 1))
    deployment.stage().handle({"Records": deployment.stream_records()}, Context())
    deployment.received(inbox)

    records = deployment.stream_records()
    deployment.stage().handle({"Records": records}, Context())

    assert [record["eventName"] for record in records] == ["INSERT", "INSERT", "MODIFY", "MODIFY", "MODIFY"]
    assert deployment.received(inbox) == []


def test_workers_at_once_on_one_user_s_payments_give_one_alert(deployment: Deployment) -> None:
    inbox = deployment.subscribe()
    payments = [payment(f"tx-{number}", number / 60, amount=Decimal(5)) for number in range(12)]
    deployment.insert(*payments)
    together = threading.Barrier(4)

    def work(start: int) -> None:
        stage = deployment.stage()
        together.wait(timeout=30)
        # As event source mappings do: what failed is delivered again.
        batch = payments[start::4]
        while batch:
            answer = stage.handle(flagged_event(*batch), Context())
            failed = {int(str(failure["itemIdentifier"])) - 100 for failure in answer["batchItemFailures"]}
            batch = [flagged for index, flagged in enumerate(batch) if index in failed]

    threads = [threading.Thread(target=work, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    states = [deployment.row(flagged).alert_state for flagged in payments]
    (message,) = deployment.received(inbox)
    alert = decode_alert(json.loads(message["Body"])["Message"])
    assert states.count(AlertState.SENT) == 1
    assert states.count(AlertState.SUPPRESSED) == len(payments) - 1
    assert alert.window_start - NOW < timedelta(minutes=1)
