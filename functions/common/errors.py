"""The errors that stages share. Each message says what is wrong, and never holds a value of a record: it may be logged."""

from __future__ import annotations

from typing import Final

REFUSED_RECORD: Final = frozenset({"ValidationException", "InvalidParameter", "InvalidParameterValue"})
"""Refusals of AWS that say that the request is wrong, so that another try is refused too."""

REFUSED_WRITE: Final = frozenset({"ValidationError", "ItemCollectionSizeLimitExceeded"})
"""The same, as the reason of one write for which DynamoDB cancels a transaction."""


class StageError(Exception):
    """Something that a stage cannot do."""

    is_of_the_record: bool = False
    """Whether the record that was handled is the cause, so that every try ends so. Otherwise it is an outage, and the record waits."""


class SettingsError(StageError):
    """Environment variables that are missing or wrong, all of them at once.

    Parameters
    ----------
    problems : dict[str, str]
        Variable name to what is wrong with it.
    """

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {problem}" for name, problem in problems.items()))
        self.problems = problems


class OutOfTimeError(StageError):
    """A record that was not begun because the invocation has too little time left; it is delivered again.

    Parameters
    ----------
    minimum_ms : int
        The time that a record needs, ms.
    """

    def __init__(self, minimum_ms: int) -> None:
        super().__init__(f"less than {minimum_ms} ms left")
        self.minimum_ms = minimum_ms


class CacheUnavailableError(StageError):
    """The cache did not answer, or not in time; its content counts as unknown."""
