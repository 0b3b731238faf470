"""The errors of the alert stage."""

from __future__ import annotations

from common.errors import StageError


class MarkError(StageError):
    """A published alert whose row could not be marked sent; the next delivery sends it again, with the same id.

    Parameters
    ----------
    attempts : int
        How often it was tried.
    """

    def __init__(self, attempts: int) -> None:
        super().__init__(f"flagged_transactions: DynamoDB refused to mark an alert as sent, {attempts} times")
        self.attempts = attempts
