"""The Lambda as deployed: it reads function.yaml's environment, emits metrics in EMF, and logs nothing personal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from common.errors import SettingsError
from common.settings import read_settings
from contract.flagged import FlaggedKey
from label.settings import Settings
from tests.support.cold_start import cold_start, declare_environment
from tests.support.label_world import DynamoBackend, record
from tests.support.labels import make_message
from tests.support.payments import Context, make_scored

if TYPE_CHECKING:
    from collections.abc import Callable

GOOD = {
    "ELASTICACHE_REDIS_ENDPOINT": "localhost:1",
    "TRANSACTION_HISTORY_TABLE": "t",
    "FLAGGED_TRANSACTIONS_TABLE": "f",
    "LABELS_TABLE": "l",
    "ENTITY_RISK_TABLE": "e",
    "PENDING_LABELS_TABLE": "p",
    "QUARANTINE_QUEUE_URL": "https://queue",
    "LABEL_RETENTION_DAYS": "1100",
    "RISK_RETENTION_DAYS": "400",
}
"""As in function.yaml, with values for its references."""


@pytest.mark.parametrize("variable", ["LABEL_RETENTION_DAYS", "RISK_RETENTION_DAYS"])
@pytest.mark.parametrize("value", ["0", "3654", "ten"])
def test_setting_out_of_bounds_fails_the_cold_start(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        read_settings(Settings, GOOD | {variable: value})

    assert set(refusal.value.problems) == {variable}


def test_index_that_is_switched_off_is_an_empty_name() -> None:
    assert read_settings(Settings, GOOD | {"TRANSACTION_ID_INDEX": ""}).transaction_id_index == ""


def test_label_takes_effect_in_the_function_as_it_is_deployed(
    aws: Callable[[str], Any],
    dynamo: DynamoBackend,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    declare_environment("label", monkeypatch)
    monkeypatch.setenv("TRANSACTION_ID_INDEX", "by_transaction_id")
    monkeypatch.setenv("ELASTICACHE_REDIS_ENDPOINT", "127.0.0.1:1")  # nobody listens: the copies wait
    queue_url = aws("sqs").create_queue(QueueName="quarantine")["QueueUrl"]
    monkeypatch.setenv("QUARANTINE_QUEUE_URL", queue_url)
    scored = make_scored()
    dynamo.pay(scored, FlaggedKey("user-1", scored.event_key), is_flagged=True)
    handler = cold_start("label", monkeypatch).handler
    event = {
        "Records": [record(make_message(transaction_id="tx-1"), "m-1"), record(b"4111111111111111", "m-2")]
    }

    response = handler(event, Context())

    output = capsys.readouterr().out
    metrics = {name: value for line in output.splitlines() for name, value in json.loads(line).items()}
    (quarantined,) = aws("sqs").receive_message(QueueUrl=queue_url)["Messages"]
    assert response == {"batchItemFailures": []}
    assert dynamo.state()[0] == {scored.event_key: "confirmed_fraud"}
    assert dynamo.client.scan(TableName="pending_labels")["Items"][0]["reason"] == {"S": "no_cache"}
    assert metrics["RecordsReceived"] == [2]
    assert metrics["LabelsQuarantined"] == [1]
    assert '"message_id":"m-2"' in quarantined["Body"]
    assert "4111111111111111" not in quarantined["Body"]
    assert "tx-1" not in output
    assert "user-1" not in output
