"""The errors of the label stage."""

from __future__ import annotations

from common.errors import StageError


class LabelContentionError(StageError):
    """A payment whose labels other workers kept changing; the message is delivered again.

    Parameters
    ----------
    attempts : int
        How often it was tried.
    """

    def __init__(self, attempts: int) -> None:
        super().__init__(f"labels: other workers added labels of one payment during {attempts} tries")
        self.attempts = attempts


class UnansweredError(StageError):
    """Requests that DynamoDB left unprocessed however often they were repeated; the message is delivered again.

    Parameters
    ----------
    table : str
        The table, by its interface name.
    attempts : int
        How often they were sent.
    """

    def __init__(self, table: str, attempts: int) -> None:
        super().__init__(f"{table}: left unprocessed by DynamoDB {attempts} times")
        self.table = table
        self.attempts = attempts
