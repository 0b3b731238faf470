"""Keeps a record that crashes the stage from holding its partition until the topic drops it.

The record's position is dead-lettered, as Lambda does it for a Kafka mapping; its content stays on the topic. The stage does not
copy the content: whatever reads it may be what crashes, and unmasked it may hold a card number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from common.crash_counts import is_of_the_record
from common.dead_letters import invocation_record
from contract.clock import EPOCH, MILLISECOND
from score.delivery import failure_response

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mypy_boto3_sqs import SQSClient

    from common.crash_counts import CrashCounts, CrashLimits
    from score.delivery import KafkaEvent, KafkaRecord, PartialBatchResponse


class BatchStage(Protocol):
    """The stage that is guarded."""

    def handle(self, event: KafkaEvent, has_time: Callable[[], bool]) -> PartialBatchResponse:
        """Handle one batch."""
        ...


class DeadLetters(Protocol):
    """Where the position of a record goes that crashes the stage."""

    def put(self, event: KafkaEvent, record: KafkaRecord, function_arn: str, crashes: int) -> None:
        """Send one record's position."""
        ...


class CrashTelemetry(Protocol):
    """What is reported."""

    def record_dead_lettered(self, position: str, crashes: int) -> None:
        """Report a record that was dead-lettered."""
        ...


class CrashGuard:
    """Passes batches to the stage, and dead-letters the record that has crashed it too often.

    Parameters
    ----------
    stage : BatchStage
        Scores the batch.
    counts : CrashCounts
        Where crashes are counted.
    dead_letters : DeadLetters
        Where a record goes that has too many.
    limits : CrashLimits
        What is counted, and how many crashes are too many.
    telemetry : CrashTelemetry
        Reports it.
    clock : Callable
        The time, aware, UTC.
    """

    def __init__(
        self,
        stage: BatchStage,
        counts: CrashCounts,
        dead_letters: DeadLetters,
        limits: CrashLimits,
        telemetry: CrashTelemetry,
        clock: Callable[[], datetime],
    ) -> None:
        self._stage = stage
        self._counts = counts
        self._dead_letters = dead_letters
        self._limits = limits
        self._telemetry = telemetry
        self._clock = clock

    def handle(
        self, event: KafkaEvent, has_time: Callable[[], bool], function_arn: str
    ) -> PartialBatchResponse:
        """Handle one batch; of a record that crashes the stage, nothing but its position is read.

        Parameters
        ----------
        event : KafkaEvent
            As Lambda delivers it.
        has_time : Callable[[], bool]
            Whether another try still fits into the invocation.
        function_arn : str
            The function as it was invoked.

        Raises
        ------
        Exception
            What the stage raises. An outage takes its try back; anything else counts as a crash.
        ClientError, BotoCoreError
            If the position cannot be sent; the record is delivered again.
        """
        record = self._lone_old_record(event)
        if record is None:
            return self._stage.handle(event, has_time)
        position = f"{record['topic']}/{record['partition']}/{record['offset']}"
        tries = self._counts.begin(position)
        if tries > self._limits.maximum:
            self._dead_letters.put(event, record, function_arn, tries - 1)
            self._counts.forget(position)
            self._telemetry.record_dead_lettered(position, tries - 1)
            return failure_response(())
        return self._tried(event, has_time, position)

    def _tried(self, event: KafkaEvent, has_time: Callable[[], bool], position: str) -> PartialBatchResponse:
        try:
            response = self._stage.handle(event, has_time)
        except Exception as error:
            if not is_of_the_record(error):
                self._counts.end(position)
            raise
        # The stage names what an outage kept it from storing; a record that is no payment is quarantined.
        if response["batchItemFailures"]:
            self._counts.end(position)
        else:
            self._counts.forget(position)
        return response

    def _lone_old_record(self, event: KafkaEvent) -> KafkaRecord | None:
        batches = list(event["records"].values())
        if len(batches) != 1 or len(batches[0]) != 1:
            return None
        (record,) = batches[0]
        age_seconds = ((self._clock() - EPOCH) // MILLISECOND - record["timestamp"]) / 1000
        return record if age_seconds > self._limits.after_seconds else None


class QueueDeadLetters:
    """The stage's dead-letter queue.

    Parameters
    ----------
    sqs : SQSClient
        A low-level client.
    queue_url : str
        The queue.
    clock : Callable
        The time, aware, UTC.
    """

    def __init__(self, sqs: SQSClient, queue_url: str, clock: Callable[[], datetime]) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._clock = clock

    def put(self, event: KafkaEvent, record: KafkaRecord, function_arn: str, crashes: int) -> None:
        """Send one record's position, as Lambda describes a batch of one record."""
        at = (EPOCH + record["timestamp"] * MILLISECOND).isoformat(timespec="milliseconds")
        offset, time = str(record["offset"]), at.replace("+00:00", "Z")
        place: dict[str, Any] = {
            "firstRecordOffset": offset,
            "lastRecordOffset": offset,
            "firstRecordTimestamp": time,
            "lastRecordTimestamp": time,
        }
        batch = {
            "batchSize": 1,
            "eventSourceArn": event.get("eventSourceArn", ""),
            "recordsInfo": {f"{record['topic']}-{record['partition']}": place},
        }
        body = invocation_record(function_arn, crashes, self._clock()) | {"KafkaBatchInfo": batch}
        self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=msgspec.json.encode(body).decode())
