"""The interface between a mapping and what it reads from: :class:`Source` delivers records to :class:`Sink`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.event_sources.records import Batch, Discard, QueueKey, ResumePoint, SourceRecord


class SourceUnavailableError(Exception):
    """A source that is unavailable; holds what it answered."""


class Sink(Protocol):
    """Where a source delivers its records."""

    def add_queue(self, key: QueueKey, group: str) -> None:
        """Announce a queue before its first record."""

    def offer(
        self, origin: str, records: Mapping[QueueKey, list[SourceRecord]], read_to: str, filtered: int
    ) -> None:
        """Deliver what was read from one partition or shard; ``filtered`` is how many more the filter dropped."""

    def wait_for_room(self, origin: str, timeout_seconds: float) -> bool:
        """Wait until the sink takes more records of an origin; False if it does not after that time."""

    def unfinished(self, origin: str) -> int:
        """Return how many records of an origin are not done."""

    def report(self, problem: str) -> None:
        """Report a failure of the source, which keeps trying."""


class Source(Protocol):
    """What a mapping reads from."""

    def start(self, sink: Sink) -> None:
        """Start to read, in threads of its own."""

    def stop_reading(self) -> None:
        """Stop reading; when this returns, nothing more is offered."""

    def close(self) -> None:
        """Save the last resume points and release all resources."""

    def event(self, batch: Batch) -> bytes:
        """Write the event of a batch, JSON."""

    def locate(self, identifier: object, batch: Batch) -> tuple[QueueKey, int] | None:
        """Return queue and position of the record that an ``itemIdentifier`` names; None if it names none."""

    def batch_info(self, discard: Discard) -> dict[str, dict[str, Any]]:
        """Return where discarded records are in the source, as Lambda's invocation record writes it."""

    def save(self, origin: str, resume_point: ResumePoint) -> None:
        """Save where reading an origin resumes after a restart."""

    def backlog(self, unfinished: int) -> int:
        """Count the records that the function has not processed; ``unfinished`` of them have been read.

        Raises
        ------
        SourceUnavailableError
            If the source does not answer.
        """

    def is_caught_up(self) -> bool:
        """Return whether the source had nothing more at the last read."""
