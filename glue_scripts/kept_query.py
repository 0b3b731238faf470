"""A query that is started again whenever it fails, while the job goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql.streaming.query import StreamingQuery

FIRST_PAUSE_SECONDS: Final = 10.0
LONGEST_PAUSE_SECONDS: Final = 160.0
"""With the time that a try takes, there are two failures in any 15 minutes, which the alarm counts."""

_HEALTHY_SECONDS: Final = 300.0
"""A query that has run for so long is started again without a long pause."""


class KeptQuery:
    """Starts a query, and starts it again after a failure: at once would repeat the failure, so pauses double.

    Parameters
    ----------
    begin : Callable[[], StreamingQuery]
        Starts the query; it may fail too, as where its mappings cannot be used.
    report : Callable[[Exception, float], None]
        Takes each failure, and after how many seconds the next try is.
    """

    def __init__(
        self, begin: Callable[[], StreamingQuery], report: Callable[[Exception, float], None]
    ) -> None:
        self._begin = begin
        self._report = report
        self._query: StreamingQuery | None = None
        self._pause = FIRST_PAUSE_SECONDS
        self._next_try = float("-inf")
        self._began = 0.0

    def keep(self, now: float) -> None:
        """Start the query if it does not run and its time has come; called again and again.

        Parameters
        ----------
        now : float
            Seconds of a clock that never goes back.
        """
        if self._query is not None:
            if self._query.isActive:
                return
            error = self._query.exception() or RuntimeError("the query ended")
            self._query = None
            if now - self._began >= _HEALTHY_SECONDS:
                self._pause = FIRST_PAUSE_SECONDS
            self._failed(error, now)
        elif now >= self._next_try:
            try:
                self._query = self._begin()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is reported, and the payments go on
                self._failed(error, now)
            else:
                self._began = now

    def stop(self) -> None:
        """Stop the query, if it runs."""
        if self._query is not None:
            self._query.stop()

    def _failed(self, error: Exception, now: float) -> None:
        self._report(error, self._pause)
        self._next_try = now + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)
