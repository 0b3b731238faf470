"""The errors of deploying a ruleset."""

from __future__ import annotations

from common.errors import StageError


class NotDeployedError(StageError):
    """A new version of the ruleset did not become active.

    Parameters
    ----------
    deployment : int
        AppConfig's number.
    state : str
        What AppConfig says of it.
    """

    def __init__(self, deployment: int, state: str) -> None:
        super().__init__(f"deployment {deployment} of a ruleset is {state}")
        self.deployment = deployment
        self.state = state
