"""The Lambda as deployed: it reads function.yaml's environment, emits metrics in EMF, and logs nothing personal."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from alert.settings import Settings
from common.errors import SettingsError
from common.settings import read_settings
from contract.alert import decode_alert
from contract.flagged import to_flagged_item
from tests.support.alert_store_contract import LIMITS
from tests.support.cold_start import cold_start, declare_environment, emitted
from tests.support.crashes import CRASH_VARIABLES
from tests.support.payments import Context, flagged_event, make_flagged, make_transaction
from tests.support.tables import make_table
from tests.support.topic_inbox import received, subscribed_topic

if TYPE_CHECKING:
    from collections.abc import Callable


GOOD = CRASH_VARIABLES | {
    "SNS_TOPIC_ARN": "arn:aws:sns:us-east-1:000000000000:fraud-alerts",
    "FLAGGED_TRANSACTIONS_TABLE": "f",
    "ALERT_WINDOWS_TABLE": "w",
    "ALERT_WINDOW_SECONDS": "900",
    "ALERT_AGAIN_FACTOR": "2",
    "ALERT_AGAIN_AMOUNT_BASE": "5000",
    "ALERT_AGAIN_MINIMUM_BASE": "100",
    "ALERT_MESSAGES_PER_HOUR": "6",
}
"""As in function.yaml, with values for its references."""


@pytest.fixture
def topic_arn(aws: Callable[[str], Any]) -> str:
    return subscribed_topic(aws)


@pytest.fixture
def load_handler(
    aws: Callable[[str], Any], topic_arn: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Callable[..., Any]]:
    """A cold start, with a topic and its tables."""
    declare_environment("alert", monkeypatch)
    monkeypatch.setenv("SNS_TOPIC_ARN", topic_arn)
    monkeypatch.setenv("CONSOLE_URL", "https://console.example/v1")
    make_table(aws("dynamodb"), "flagged_transactions")
    make_table(aws("dynamodb"), "alert_windows")
    return lambda: cold_start("alert", monkeypatch).handler


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ALERT_WINDOW_SECONDS", "0"),
        ("ALERT_WINDOW_SECONDS", "604801"),
        ("SNS_TOPIC_ARN", "fraud-alerts"),
        ("ALERT_AGAIN_FACTOR", "0.09"),
        ("ALERT_AGAIN_FACTOR", "1001"),
        ("ALERT_AGAIN_AMOUNT_BASE", "-1"),
        ("ALERT_AGAIN_MINIMUM_BASE", "-1"),
        ("ALERT_MESSAGES_PER_HOUR", "0"),
        ("ALERT_MESSAGES_PER_HOUR", "25"),
        ("CONSOLE_URL", "console.example"),
        ("CONSOLE_URL", "https://console.example/?next"),
    ],
)
def test_setting_out_of_bounds_fails_the_cold_start(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        read_settings(Settings, GOOD | {variable: value})

    assert set(refusal.value.problems) == {variable}


def test_limits_are_those_of_the_settings() -> None:
    assert read_settings(Settings, GOOD).alert_limits == LIMITS


def test_handler_publishes_an_alert_and_emits_its_metrics(
    load_handler: Callable[[], Callable[..., Any]],
    aws: Callable[[str], Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    aws("dynamodb").put_item(TableName="flagged_transactions", Item=to_flagged_item(make_flagged()))

    answer = load_handler()(flagged_event(make_flagged()), Context())

    (envelope,) = received(aws)
    assert answer == {"batchItemFailures": []}
    alert = decode_alert(envelope["Message"])
    assert alert.transaction.transaction_id == "tx-1"
    assert alert.link == f"https://console.example/v1/alerts/{alert.alert_id}"
    assert envelope["Subject"].startswith("[HIGH] Fraud alert")
    assert envelope["MessageAttributes"]["severity"] == {"Type": "String", "Value": "high"}
    metrics = emitted(capsys)
    assert metrics["AlertsSent"] == [1.0]
    assert metrics["ColdStart"] == [1.0]
    assert metrics["service"] == "alert"
    assert metrics["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "namespace"  # of {ref: metrics.namespace}


def test_output_of_a_failed_batch_holds_nothing_of_the_payment(
    load_handler: Callable[[], Callable[..., Any]],
    aws: Callable[[str], Any],
    topic_arn: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    aws("dynamodb").put_item(TableName="flagged_transactions", Item=to_flagged_item(make_flagged()))
    aws("sns").delete_topic(TopicArn=topic_arn)

    answer = load_handler()(flagged_event(make_flagged()), Context())

    printed = capsys.readouterr()
    output = printed.out + printed.err
    assert answer == {"batchItemFailures": [{"itemIdentifier": "100"}]}
    assert "PublishError: Publish: NotFound" in output
    assert all(secret not in output for secret in ("user-1", "203.0.113.7", "tok_", "Paris", "1250"))


@pytest.mark.parametrize("seconds", ["1", "604800"])
def test_window_is_one_second_to_a_week(seconds: str) -> None:
    settings = read_settings(Settings, GOOD | {"ALERT_WINDOW_SECONDS": seconds})

    assert settings.alert_window_seconds == int(seconds)


@pytest.mark.parametrize(("later_seconds", "messages"), [(899, 1), (900, 2)])
def test_handler_s_window_is_the_one_of_function_yaml(
    load_handler: Callable[[], Callable[..., Any]],
    aws: Callable[[str], Any],
    later_seconds: int,
    messages: int,
) -> None:
    first = make_flagged()
    second = make_flagged(
        make_transaction(
            transaction_id="tx-2", timestamp=first.occurred_at + timedelta(seconds=later_seconds)
        )
    )
    for row in (first, second):
        aws("dynamodb").put_item(TableName="flagged_transactions", Item=to_flagged_item(row))

    answer = load_handler()(flagged_event(first, second), Context())

    assert answer == {"batchItemFailures": []}
    assert len(received(aws)) == messages
