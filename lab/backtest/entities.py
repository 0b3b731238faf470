"""The entities of a backtest: those used lately as objects, all others packed in the form in which they are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.entities.book import EntityBook

if TYPE_CHECKING:
    from contract.entity_ids import EntityIds
    from engine.entities.book import EntityReading
    from engine.entities.state import Sighting

MAX_UNPACKED: Final = 50_000
"""Entities kept as objects, of about 1.5 KB each. Packed, one takes 0.2 KB, and none more than 1.5 KB."""


_HOUR_S: Final = 3_600


class Entities:
    """All entities of a history.

    Parameters
    ----------
    max_unpacked : int
        Entities kept as objects, >= 1. Beyond it all are packed at once: that costs less than to know the order of their use.
    """

    def __init__(self, max_unpacked: int = MAX_UNPACKED) -> None:
        self._max_unpacked = max_unpacked
        self._book = EntityBook()
        self._settled_to_s = 0

    def read(self, ids: EntityIds, clock_s: int) -> EntityReading:
        """What is known of a payment's entities before it; what is usual includes all payments up to the last full hour."""
        if clock_s >= self._settled_to_s:
            self._book.settle()
            self._settled_to_s = clock_s // _HOUR_S * _HOUR_S + _HOUR_S
        return self._book.read(ids, clock_s)

    def fold(self, ids: EntityIds, sighting: Sighting) -> None:
        """Count a payment at its entities."""
        self._book.fold(ids, sighting)
        if len(self._book) > self._max_unpacked:
            self._book = EntityBook(self._book.packed())
