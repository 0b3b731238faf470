"""What a mapping delivers: records, the batches that are made of them, and records that go to the on-failure destination."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from ops.manifests import TopicRetention

if TYPE_CHECKING:
    from local.runtime.invocation import FunctionError
    from ops.manifests import KafkaTrigger, StreamTrigger

MAX_BATCH_BYTES: Final = 6 * 1024 * 1024 - 16 * 1024
"""Largest sum of a batch's records as JSON: Lambda's 6 MB for a payload, less what surrounds the records."""

TOPIC_RETENTION_SECONDS: Final = 7 * 24 * 3600
"""How long the stack's topics keep a record: Kafka's default."""

Condition = Literal["RetryAttemptsExhausted", "RecordAgeExceeded", "MaximumPayloadSizeExceeded"]
"""Why records are dead-lettered, in the words of Lambda's invocation record."""


@dataclass(frozen=True, slots=True)
class QueueKey:
    """What keeps its order: a Kafka partition, or one of the parts into which a shard is divided by partition key."""

    origin: str
    """The partition as ``<topic>-<partition>``, or the shard's id."""
    part: int = 0
    """From 0 to below the parallelization factor; always 0 for Kafka."""


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One record as it was read."""

    queue: QueueKey
    position: int
    """Order within its origin: the offset, or the sequence number as an integer."""
    identifier: str
    """The offset or the sequence number, as the source writes it."""
    arrived_at_s: float
    """When the source received it, seconds since the epoch."""
    document: bytes
    """The record as part of the event, JSON."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of a mapping that decide how records are batched and what happens when they fail."""

    batch_size: int
    batch_window_seconds: float
    report_batch_item_failures: bool
    bisect_on_error: bool
    maximum_retries: int
    """-1 retries until the record is too old."""
    maximum_record_age_seconds: float
    retry_base_seconds: float = 0.1
    """Delay before the first retry; it doubles with each further retry of the same records."""
    retry_maximum_seconds: float = 5.0
    max_batch_bytes: int = MAX_BATCH_BYTES

    @classmethod
    def from_trigger(
        cls, trigger: KafkaTrigger | StreamTrigger, retry_base_seconds: float, retry_maximum_seconds: float
    ) -> Policy:
        """Take the settings of `function.yaml`; the caller chooses the delays, since Lambda does not document its own."""
        return cls(
            batch_size=trigger.batch_size,
            batch_window_seconds=trigger.batch_window_seconds,
            report_batch_item_failures=trigger.report_batch_item_failures,
            bisect_on_error=trigger.bisect_on_error,
            maximum_retries=trigger.maximum_retries,
            maximum_record_age_seconds=(
                TOPIC_RETENTION_SECONDS
                if isinstance(trigger.maximum_record_age_seconds, TopicRetention)
                else trigger.maximum_record_age_seconds
            ),
            retry_base_seconds=retry_base_seconds,
            retry_maximum_seconds=retry_maximum_seconds,
        )

    def delay_seconds(self, retries: int) -> float:
        """Return the wait before the next retry, after ``retries`` earlier ones."""
        return float(min(self.retry_maximum_seconds, self.retry_base_seconds * 2 ** min(retries, 32)))


@dataclass(frozen=True, slots=True)
class Piece:
    """Successive records of one queue that are delivered together, and their earlier deliveries."""

    records: tuple[SourceRecord, ...]
    retries: int = 0
    """Retries that count towards the mapping's maximum; a split does not."""
    invocations: int = 0
    not_before_s: float = 0.0
    """Earliest time of the next delivery, seconds since the epoch."""
    error: FunctionError | None = None
    """Why the latest delivery failed; None if the function named single records."""

    @property
    def queue(self) -> QueueKey:
        """The queue that all its records belong to."""
        return self.records[0].queue


@dataclass(frozen=True, slots=True)
class Batch:
    """The records of one invocation: one piece from each of one or several queues."""

    pieces: tuple[Piece, ...]

    @property
    def records(self) -> tuple[SourceRecord, ...]:
        """All its records, queue by queue, in order within each queue."""
        return tuple(record for piece in self.pieces for record in piece.records)

    def find(self, identifier: object) -> tuple[QueueKey, int] | None:
        """Return queue and position of the record with this identifier; None if none has it."""
        found = (record for record in self.records if record.identifier == identifier)
        return next(((record.queue, record.position) for record in found), None)


@dataclass(frozen=True, slots=True)
class Discard:
    """Records to dead-letter; they are done once the on-failure destination has received them."""

    piece: Piece
    condition: Condition


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """What an invocation means for its records."""

    error: FunctionError | None = None
    """Set if the whole batch failed."""
    failed: dict[QueueKey, int] = field(default_factory=dict)
    """Queue to the lowest position that the function named as failed."""


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """Where reading one partition or shard resumes after a restart."""

    first_unfinished: SourceRecord | None
    """The earliest record that must be read again; None if all that was read is done."""
    read_to: str | None
    """Identifier of the last record that was read, including filtered ones; None if there is none."""
