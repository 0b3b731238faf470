"""Counts and backlogs of the running stack in one snapshot, cheap enough for every second.

Counts are read where they exist already (end offsets, item counts, queue depths, the functions' own metrics), never from a
scan: that would become slower with every transaction.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from contract.errors import InvalidRowError
from contract.flagged import FLAGGED_TABLE
from contract.scored import HISTORY_TABLE
from local.components.aws_api import make_client
from local.event_sources.config import MappingConfigError, read_status, status_file
from local.latest_alerts import AlertLine, LatestAlerts
from local.resources import dead_letter_name
from local.runtime.function_metrics import MetricSums
from local.stack.parts import read_ingestion
from local.stack.state import DEFAULT_BUILD_DIR, StackFolder, require_stack
from ops.manifests import read_functions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from local.event_sources.config import MappingStatus

_KAFKA_SECONDS: Final = 2.0
_UNREACHABLE = (BotoCoreError, ClientError, InvalidRowError, KafkaException, MappingConfigError, OSError)


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The stack at one moment. A count is None if its source was unavailable."""

    at: datetime
    """UTC."""
    monotonic_seconds: float
    """The same moment on a clock that cannot be set, for rates."""
    published: int | None = None
    """Records that Kafka has accepted."""
    history: int | None = None
    """Rows of `transaction_history`."""
    flagged: int | None = None
    """Rows of `flagged_transactions`."""
    alerts: int | None = None
    """Messages that the alert topic has accepted."""
    suppressed: int | None = None
    """Flagged payments that a later alert or a digest counts."""
    digests: int | None = None
    """Digests that the alert topic has accepted."""
    landed_bad: int | None = None
    """Rows of files that the Glue job has quarantined."""
    refunds: int | None = None
    """Rows of files that the Glue job has counted as refunds."""
    quarantined: int | None = None
    """Records in the quarantine queue."""
    dead_letters: int | None = None
    """Messages in all dead-letter queues."""
    backlog: dict[str, int | None] = {}
    """Function to the records that it has not processed yet."""
    latest_alerts: tuple[AlertLine, ...] = ()
    """Newest first."""
    problems: tuple[str, ...] = ()
    """One sentence for each source that was unavailable."""


class StackMetrics:
    """Takes snapshots of one running stack.

    Parameters
    ----------
    build_dir : Path
        The stack's build folder.

    Raises
    ------
    StackError
        If no stack is up there.
    """

    def __init__(self, build_dir: Path = DEFAULT_BUILD_DIR) -> None:
        self.state, self._resources = require_stack(build_dir)
        state = self.state
        self._folder = StackFolder(build_dir)
        self._kafka = AdminClient({"bootstrap.servers": state.bootstrap_servers, "log_level": 0})
        self._dynamodb = make_client("dynamodb", state.aws_endpoint)
        self._sqs = make_client("sqs", state.aws_endpoint)
        # Made by the first snapshot: a stack whose AWS API is unavailable must still be reported.
        self._latest_alerts: LatestAlerts | None = None
        self._alert_metrics = MetricSums(self._folder.log_dir / "alert.log")
        self._digest_metrics = MetricSums(self._folder.log_dir / "digest.log")

    def _landed(self) -> dict[str, Any]:
        progress = read_ingestion(self._folder.log_dir)
        return {"landed_bad": progress.quarantined, "refunds": progress.refunds}

    def snapshot(self) -> Snapshot:
        """Count everything now; a source that is unavailable gives None and a sentence in ``problems``."""
        # From the last stage to the first. A payment that moves on meanwhile may then be missing in a later stage, but no stage
        # counts one that an earlier stage does not, such as more alerts than flagged rows.
        sources: dict[str, Callable[[], dict[str, Any]]] = {
            "the functions' logs": self._alerted,
            "DynamoDB": lambda: {
                "latest_alerts": self._latest(),
                "flagged": self._rows(FLAGGED_TABLE),
                "history": self._rows(HISTORY_TABLE),
            },
            "SQS": lambda: {
                "quarantined": self._depth("quarantine"),
                "dead_letters": sum(self._depth(dead_letter_name(name)) for name in read_functions()),
            },
            "the event source mappings": lambda: {"backlog": self._backlog()},
            "Kafka": lambda: {"published": self._published()},
        }
        if self.state.ingestion:
            sources["the Glue job"] = self._landed
        counts: dict[str, Any] = {}
        problems = []
        for name, ask in sources.items():
            try:
                counts |= ask()
            except _UNREACHABLE as error:
                problems.append(f"{name}: {error}")
        return Snapshot(
            at=datetime.now(UTC), monotonic_seconds=time.monotonic(), problems=tuple(problems), **counts
        )

    def mapping_status(self, function: str) -> MappingStatus | None:
        """Read the latest status of a function's event source mapping; None before its first."""
        return read_status(status_file(self._folder.run_dir / f"{function}.json", function))

    def _published(self) -> int:
        topics = self._kafka.list_topics(timeout=_KAFKA_SECONDS).topics
        end = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        latest = {
            TopicPartition(name, partition): end
            for name in self._resources.kafka_topics
            for partition in topics[name].partitions
        }
        asked = self._kafka.list_offsets(latest, request_timeout=_KAFKA_SECONDS)
        return sum(future.result().offset for future in asked.values())

    def _rows(self, table: str) -> int:
        count: int = self._dynamodb.describe_table(TableName=self._resources.tables[table])["Table"][
            "ItemCount"
        ]
        return count

    def _latest(self) -> tuple[AlertLine, ...]:
        if self._latest_alerts is None:
            streams = make_client("dynamodbstreams", self.state.aws_endpoint)
            self._latest_alerts = LatestAlerts(self._dynamodb, streams, self._resources.tables[FLAGGED_TABLE])
        return self._latest_alerts.update()

    def _depth(self, queue: str) -> int:
        states = ["", "NotVisible", "Delayed"]
        names = [f"ApproximateNumberOfMessages{state}" for state in states]
        answer = self._sqs.get_queue_attributes(QueueUrl=self._resources.queues[queue], AttributeNames=names)
        return sum(int(answer["Attributes"].get(name, 0)) for name in names)

    def _alerted(self) -> dict[str, int]:
        sums = self._alert_metrics.update()
        digests = self._digest_metrics.update()
        return {
            "alerts": int(sums.get("AlertsSent", 0)),
            "suppressed": int(sums.get("AlertsSuppressed", 0)),
            "digests": int(digests.get("DigestsSent", 0)),
        }

    def _backlog(self) -> dict[str, int | None]:
        statuses = {name: self.mapping_status(name) for name in self.state.functions}
        return {name: None if status is None else status.backlog for name, status in statuses.items()}
