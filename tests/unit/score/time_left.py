"""Whether a store has time for another try, as a test decides it."""

from __future__ import annotations


def always() -> bool:
    """There is time for as many tries as a store makes."""
    return True


def never() -> bool:
    """There is time for no second try."""
    return False
