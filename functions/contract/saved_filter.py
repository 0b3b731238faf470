"""A filter of the queue that somebody keeps under a name: a row of ``saved_filters``. It holds words of ours and the name, nothing of a payment."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from contract.clock import Instant

SAVED_FILTERS_TABLE: Final = "saved_filters"

MAX_FILTERS: Final = 20
"""Of one person."""

MAX_NAME_CHARACTERS: Final = 40

_NAME: Final = re.compile(r"[^\W_][\w ,+&()/-]*")
_LONG_NUMBER: Final = re.compile(r"\d(?:[\W_]*\d){4}")
"""Five digits, however they are grouped: a card, an account or a telephone number could begin so."""


class SavedFilter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of ``saved_filters``; the fields are its attributes."""

    person: str
    """Whose it is."""
    filter_id: str
    """With ``person`` the key; random."""
    name: str
    view: str
    severity: str
    least: str
    """The three as the queue's address has them."""
    saved_at: Instant


def filter_name(text: str) -> str | None:
    """Read a filter's name; None for what can be none.

    Letters, at most four digits, spaces and a few marks, :data:`MAX_NAME_CHARACTERS` at most. So no card, address or id of a payment becomes
    a name.

    >>> filter_name("  Overdue,  over 1000 "), filter_name("4111 1111"), filter_name("a@b.example")
    ('Overdue, over 1000', None, None)
    """
    name = " ".join(text.split())
    is_name = len(name) <= MAX_NAME_CHARACTERS and _NAME.fullmatch(name) and not _LONG_NUMBER.search(name)
    return name if is_name else None
