"""The Lambda as deployed: a run sends what is due, fills the cache, and reports a cache that does not answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import fakeredis
import pytest

from cache import primary as cache_primary
from cache.label_copies import RedisLabelCopies
from cache.primary import ENTITY_PREFIX
from common.errors import SettingsError
from common.settings import read_settings
from contract.entity_ids import id_of_name
from contract.label_rows import PendingLabel, Unfinished, due_shard
from engine.entities.kinds import POPULATION_IDS
from engine.entities.levels import COUNTS, WEEK_S
from engine.entities.risk import LEAST_USUAL_RATE
from engine.entities.state import Entity, to_bytes
from label_upkeep.settings import Settings
from tests.support.cold_start import cold_start, declare_environment, emitted
from tests.support.label_world import Calls, DynamoBackend
from tests.support.labels import make_label
from tests.support.payments import Context

if TYPE_CHECKING:
    from collections.abc import Callable

EVENT = {"version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}
MERCHANT = "m:" + "0" * 16
GOOD = {
    "ELASTICACHE_REDIS_ENDPOINT": "localhost:1",
    "LABELS_TABLE": "l",
    "ENTITY_RISK_TABLE": "e",
    "PENDING_LABELS_TABLE": "p",
    "LABELS_QUEUE_URL": "https://labels",
    "QUARANTINE_QUEUE_URL": "https://quarantine",
    "PENDING_DAYS": "30",
    "CHECK_EVERY_HOURS": "24",
}
"""As in function.yaml, with values for its references."""


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PENDING_DAYS", "0"),
        ("PENDING_DAYS", "366"),
        ("CHECK_EVERY_HOURS", "0"),
        ("CHECK_EVERY_HOURS", "721"),
    ],
)
def test_setting_out_of_bounds_fails_the_cold_start(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        read_settings(Settings, GOOD | {variable: value})

    assert set(refusal.value.problems) == {variable}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> fakeredis.FakeServer:
    """A cache, which the function connects to."""
    server = fakeredis.FakeServer()
    monkeypatch.setattr(cache_primary, "connect", lambda *_: fakeredis.FakeRedis(server=server))
    return server


@pytest.fixture
def queues(
    aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, server: fakeredis.FakeServer
) -> dict[str, str]:
    """The function's environment, with a label that has waited, and one that is stored."""
    declare_environment("label_upkeep", monkeypatch)
    dynamo = DynamoBackend(aws("dynamodb"))
    store = dynamo.parts(Calls())[2]
    now = datetime.now(UTC)
    for hours in (2, 24 * 31):
        pending = PendingLabel(
            pending_id=f"p-{hours}",
            message=f'{{"hours": {hours}}}',
            reason=Unfinished.NO_PAYMENT,
            first_at=now - timedelta(hours=hours),
            due_at=now - timedelta(hours=1),
            due_shard=due_shard(f"p-{hours}"),
        )
        store.wait(pending)
    label = make_label(entity_ids=(MERCHANT,), seen=(1, 2, 3, 4, 5, 6))
    store.insert(label)
    store.set_risk(label, label, may_have_counted=False)
    urls = {}
    for name in ("labels", "quarantine"):
        urls[name] = aws("sqs").create_queue(QueueName=name)["QueueUrl"]
        monkeypatch.setenv(f"{name.upper()}_QUEUE_URL", urls[name])
    return urls


def bodies(aws: Callable[[str], Any], url: str) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = (
        aws("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages", [])
    )
    return messages


def test_run_sends_what_is_due_quarantines_what_waited_too_long_and_fills_the_cache(
    queues: dict[str, str],
    server: fakeredis.FakeServer,
    aws: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cold_start("label_upkeep", monkeypatch).handler(EVENT, Context())

    (sent,) = bodies(aws, queues["labels"])
    (quarantined,) = bodies(aws, queues["quarantine"])
    copies = RedisLabelCopies(fakeredis.FakeRedis(server=server))
    read = copies.read([id_of_name(MERCHANT)], ["user-1"])
    assert sent["Body"] == '{"hours": 2}'
    assert sent["MessageAttributes"]["pending"]["StringValue"] == "1"
    assert '"field":"transaction_id"' in quarantined["Body"]
    assert read.is_complete
    assert (len(read.risks), len(read.verdicts)) == (1, 1)
    assert read.usual_rate is not None
    assert float(read.usual_rate) == LEAST_USUAL_RATE
    metrics = emitted(capsys)
    assert (metrics["LabelsSentAgain"], metrics["LabelsExpired"]) == ([1], [1])
    assert "UpkeepFailures" not in metrics


def test_after_the_cache_was_emptied_earlier_frauds_are_no_share_of_the_payments_since(
    queues: dict[str, str],
    server: fakeredis.FakeServer,
    aws: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = datetime.now(UTC)
    store = DynamoBackend(aws("dynamodb")).parts(Calls())[2]
    for number in range(5):
        label = make_label(event_key=f"e-{number}", occurred_at=now - timedelta(days=5))
        store.set_risk(label, label, may_have_counted=False)
    lost_at_s = int(now.timestamp()) - 3_600
    since_then = Entity(lost_at_s, weeks=COUNTS.pack(lost_at_s // WEEK_S, 10, 0, 0, 1, 0.0))
    cache = fakeredis.FakeRedis(server=server)
    cache.set(ENTITY_PREFIX + POPULATION_IDS[0], to_bytes(since_then))

    cold_start("label_upkeep", monkeypatch).handler(EVENT, Context())

    rate = RedisLabelCopies(cache).read([], []).usual_rate
    assert rate is not None
    assert float(rate) == LEAST_USUAL_RATE


def test_cache_that_does_not_answer_keeps_no_label_waiting(
    queues: dict[str, str],
    server: fakeredis.FakeServer,
    aws: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server.connected = False

    cold_start("label_upkeep", monkeypatch).handler(EVENT, Context())

    assert len(bodies(aws, queues["labels"])) == 1
    metrics = emitted(capsys)
    assert sum(metrics["UpkeepFailures"]) == 2
    assert metrics["error"] == "CacheUnavailableError: ConnectionError"
