"""The Lambda as it is deployed, on real Valkey and the emulator: its answers, its metrics, and what its logs hold."""

from __future__ import annotations

import importlib
import json
import logging
import re
import sys
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest
import redis

from contract.scored import Position, from_history_item
from contract.transaction import encode_transaction
from ops.manifests import ROOT, read_functions
from score.metrics import Metric
from score.rules_source import AppConfigDocument
from tests.support.kafka_events import TOPIC, event_of, make_event
from tests.support.payments import NOW, Context, make_grocery_payment
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable

PERSONAL = ("203.0.113.7", "tok_4242", "Berlin", "52.52", "user-1", "25.00")


class System:
    """The handler's module, cold, and clients that see what it wrote."""

    def __init__(
        self,
        client: Callable[[str], Any],
        unique_name: Callable[[str], str],
        cache: redis.Redis,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.dynamodb, self.sqs = client("dynamodb"), client("sqs")
        self.cache = cache
        self.table = make_table(self.dynamodb, "transaction_history", unique_name)
        self.checkpoints = make_table(self.dynamodb, "profile_checkpoints", unique_name)
        self._monkeypatch = monkeypatch
        bucket = unique_name("quarantine")
        client("s3").create_bucket(Bucket=bucket)
        self.queue_url = self.sqs.create_queue(QueueName=unique_name("quarantine"))["QueueUrl"]
        for variable, value in read_functions()["score"].environment.items():
            monkeypatch.setenv(variable, value if isinstance(value, str) else value.ref.partition(".")[2])
        monkeypatch.setenv("TRANSACTION_HISTORY_TABLE", self.table)
        monkeypatch.setenv("PROFILE_CHECKPOINTS_TABLE", self.checkpoints)
        monkeypatch.setenv("QUARANTINE_QUEUE_URL", self.queue_url)
        monkeypatch.setenv("QUARANTINE_BUCKET", bucket)
        monkeypatch.setenv("CACHE_REPLICATION_GROUP", "")
        monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")
        ruleset = (ROOT / "rules" / "default.yaml").read_bytes()
        monkeypatch.setattr(AppConfigDocument, "__call__", lambda _: ruleset)

    def load(self) -> Callable[..., Any]:
        """A cold start. In the test, not before: the logger keeps the output that it finds, and pytest changes it."""
        self._monkeypatch.delitem(sys.modules, "score.handler", raising=False)
        self._monkeypatch.delitem(logging.Logger.manager.loggerDict, "score", raising=False)
        handler: Callable[..., Any] = importlib.import_module("score.handler").handler
        return handler


@pytest.fixture
def system(
    aws_client: Callable[[str], Any],
    aws_environment: dict[str, str],
    cache_endpoint: str,
    redis_client: redis.Redis,
    unique_name: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> System:
    made = System(aws_client, unique_name, redis_client, monkeypatch)
    monkeypatch.setenv("ELASTICACHE_REDIS_ENDPOINT", cache_endpoint)
    return made


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Everything that the log lines hold, by name."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {name: value for line in lines for name, value in line.items()}


def test_a_batch_is_scored_and_stored_and_its_metrics_emitted(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = system.load()(event_of(make_grocery_payment(timestamp=NOW)), Context())

    assert answer == {"batchItemFailures": []}
    [item] = system.dynamodb.scan(TableName=system.table)["Items"]
    assert from_history_item(item).transaction == make_grocery_payment(timestamp=NOW)
    assert system.cache.exists("profile:{1}:user-1", f"progress:{{1}}:{TOPIC}/0") == 2
    output = printed(capsys)
    assert (output["RecordsReceived"], output["TransactionsScored"]) == ([1.0], [1.0])


def test_a_redelivery_finds_its_row_and_folds_once(system: System) -> None:
    handler, event = system.load(), event_of(make_grocery_payment(timestamp=NOW))
    handler(event, Context())
    system.cache.delete("profile:{1}:user-1")

    answer = handler(event, Context())

    assert answer == {"batchItemFailures": []}
    assert system.dynamodb.scan(TableName=system.table)["Count"] == 1


def test_a_bad_record_is_logged_by_position_and_field_and_quarantined_whole(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    system.load()(make_event([(Position(TOPIC, 3, 5), b'{"user_id": 7}')]), Context())

    [message] = system.sqs.receive_message(QueueUrl=system.queue_url)["Messages"]
    assert json.loads(message["Body"])["value_base64"] == b64encode(b'{"user_id": 7}').decode()
    output = printed(capsys)
    assert (output["position"], output["field"]) == (f"{TOPIC}/3/5", "transaction_id")
    assert output["RecordsQuarantined"] == [1.0]


def test_without_cache_and_checkpoints_the_batch_is_delivered_again_and_the_logs_hold_nothing_personal(
    system: System, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = system.load()
    payment = make_grocery_payment(timestamp=NOW, ip_address="203.0.113.7", card_id="tok_4242")
    bad = encode_transaction(payment).replace(b"EUR", b"XQZ")
    event = make_event([(Position(TOPIC, 0, 0), encode_transaction(payment)), (Position(TOPIC, 0, 1), bad)])
    monkeypatch.setattr(redis.Redis, "mget", _refuse)
    handler(event, Context())
    system.dynamodb.delete_table(TableName=system.checkpoints)

    with pytest.raises(Exception, match="checkpoints: BatchGetItem"):
        handler(event, Context())

    output = capsys.readouterr()
    assert "CacheUnavailable" in output.out
    assert [text for text in PERSONAL if text in output.out + output.err] == []


def test_every_metric_that_is_listed_is_emitted() -> None:
    source = (ROOT / "functions" / "score" / "telemetry.py").read_text()
    emitted = set(re.findall(r"\bMetric\.([A-Z_]+)", source))

    assert emitted == Metric.__members__.keys()


def _refuse(*_: object) -> None:
    raise redis.ConnectionError("refused")
