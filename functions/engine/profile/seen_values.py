"""Values that a user's payments had, of each kind (country, device, merchant, ...): when each was first and last seen, how often.

Only payments that teach what is normal are counted here. A value is familiar by its age and its number, not by one sighting:
whoever pays 5 today to be known tomorrow is still a stranger.
"""

from __future__ import annotations

from bisect import bisect_left
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar, Final

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


NAME_KINDS: Final = frozenset({SeenKind.DEVICE, SeenKind.MERCHANT, SeenKind.PAYEE})
"""Kinds whose values anybody can make up, so that no hash of a known one may be forged."""

UNFAMILIAR_BY_FRAUD: Final = (SeenKind.DEVICE, SeenKind.MERCHANT, SeenKind.PAYEE)
"""Kinds of which a verdict of fraud makes the payment's value unfamiliar."""

CAPACITY: Final = (10, 8, 20, 12, 6, 8)
"""How many values of each kind are kept (index: :class:`SeenKind`). Beyond it, the one last seen longest ago is forgotten, of those
that are not familiar if there are any: a row of strangers cannot displace what the user has used for years."""

FAMILIAR_COUNT: Final = 3
"""A value is familiar after this many payments at least,"""
FAMILIAR_AGE_S: Final = 3 * 86_400
"""and this many seconds after the first of them."""
MAX_SEEN: Final = 2**16 - 1

OLD_END: Final = 2**32
"""Hashes of names below it are those of format 1."""

_KIND_MASK: Final = 7


class SeenValues:
    """Values seen so far, of all kinds together, sorted.

    A value is found by bisection. Two profiles that have seen the same values, in any order, are equal byte for byte, as long as no
    kind is beyond its capacity.

    Attributes
    ----------
    value : array of uint64
        Hashes whose low three bits are the kind, ascending.
    first_s, last_s : array of uint32
        Times, s since the epoch, of the earliest and the latest payment with the value.
    count : array of uint16
        Payments with the value; at most :data:`MAX_SEEN`.
    """

    __slots__ = ("count", "first_s", "last_s", "value")

    TYPECODES: ClassVar[str] = "QIIH"

    def __init__(self, *columns: array[int]) -> None:
        self.value, self.first_s, self.last_s, self.count = columns or empty(self.TYPECODES)

    def __len__(self) -> int:
        return len(self.value)

    def columns(self) -> tuple[array[int], ...]:
        """All columns, in a fixed order."""
        return (self.value, self.first_s, self.last_s, self.count)

    def find(self, values: Sequence[int | None]) -> list[tuple[int, int] | None]:
        """When each value was first seen, and how often.

        Parameters
        ----------
        values : Sequence[int | None]
            Hashes; None where a payment names no value.

        Returns
        -------
        list[tuple[int, int] | None]
            As long as ``values``, in their order: first time in s since the epoch, and number; None for a value that is not known,
            and for None.
        """
        known, first_s, count = self.value, self.first_s, self.count
        size = len(known)
        found: list[tuple[int, int] | None] = []
        for value in values:
            row = size if value is None else bisect_left(known, value)
            found.append((first_s[row], count[row]) if row < size and known[row] == value else None)
        return found

    def add(self, value: int, at_s: int) -> None:
        """Record that ``value`` was seen at ``at_s``."""
        row = bisect_left(self.value, value)
        if row == len(self.value) or self.value[row] != value:
            self._insert(value, at_s, at_s, 1)
            return
        if self.count[row] < MAX_SEEN:
            self.count[row] += 1
        if at_s > self.last_s[row]:
            self.last_s[row] = at_s
        elif at_s < self.first_s[row]:
            self.first_s[row] = at_s

    def vouch(self, value: int, at_s: int) -> None:
        """Make ``value`` familiar: a person says that the payment with it at ``at_s`` was legitimate."""
        first_s = max(at_s - FAMILIAR_AGE_S, 0)
        row = bisect_left(self.value, value)
        if row == len(self.value) or self.value[row] != value:
            self._insert(value, first_s, at_s, FAMILIAR_COUNT)
            return
        self.count[row] = max(self.count[row], FAMILIAR_COUNT)
        self.first_s[row] = min(self.first_s[row], first_s)
        self.last_s[row] = max(self.last_s[row], at_s)

    def forget(self, value: int) -> None:
        """Remove ``value``, so that it is new again."""
        row = bisect_left(self.value, value)
        if row < len(self.value) and self.value[row] == value:
            for column in self.columns():
                column.pop(row)

    def rename(self, old: Sequence[int | None], new: Sequence[int | None]) -> bool:
        """Replace values that are known by their old hashes alone; whether old hashes of names are left after that.

        Both are hashes of one payment's values, in one order.
        """
        for was, now in zip(old, new, strict=True):
            known, known_now = self._row(was), self._row(now)
            if was is None or now is None or known is None or known_now is not None:
                continue
            first_s, last_s, count = self.first_s[known], self.last_s[known], self.count[known]
            self.forget(was)
            self._insert(now, first_s, last_s, count)
        return any(value < OLD_END and value & _KIND_MASK in NAME_KINDS for value in self.value)

    def _row(self, value: int | None) -> int | None:
        row = len(self.value) if value is None else bisect_left(self.value, value)
        return row if row < len(self.value) and self.value[row] == value else None

    def _insert(self, value: int, first_s: int, last_s: int, count: int) -> None:
        kind = value & _KIND_MASK
        rows = [row for row, other in enumerate(self.value) if other & _KIND_MASK == kind]
        if len(rows) >= CAPACITY[kind]:
            firsts, lasts, counts = self.first_s, self.last_s, self.count
            # A value is a stranger that was not familiar when it was last seen.
            strangers = [
                row
                for row in rows
                if counts[row] < FAMILIAR_COUNT or lasts[row] - firsts[row] < FAMILIAR_AGE_S
            ]
            # Rows ascend by value: of several last seen at the same time, this is the lowest value.
            oldest = min(strangers or rows, key=lasts.__getitem__)
            # What a person vouches for displaces a stranger, although the payment is older than the strangers' are.
            is_stranger = count < FAMILIAR_COUNT or last_s - first_s < FAMILIAR_AGE_S
            is_older = (last_s, value) < (lasts[oldest], self.value[oldest])
            if is_older and (is_stranger or not strangers):
                return  # older than every value that it may displace
            for column in self.columns():
                column.pop(oldest)
        place = bisect_left(self.value, value)
        for column, cell in zip(self.columns(), (value, first_s, last_s, count), strict=True):
            column.insert(place, cell)


def is_familiar(first_s: int, count: int, at_s: int) -> bool:
    """Whether a value that was first seen at ``first_s``, ``count`` times so far, is familiar at ``at_s``."""
    return count >= FAMILIAR_COUNT and at_s - first_s >= FAMILIAR_AGE_S
