"""Values that a user's payments had, of each kind (country, device, merchant, ...): when each was first and last seen."""

from __future__ import annotations

from bisect import bisect_left
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from engine.profile.packed_columns import empty

if TYPE_CHECKING:
    from array import array
    from collections.abc import Sequence


class SeenKind(IntEnum):
    """What a seen value is. The low bits of its hash are this number."""

    COUNTRY = 0
    DEVICE = 1
    MERCHANT = 2
    PAYEE = 3
    CHANNEL = 4
    CURRENCY = 5


CAPACITY: Final = (10, 8, 20, 12, 6, 8)
"""How many values of each kind are kept (index: :class:`SeenKind`). Beyond it, the one last seen longest ago is forgotten."""

_KIND_MASK: Final = 7


class SeenValues:
    """Values seen so far, of all kinds together, sorted.

    A value is found by bisection. Two profiles that have seen the same values, in any order, are equal byte for byte.

    Attributes
    ----------
    value : array of uint32
        Hashes whose low three bits are the kind, ascending.
    first_s, last_s : array of uint32
        Event times, s since the epoch, of the earliest and the latest payment with the value.
    """

    __slots__ = ("first_s", "last_s", "value")

    TYPECODES: Final = "III"

    def __init__(self, *columns: array[int]) -> None:
        self.value, self.first_s, self.last_s = columns or empty(self.TYPECODES)

    def __len__(self) -> int:
        return len(self.value)

    def columns(self) -> tuple[array[int], ...]:
        """All columns, in a fixed order."""
        return (self.value, self.first_s, self.last_s)

    def first_seen_s(self, values: Sequence[int | None]) -> list[int | None]:
        """When each value was first seen.

        Parameters
        ----------
        values : Sequence[int | None]
            Hashes; None where a payment names no value.

        Returns
        -------
        list[int | None]
            As long as ``values``, in their order: s since the epoch; None for a value that is not known, and for None.
        """
        known, first_s = self.value, self.first_s
        size = len(known)
        found: list[int | None] = []
        for value in values:
            row = size if value is None else bisect_left(known, value)
            found.append(first_s[row] if row < size and known[row] == value else None)
        return found

    def add(self, value: int, at_s: int) -> None:
        """Record that ``value`` was seen at ``at_s``."""
        row = bisect_left(self.value, value)
        if row == len(self.value) or self.value[row] != value:
            self._insert(value, at_s)
        elif at_s > self.last_s[row]:
            self.last_s[row] = at_s
        elif at_s < self.first_s[row]:
            self.first_s[row] = at_s

    def _insert(self, value: int, at_s: int) -> None:
        kind = value & _KIND_MASK
        rows = [row for row, other in enumerate(self.value) if other & _KIND_MASK == kind]
        if len(rows) >= CAPACITY[kind]:
            # Rows ascend by value: of several last seen at the same time, this is the lowest value.
            oldest = min(rows, key=self.last_s.__getitem__)
            if (at_s, value) < (self.last_s[oldest], self.value[oldest]):
                return  # older than every value of its kind
            for column in self.columns():
                column.pop(oldest)
        place = bisect_left(self.value, value)
        for column, cell in zip(self.columns(), (value, at_s, at_s), strict=True):
            column.insert(place, cell)
