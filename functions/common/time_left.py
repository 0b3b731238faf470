"""Whether an invocation has time to begin another piece of work: a timeout would lose the results of the others."""

from __future__ import annotations

from typing import Final, Protocol

MIN_REMAINING_MS: Final = 5_000
"""With less time left nothing is begun."""


class TimedContext(Protocol):
    """The part of Lambda's context that this needs."""

    def get_remaining_time_in_millis(self) -> int:
        """Time until Lambda ends the invocation, ms."""
        ...


class TimeLeft:
    """The time of one invocation.

    Parameters
    ----------
    context : TimedContext
        Of the invocation, which begins now.
    """

    def __init__(self, context: TimedContext) -> None:
        self._context = context
        # The runtime computes the time left from the wall clock. An invocation that begins with less time than any function has
        # runs on a machine whose clock is ahead. Believing it would refuse all work until all retries were used up.
        self._is_clock_right = context.get_remaining_time_in_millis() >= MIN_REMAINING_MS

    def is_enough(self) -> bool:
        """Whether a piece of work may begin."""
        return not self._is_clock_right or self._context.get_remaining_time_in_millis() >= MIN_REMAINING_MS
