"""The empty handler: the cost of an event and of a cold start before any code of a function runs."""

from __future__ import annotations


def handler(_event: object, _context: object) -> None:
    """Do nothing."""
