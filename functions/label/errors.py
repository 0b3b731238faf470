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
