"""The errors of the digest stage."""

from __future__ import annotations

from common.errors import StageError


class DigestMarkError(StageError):
    """A published digest that could not be taken out of its row; the next run sends it again, with the same id.

    Parameters
    ----------
    attempts : int
        How often it was tried.
    """

    def __init__(self, attempts: int) -> None:
        super().__init__(
            f"alert_windows: other workers kept a sent digest from being taken out, {attempts} times"
        )
        self.attempts = attempts
