"""A set of 64-bit hashes in 16 to 32 bytes each: what a run over millions of rows remembers of each of them."""

from __future__ import annotations

from array import array
from typing import Final

_FIRST_SLOTS: Final = 1 << 12


class SeenHashes:
    """Hashes that have come before.

    Two rows of n share a 64-bit hash by chance with a probability of about n² / 2^65: 1e-7 for 2,000,000 rows.

    Examples
    --------
    >>> seen = SeenHashes()
    >>> seen.add(7), seen.add(7), len(seen)
    (True, False, 1)
    """

    def __init__(self) -> None:
        # Open addressing with linear probing, at most half full; 0 is an empty slot.
        self._slots = array("Q", bytes(8 * _FIRST_SLOTS))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, value: int) -> bool:
        """Remember a hash.

        Parameters
        ----------
        value : int
            0 to 2^64 - 1, its low bits evenly spread. 0 counts as 1.

        Returns
        -------
        bool
            Whether it is new.
        """
        value = value or 1
        slots = self._slots
        mask = len(slots) - 1
        slot = value & mask
        while held := slots[slot]:
            if held == value:
                return False
            slot = (slot + 1) & mask
        slots[slot] = value
        self._count += 1
        if 2 * self._count > mask:
            self._double()
        return True

    def _double(self) -> None:
        old = self._slots
        self._slots = array("Q", bytes(16 * len(old)))
        mask = len(self._slots) - 1
        for value in old:
            if value:
                slot = value & mask
                while self._slots[slot]:
                    slot = (slot + 1) & mask
                self._slots[slot] = value
