"""The Lambda as deployed: its settings fit function.yaml and the alert windows, and a run goes through real clients."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from contract.alert import encode_message
from contract.canary import CANARY_TURNS, canary_payment, canary_users
from contract.scored import to_history_item
from contract.transaction import decode_transaction
from local.resources import LANDING_PREFIX
from ops.manifests import ScheduleTrigger, read_functions
from tests.support.canaries import canary_alert
from tests.support.cold_start import cold_start, declare_environment, emitted
from tests.support.payments import Context, make_scored
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable

SPEC = read_functions()["canary"]
EVENT = {"time": "2026-11-26T18:05:00Z"}


@pytest.fixture
def load_handler(
    aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Callable[..., Any]]:
    """A cold start, with a bucket, a table and a queue."""
    declare_environment("canary", monkeypatch)
    aws("s3").create_bucket(Bucket="landing")
    make_table(aws("dynamodb"), "transaction_history")
    monkeypatch.setenv("CANARY_QUEUE_URL", aws("sqs").create_queue(QueueName="canary")["QueueUrl"])

    return lambda: cold_start("canary", monkeypatch).handler


def test_the_schedule_is_what_the_settings_say_and_no_alert_window_suppresses_a_payment() -> None:
    trigger = SPEC.trigger
    window_seconds = int(str(read_functions()["alert"].environment["ALERT_WINDOW_SECONDS"]))

    assert isinstance(trigger, ScheduleTrigger)
    assert SPEC.environment["EVERY_MINUTES"] == str(trigger.every_minutes)
    # The turns come round after this time; in between, the minute of a run is another turn.
    assert CANARY_TURNS % trigger.every_minutes == 0
    assert window_seconds < CANARY_TURNS * 60
    assert SPEC.reserved_concurrency == 1


def test_its_files_land_where_the_ingestion_job_reads() -> None:
    assert SPEC.environment["LANDING_PREFIX"] == LANDING_PREFIX


def test_a_run_sends_and_finds_what_came_out(
    load_handler: Callable[[], Callable[..., Any]],
    aws: Callable[[str], Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = datetime.now(UTC) - timedelta(minutes=5)
    plain, flagged = canary_users(before)
    row = to_history_item(make_scored(canary_payment(plain, before)), 0)
    aws("dynamodb").put_item(
        TableName="transaction_history", Item={name: row[name] for name in ("user_id", "event_key")}
    )
    queue_url = aws("sqs").get_queue_url(QueueName="canary")["QueueUrl"]
    alert = encode_message(canary_alert(flagged, before, timedelta(seconds=20))).decode()
    for body in (alert, "no alert"):
        aws("sqs").send_message(QueueUrl=queue_url, MessageBody=body)

    load_handler()(EVENT, Context())

    metrics = emitted(capsys)
    assert metrics["CanariesSent"] == [2.0]
    assert metrics["CanaryRowsMissing"] == [0.0]
    assert metrics["CanaryAlertsMissing"] == [0.0]
    assert metrics["CanaryLatencyMs"] == [20_000.0]
    assert metrics["service"] == "canary"
    body = aws("s3").get_object(Bucket="landing", Key="transactions/canary/2026-11-26T180500Z.json")["Body"]
    assert len([decode_transaction(line) for line in body.read().splitlines()]) == 2
    assert "Messages" not in aws("sqs").receive_message(QueueUrl=queue_url)


def test_a_run_without_its_bucket_fails_and_measures_nothing(
    load_handler: Callable[[], Callable[..., Any]],
    aws: Callable[[str], Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    aws("s3").delete_bucket(Bucket="landing")

    with pytest.raises(ClientError, match="NoSuchBucket"):
        load_handler()(EVENT, Context())

    assert "CanaryRowsMissing" not in emitted(capsys)


def test_an_event_that_is_delivered_twice_leaves_one_file(
    load_handler: Callable[[], Callable[..., Any]], aws: Callable[[str], Any]
) -> None:
    handler = load_handler()
    handler(EVENT, Context())
    first = aws("s3").list_objects_v2(Bucket="landing")["Contents"]

    handler(EVENT, Context())

    again = aws("s3").list_objects_v2(Bucket="landing")["Contents"]
    assert [(each["Key"], each["ETag"]) for each in again] == [(each["Key"], each["ETag"]) for each in first]
