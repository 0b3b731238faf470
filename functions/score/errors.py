"""The errors of the score stage. Each says what is wrong, and carries the place as data."""

from __future__ import annotations

from common.errors import StageError


class RulesetUnreachableError(StageError):
    """The source of the ruleset did not answer, or had no document.

    Parameters
    ----------
    source : str
        What the document is called there.
    problem : str
        What it answered.
    """

    def __init__(self, source: str, problem: str) -> None:
        super().__init__(f"{source}: {problem}")
        self.source = source
        self.problem = problem


class NoRulesetError(StageError):
    """No ruleset has been active since the start, so nothing can be decided; the batch is delivered again."""


class HistoryUnavailableError(StageError):
    """The history table did not answer a read; the batch cannot be scored and is delivered again."""
