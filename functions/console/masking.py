"""Personal data as a page shows it before somebody asks for it, and after."""

from __future__ import annotations

from typing import Final

from common.sanitizing import printable

MAX_CHARACTERS: Final = 300
"""Of a sender's value on a page."""

_SHOWN: Final = 4
"""Last characters that a mask leaves: enough to distinguish two cards of one user."""
_LEAST_HIDDEN: Final = 4


def masked(value: str | None, *, is_revealed: bool) -> str:
    """Show a value of a sender's; empty for none.

    >>> masked("tok_000000001234", is_revealed=False), masked("ab1234", is_revealed=False)
    ('…1234', 'hidden')
    """
    if not value:
        return ""
    text = printable(value, MAX_CHARACTERS)
    if is_revealed:
        return text
    return f"…{text[-_SHOWN:]}" if len(text) >= _SHOWN + _LEAST_HIDDEN else "hidden"
