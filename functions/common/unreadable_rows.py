"""Reports stored rows that cannot be read and are left out: one damaged row must not keep everybody from all the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.failures import describe_failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from common.failures import FailureLog


class UnreadableRows:
    """Gets a row that is left out, logs it and counts it.

    Parameters
    ----------
    log : FailureLog
        Gets a line for each row.
    count : Callable[[], None] | None
        Called for each row; None where nobody counts them.
    """

    def __init__(self, log: FailureLog, count: Callable[[], None] | None = None) -> None:
        self._log = log
        self._count = count

    def leave_out(self, error: Exception, row: str) -> None:
        """Report one row.

        Parameters
        ----------
        error : Exception
            Why it cannot be read.
        row : str
            What finds it again, without a personal value.
        """
        self._log.error("A row cannot be read and is left out", extra={**describe_failure(error), "row": row})
        if self._count is not None:
            self._count()
