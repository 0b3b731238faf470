"""The Lambda as deployed: it reads function.yaml's environment, emits metrics in EMF, and logs nothing personal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from common.errors import SettingsError
from common.settings import read_settings
from contract.alert import AlertDigest, SuppressedPayments, decode_message
from contract.alert_windows import UserWindows, to_windows_item
from digest.settings import Settings
from tests.support.cold_start import cold_start, declare_environment, emitted
from tests.support.payments import NOW, Context
from tests.support.tables import make_table
from tests.support.topic_inbox import received, subscribed_topic

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
    return subscribed_topic(aws)


@pytest.fixture
def load_handler(
    aws: Callable[[str], Any], topic_arn: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Callable[..., Any]]:
    """A cold start, with a topic and its tables."""
    declare_environment("digest", monkeypatch)
    monkeypatch.setenv("SNS_TOPIC_ARN", topic_arn)
    monkeypatch.setenv("CONSOLE_URL", "https://console.example/v1")
    make_table(aws("dynamodb"), "alert_windows")
    aws("dynamodb").put_item(TableName="alert_windows", Item=to_windows_item(DUE, NOW))
    return lambda: cold_start("digest", monkeypatch).handler


def test_topic_that_is_no_arn_fails_the_cold_start() -> None:
    with pytest.raises(SettingsError, match="SNS_TOPIC_ARN"):
        read_settings(Settings, {"SNS_TOPIC_ARN": "fraud-alerts", "ALERT_WINDOWS_TABLE": "w"})


def test_handler_sends_what_is_due_and_emits_its_metrics(
    load_handler: Callable[[], Callable[..., Any]],
    aws: Callable[[str], Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    load_handler()(EVENT, Context())

    (envelope,) = received(aws)
    digest = decode_message(envelope["Message"])
    assert isinstance(digest, AlertDigest)
    assert (digest.alert_id, digest.payments.count) == ("count-1", 2)
    assert digest.link == "https://console.example/v1/alerts/count-1"
    assert envelope["Subject"].startswith("[MEDIUM] Fraud digest: 2 more payments, 1,250.50 USD")
    assert envelope["MessageAttributes"]["kind"] == {"Type": "String", "Value": "digest"}
    (row,) = aws("dynamodb").scan(TableName="alert_windows")["Items"]
    assert not row.keys() & {"due_at", "due_shard", "digest"}
    metrics = emitted(capsys)
    assert metrics["DigestsSent"] == [1.0]
    assert metrics["PaymentsDigested"] == [2.0]
    assert metrics["OldestDueDigestMs"][0] >= 60_000
    assert metrics["ColdStart"] == [1.0]
    assert metrics["service"] == "digest"
    assert metrics["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "namespace"  # of {ref: metrics.namespace}


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
