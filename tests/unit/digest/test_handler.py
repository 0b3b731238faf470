"""The Lambda as deployed: it reads function.yaml's environment, emits metrics in EMF, and logs nothing personal."""

from __future__ import annotations

import importlib
import json
import logging
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from aws_lambda_powertools.metrics.provider.cold_start import reset_cold_start_flag

from common.errors import SettingsError
from common.settings import read_settings
from contract.alert import AlertDigest, SuppressedPayments, decode_message
from contract.alert_windows import UserWindows, to_windows_item
from digest.settings import Settings
from ops.manifests import read_functions
from tests.support.payments import NOW, Context
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable

EVENT = {"version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}
NOW_REAL = datetime.now(UTC)
DUE = UserWindows(
    user_id="user-1",
    version=2,
    suppressed=SuppressedPayments(2, "count-1", {"USD": Decimal("1250.50")}),
    due_at=NOW_REAL - timedelta(minutes=1),
)


@pytest.fixture
def topic_arn(aws: Callable[[str], Any]) -> str:
    """A topic whose messages a queue receives."""
    topic: str = aws("sns").create_topic(Name="fraud-alerts")["TopicArn"]
    aws("sqs").create_queue(QueueName="inbox")
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:inbox")
    return topic


@pytest.fixture
def load_handler(
    aws: Callable[[str], Any], topic_arn: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Callable[..., Any]]:
    """A cold start. In the test, not before: the logger keeps the output that it finds, and pytest changes it."""

    def load() -> Callable[..., Any]:
        reset_cold_start_flag()  # type: ignore[no-untyped-call]  # Powertools types none
        monkeypatch.delitem(sys.modules, "digest.handler", raising=False)
        monkeypatch.delitem(logging.Logger.manager.loggerDict, "digest", raising=False)
        handler: Callable[..., Any] = importlib.import_module("digest.handler").handler
        return handler

    for variable, value in read_functions()["digest"].environment.items():
        monkeypatch.setenv(variable, value if isinstance(value, str) else value.ref.partition(".")[2])
    monkeypatch.setenv("SNS_TOPIC_ARN", topic_arn)
    make_table(aws("dynamodb"), "alert_windows")
    aws("dynamodb").put_item(TableName="alert_windows", Item=to_windows_item(DUE, NOW))
    return load


def test_settings_are_the_variables_that_the_function_declares() -> None:
    declared = read_functions()["digest"].environment

    assert {field.name.upper() for field in msgspec.structs.fields(Settings)} == {
        variable for variable in declared if not variable.startswith("POWERTOOLS_")
    }


def test_topic_that_is_no_arn_fails_the_cold_start() -> None:
    with pytest.raises(SettingsError, match="SNS_TOPIC_ARN"):
        read_settings(Settings, {"SNS_TOPIC_ARN": "fraud-alerts", "ALERT_WINDOWS_TABLE": "w"})


def test_handler_sends_what_is_due_and_emits_its_metrics(
    load_handler: Callable[[], Callable[..., Any]],
    aws: Callable[[str], Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    load_handler()(EVENT, Context())

    queue_url = aws("sqs").get_queue_url(QueueName="inbox")["QueueUrl"]
    (message,) = aws("sqs").receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)["Messages"]
    envelope = json.loads(message["Body"])
    digest = decode_message(envelope["Message"])
    assert isinstance(digest, AlertDigest)
    assert (digest.alert_id, digest.payments.count) == ("count-1", 2)
    assert envelope["Subject"].startswith("[MEDIUM] Fraud digest: 2 more payments, 1,250.50 USD")
    assert envelope["MessageAttributes"]["kind"] == {"Type": "String", "Value": "digest"}
    (row,) = aws("dynamodb").scan(TableName="alert_windows")["Items"]
    assert not row.keys() & {"due_at", "due_shard", "digest"}
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    emitted = {name: value for line in printed for name, value in line.items()}
    assert emitted["DigestsSent"] == [1.0]
    assert emitted["PaymentsDigested"] == [2.0]
    assert emitted["OldestDueDigestMs"][0] >= 60_000
    assert emitted["ColdStart"] == [1.0]
    assert emitted["service"] == "digest"
    assert emitted["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "namespace"  # of {ref: metrics.namespace}


def test_output_of_a_digest_that_failed_holds_nothing_personal(
    load_handler: Callable[[], Callable[..., Any]],
    aws: Callable[[str], Any],
    topic_arn: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    aws("sns").delete_topic(TopicArn=topic_arn)

    load_handler()(EVENT, Context())

    printed = capsys.readouterr()
    output = printed.out + printed.err
    assert "PublishError: Publish: NotFound" in output
    assert all(secret not in output for secret in ("user-1", "1250", "count-1"))
