"""The newest payments exactly, whatever was decided about them, as a ring in the order of their clocks."""

from __future__ import annotations

from bisect import bisect_right
from sys import byteorder
from typing import TYPE_CHECKING, ClassVar, Final

from engine.profile.packed_columns import empty

if TYPE_CHECKING:
    from array import array

RING_CAPACITY: Final = 32
"""How many payments are kept one by one. 32 rows of 51 bytes are the largest part of a profile."""

_BEFORE_ALL_MS: Final = -(2**63)


class RecentPayments:
    """At most :data:`RING_CAPACITY` payments, those with the latest clocks, oldest first.

    Which payments are kept, and in which order, does not depend on the order in which they arrive: payments of the same
    millisecond are in the order of their key hashes.

    Attributes
    ----------
    clock_ms : array of int64
        Clocks, ms since the epoch, ascending.
    key_hash : array of uint64
        Hashes of the row keys, to recognise redeliveries.
    id_hash : array of uint32
        Hashes of the transaction ids, to recognise payments that are sent again under another time; 0 where it is not known.
    amount_minor : array of int64
        Amounts in minor units of their own currency.
    currency : array of uint8
        Numbers of the currencies (:mod:`engine.profile.fingerprints`).
    merchant, card, country : array of uint32
        Hashes; 0 if the payment names none.
    content : array of uint64
        Hashes of transaction id and what is paid, to recognise payments that are sent again; 0 where they are not known.
    decision, risk_score : array of uint8
        What was decided: the decision's number (:data:`engine.profile.outcome.DECISIONS`), and 0 to 100.
    """

    __slots__ = (
        "amount_minor",
        "card",
        "clock_ms",
        "content",
        "country",
        "currency",
        "decision",
        "id_hash",
        "key_hash",
        "merchant",
        "risk_score",
    )

    TYPECODES: ClassVar[str] = "qQIqBIIIQBB"

    def __init__(self, *columns: array[int]) -> None:
        self.clock_ms, self.key_hash, self.id_hash, self.amount_minor, self.currency, *rest = (
            columns or empty(self.TYPECODES)
        )
        self.merchant, self.card, self.country, self.content, self.decision, self.risk_score = rest

    def __len__(self) -> int:
        return len(self.clock_ms)

    def columns(self) -> tuple[array[int], ...]:
        """All columns, in the order of :attr:`TYPECODES`."""
        return (
            self.clock_ms,
            self.key_hash,
            self.id_hash,
            self.amount_minor,
            self.currency,
            self.merchant,
            self.card,
            self.country,
            self.content,
            self.decision,
            self.risk_score,
        )

    @property
    def is_full(self) -> bool:
        """Whether payments older than the ring's first may have been forgotten."""
        return len(self.clock_ms) >= RING_CAPACITY

    @property
    def complete_after_ms(self) -> int:
        """Every payment later than this is in the ring; ms since the epoch, far in the past while nothing is forgotten."""
        return self.clock_ms[0] if len(self.clock_ms) >= RING_CAPACITY else _BEFORE_ALL_MS

    def add(self, row: tuple[int, ...]) -> None:
        """Insert a payment at its place by (clock, key hash); beyond the capacity, forget the oldest.

        Parameters
        ----------
        row : tuple of int
            The values of the columns, in the order of :meth:`columns`.
        """
        clock_ms, key_hash, times = row[0], row[1], self.clock_ms
        place = bisect_right(times, clock_ms)
        while place and times[place - 1] == clock_ms and self.key_hash[place - 1] > key_hash:
            place -= 1
        columns = self.columns()
        if self.is_full:
            if place == 0:
                return  # older than every payment in the ring
            place -= 1
            for column in columns:
                del column[0]
        for column, value in zip(columns, row, strict=True):
            column.insert(place, value)

    def holds(self, key_hash: int) -> bool:
        """Whether the ring has the payment with this key hash."""
        return _holds(self.key_hash, key_hash)

    def row_of(self, key_hash: int) -> int | None:
        """The row of the payment with this key hash; None where the ring has it not, or no more."""
        return self.key_hash.index(key_hash) if _holds(self.key_hash, key_hash) else None

    def rows_of_id(self, id_hash: int, clock_ms: int, apart_ms: int) -> list[int]:
        """The payments of one transaction id whose clocks are at most ``apart_ms`` from ``clock_ms``."""
        if not _holds(self.id_hash, id_hash):  # nearly always
            return []
        return [
            row
            for row, (other, at_ms) in enumerate(zip(self.id_hash, self.clock_ms, strict=True))
            if other == id_hash and abs(clock_ms - at_ms) <= apart_ms
        ]

    def distinct(self, column: array[int], start: int, stop: int, own: int) -> int:
        """How many different values ``column[start:stop]`` and ``own`` have together; 0 means no value and is not counted."""
        if start >= stop:  # nobody pays all the time
            return 1 if own else 0
        before = column[start:stop]
        if before.count(own) == len(before):  # usual for countries, and quicker than a set
            return 1 if own else 0
        values = set(before)
        values.add(own)
        values.discard(0)
        return len(values)


def _holds(column: array[int], value: int) -> bool:
    # ``value in column`` makes an integer of each cell. The bytes are searched ten times as fast; what is found must begin a cell.
    cells, size = column.tobytes(), column.itemsize
    wanted = value.to_bytes(size, byteorder)
    at = cells.find(wanted)
    while at >= 0 and at % size:
        at = cells.find(wanted, at + 1)
    return at >= 0
