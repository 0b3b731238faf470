"""What a mapping carries: records, the batches that are made of them, and those that are given up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from local.runtime.invocation import FunctionError
    from ops.manifests import KafkaTrigger, StreamTrigger

MAX_BATCH_BYTES: Final = 6 * 1024 * 1024 - 16 * 1024
"""Records of one batch, as JSON: Lambda's 6 MB for a payload, less what stands around them."""

Condition = Literal["RetryAttemptsExhausted", "RecordAgeExceeded", "MaximumPayloadSizeExceeded"]
"""Why records are given up, in the words of Lambda's invocation record."""


@dataclass(frozen=True, slots=True)
class LaneKey:
    """Whose records stay in order: a Kafka partition, or one of the parts that a shard is divided into by its keys."""

    origin: str
    """``<topic>-<partition>`` or the shard's id."""
    part: int = 0
    """0 to parallelization factor, exclusive; always 0 for Kafka."""


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One record as it was read."""

    lane: LaneKey
    position: int
    """Order within its origin: the offset, or the sequence number as an integer."""
    identifier: str
    """The offset or the sequence number, as the source writes it."""
    arrived_at_s: float
    """When the source took it, seconds since the epoch."""
    document: bytes
    """The record as it stands in the event, JSON."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of a mapping that decide how records are batched and what happens when they fail."""

    batch_size: int
    batch_window_seconds: float
    report_batch_item_failures: bool
    bisect_on_error: bool
    maximum_retries: int
    maximum_record_age_seconds: float
    retry_base_seconds: float = 0.1
    """Delay before the first retry; each further retry of the same records doubles it."""
    retry_maximum_seconds: float = 5.0
    max_batch_bytes: int = MAX_BATCH_BYTES

    @classmethod
    def from_trigger(
        cls, trigger: KafkaTrigger | StreamTrigger, retry_base_seconds: float, retry_maximum_seconds: float
    ) -> Policy:
        """Take what `function.yaml` says; Lambda does not document its delays, so they are the caller's."""
        return cls(
            batch_size=trigger.batch_size,
            batch_window_seconds=trigger.batch_window_seconds,
            report_batch_item_failures=trigger.report_batch_item_failures,
            bisect_on_error=trigger.bisect_on_error,
            maximum_retries=trigger.maximum_retries,
            maximum_record_age_seconds=trigger.maximum_record_age_seconds,
            retry_base_seconds=retry_base_seconds,
            retry_maximum_seconds=retry_maximum_seconds,
        )

    def delay_seconds(self, retries: int) -> float:
        """How long to wait before the retry after ``retries`` earlier ones."""
        return float(min(self.retry_maximum_seconds, self.retry_base_seconds * 2 ** min(retries, 32)))


@dataclass(frozen=True, slots=True)
class Piece:
    """Successive records of one lane that are delivered together, and what they have been through."""

    records: tuple[SourceRecord, ...]
    retries: int = 0
    """Of the mapping's quota; a split does not count."""
    invocations: int = 0
    not_before_s: float = 0.0
    """Earliest time of the next delivery, seconds since the epoch."""
    error: FunctionError | None = None
    """Why the latest delivery failed; None where the function named single records."""

    @property
    def lane(self) -> LaneKey:
        """The lane that all of its records are of."""
        return self.records[0].lane


@dataclass(frozen=True, slots=True)
class Batch:
    """One invocation: a piece of each of one or several lanes."""

    pieces: tuple[Piece, ...]

    @property
    def records(self) -> tuple[SourceRecord, ...]:
        """All of its records, lane by lane, each lane's in order."""
        return tuple(record for piece in self.pieces for record in piece.records)


@dataclass(frozen=True, slots=True)
class Discard:
    """Records that are given up; they are done with once the on-failure destination has been told."""

    piece: Piece
    condition: Condition


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an invocation came to, as far as its records are concerned."""

    error: FunctionError | None = None
    """Set where the whole batch failed."""
    failed: dict[LaneKey, int] = field(default_factory=dict)
    """Lowest failed position of each lane that the function named."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one origin has been dealt with; where to go on after a restart."""

    first_unfinished: SourceRecord | None
    """The record that must be read again; None where all that was read is done."""
    read_to: str | None
    """Identifier of the last record that was read, filtered ones among them; None where nothing was."""
