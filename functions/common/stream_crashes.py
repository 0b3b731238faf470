"""Records of a stream that crash their stage, or that fail at every try for a reason of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common.crash_counts import CrashSettings, is_of_the_record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from common.crash_counts import CrashCounts, CrashLimits
    from common.dead_letters import StreamDeadLetters


class StreamCrashSettings(CrashSettings, frozen=True, kw_only=True):
    """The part of the settings of a stage that reads a stream."""

    dead_letter_bucket: str
    """The bucket's name in this environment."""


class StreamCrashes:
    """Counts the crashes of a stream's records, and dead-letters the record that has too many.

    Parameters
    ----------
    counts : CrashCounts
        Where they are counted.
    dead_letters : StreamDeadLetters
        Where such a record goes.
    limits : CrashLimits
        What is counted, and how many crashes are too many.
    clock : Callable
        The time, aware.
    """

    def __init__(
        self,
        counts: CrashCounts,
        dead_letters: StreamDeadLetters,
        limits: CrashLimits,
        clock: Callable[[], datetime],
    ) -> None:
        self._counts = counts
        self._dead_letters = dead_letters
        self._limits = limits
        self._clock = clock
        self._begun: dict[str, int] = {}

    def begin(self, records: list[Mapping[str, Any]], function_arn: str) -> bool:
        """Count a try of a batch that is one old record; False if that record is dead-lettered now, and must not be tried."""
        self._begun.clear()
        if len(records) != 1 or not self._is_old(records[0]):
            return True
        (record,) = records
        name = _name(record)
        tries = self._counts.begin(name)
        if tries > self._limits.maximum:
            self._dead_letter(record, function_arn, tries - 1)
            return False
        self._begun[name] = tries
        return True

    def failed(self, record: Mapping[str, Any], error: Exception, function_arn: str) -> bool:
        """Count a try that ended in an error of the record's own; True if the record is dead-lettered now.

        An outage is not counted: the record waits for its end.
        """
        name = _name(record)
        begun = self._begun.pop(name, None)
        if not is_of_the_record(error):
            if begun is not None:
                self._counts.end(name)
            return False
        if begun is None and not self._is_old(record):
            return False
        tries = begun if begun is not None else self._counts.begin(name)
        if tries < self._limits.maximum:
            return False
        self._dead_letter(record, function_arn, tries)
        return True

    def done(self, record: Mapping[str, Any]) -> None:
        """Forget the count of a record that was counted and is done."""
        name = _name(record)
        if self._begun.pop(name, None) is not None:
            self._counts.forget(name)

    def _dead_letter(self, record: Mapping[str, Any], function_arn: str, crashes: int) -> None:
        self._dead_letters.put(record, function_arn, crashes)
        self._counts.forget(_name(record))

    def _is_old(self, record: Mapping[str, Any]) -> bool:
        created_at = record["dynamodb"].get("ApproximateCreationDateTime", 0)
        return self._clock().timestamp() - float(created_at) > self._limits.after_seconds


def _name(record: Mapping[str, Any]) -> str:
    return f"{record.get('eventSourceARN', '')}#{record['dynamodb']['SequenceNumber']}"
