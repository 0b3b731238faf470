"""Counts of crashes and dead letters in memory, and a stream's use of both."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from common.crash_counts import CrashLimits
from common.stream_crashes import StreamCrashes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class MemoryCounts:
    """The table in a dict. ``is_down`` makes it count nothing."""

    def __init__(self) -> None:
        self.tries: dict[str, int] = {}
        self.is_down = False

    def begin(self, record: str) -> int:
        """Count one more try."""
        if self.is_down:
            return 0
        self.tries[record] = self.tries.get(record, 0) + 1
        return self.tries[record]

    def end(self, record: str) -> None:
        """Take back one try."""
        if not self.is_down:
            self.tries[record] -= 1

    def forget(self, record: str) -> None:
        """Remove the count."""
        self.tries.pop(record, None)


class MemoryLetters:
    """The bucket in a list."""

    def __init__(self) -> None:
        self.records: list[tuple[Mapping[str, Any], str, int]] = []

    def put(self, record: Mapping[str, Any], function_arn: str, crashes: int) -> None:
        """Keep one record."""
        self.records.append((record, function_arn, crashes))


def make_crashes(
    counts: MemoryCounts | None = None,
    letters: MemoryLetters | None = None,
    *,
    maximum: int = 50,
    after_seconds: float = 60,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> StreamCrashes:
    """Make what a stream's stage needs."""
    limits = CrashLimits(maximum, after_seconds)
    return StreamCrashes(counts or MemoryCounts(), letters or MemoryLetters(), limits, clock)


CRASH_VARIABLES = {
    "RECORD_CRASHES_TABLE": "record_crashes",
    "MAX_CRASHES": "50",
    "COUNT_CRASHES_AFTER_SECONDS": "60",
    "DEAD_LETTER_BUCKET": "dead",
}
"""The variables of a stage that reads a stream."""
