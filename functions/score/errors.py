"""The errors of the score stage. Each says what was wrong, and carries where as data."""

from __future__ import annotations

from common.errors import StageError


class RulesetUnreachableError(StageError):
    """The place where the ruleset is kept did not answer, or had no document.

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
    """No ruleset has ever been in force here, so nothing can be decided; what was wanted is to be tried again."""


class CacheUnavailableError(StageError):
    """The profile cache did not answer, or not in time; what it held counts as unknown."""


class HistoryUnavailableError(StageError):
    """The history table did not answer a read; the batch cannot be scored and is to be delivered again."""
