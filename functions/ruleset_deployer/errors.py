"""The errors of the deployer."""

from __future__ import annotations

from common.errors import StageError


class RefusedChangeError(StageError):
    """An approved change that will never be deployed.

    Parameters
    ----------
    reason : str
        Why, for its author.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
