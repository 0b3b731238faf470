"""The errors of the reconciler."""

from __future__ import annotations

from common.errors import StageError


class UnansweredError(StageError):
    """A table that left keys unprocessed again and again.

    Parameters
    ----------
    table : str
        Its name.
    requests : int
        How often it was asked.
    """

    def __init__(self, table: str, requests: int) -> None:
        super().__init__(f"{table}: keys remain unprocessed after {requests} requests")
        self.table = table
        self.requests = requests
