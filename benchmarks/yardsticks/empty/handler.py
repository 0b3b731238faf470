"""Nothing: what an event and a cold start cost before any code of a function runs."""

from __future__ import annotations


def handler(_event: object, _context: object) -> None:
    """Answer nothing."""
