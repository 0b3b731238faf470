"""Whether a store has time for another try, as a test decides it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def always() -> bool:
    """There is time for as many tries as a store makes."""
    return True


def never() -> bool:
    """There is time for no second try."""
    return False


def times(count: int) -> Callable[[], bool]:
    """There is time for so many more tries."""
    answers = iter([True] * count)
    return lambda: next(answers, False)
