"""Counts, sums and squares of amounts by hour or by day, for windows that are too long for the ring.

All sums are integers in minor units, so folding is exact and its order does not matter. The reader converts them to a base
currency, with the rates of its own ruleset.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from typing import Final

from engine.profile.packed_columns import empty

MAX_SUM_MINOR: Final = 2**63 - 1
MAX_COUNT: Final = 2**32 - 1
_LOW_BITS: Final = 64
_LOW_MASK: Final = 2**64 - 1
MAX_SQUARES: Final = 2**128 - 1


_NO_SQUARES: Final = array("Q")


class AmountBuckets:
    """Rows of (bucket, currency) with count, sum and sum of squares, in ascending order.

    Sums saturate at :data:`MAX_SUM_MINOR` (1,024 payments of the largest amount allowed, 2^53 minor units) and :data:`MAX_SQUARES`;
    saturating addition of non-negative integers is still commutative and associative.

    Parameters
    ----------
    span : int
        How many buckets are kept, the newest included; an older payment is not counted here.
    max_rows : int
        The most (bucket, currency) pairs. Beyond it the oldest are forgotten, so the span is shorter for a user who pays in many
        currencies every day.
    columns : array of int
        Its rows, in the order of :meth:`columns`; without them it is empty.
    keep_squares : bool
        Whether the sum of squares is kept, 16 bytes a row; without it :meth:`squares` must not be called.
    """

    __slots__ = (
        "bucket",
        "count",
        "currency",
        "keep_squares",
        "max_rows",
        "span",
        "squares_high",
        "squares_low",
        "sum_minor",
    )

    TYPECODES: Final = "IBIq"
    TYPECODES_WITH_SQUARES: Final = "IBIqQQ"

    def __init__(self, span: int, max_rows: int, *columns: array[int], keep_squares: bool) -> None:
        self.span = span
        self.max_rows = max_rows
        self.keep_squares = keep_squares
        typecodes = self.TYPECODES_WITH_SQUARES if keep_squares else self.TYPECODES
        self.bucket, self.currency, self.count, self.sum_minor, *squares = columns or empty(typecodes)
        self.squares_low, self.squares_high = squares or (_NO_SQUARES, _NO_SQUARES)

    def __len__(self) -> int:
        return len(self.bucket)

    def columns(self) -> tuple[array[int], ...]:
        """All columns that are kept and stored, in a fixed order."""
        kept = (self.bucket, self.currency, self.count, self.sum_minor)
        return (*kept, self.squares_low, self.squares_high) if self.keep_squares else kept

    def add(self, bucket: int, currency: int, amount_minor: int) -> None:
        """Count one payment in its own bucket, however late it arrives. A payment older than the span is not counted."""
        buckets, currencies = self.bucket, self.currency
        size = place = len(buckets)
        while place and (
            buckets[place - 1] > bucket or (buckets[place - 1] == bucket and currencies[place - 1] > currency)
        ):
            place -= 1
        if place and buckets[place - 1] == bucket and currencies[place - 1] == currency:
            self._add_to_row(place - 1, amount_minor)
            return
        if size and bucket <= buckets[-1] - self.span:
            return
        if place == 0 and size >= self.max_rows:
            return
        square = amount_minor * amount_minor
        row = (bucket, currency, 1, amount_minor, square & _LOW_MASK, square >> _LOW_BITS)
        for column, value in zip(self.columns(), row, strict=False):
            column.insert(place, value)
        self._forget(self.bucket[-1] - self.span)

    def window(self, first: int, last: int) -> slice:
        """The rows whose bucket lies in ``[first, last]``."""
        return slice(bisect_left(self.bucket, first), bisect_right(self.bucket, last))

    def squares(self, row: int) -> int:
        """Sum of the squared amounts of one row, in minor units squared."""
        return self.squares_high[row] << _LOW_BITS | self.squares_low[row]

    def _add_to_row(self, row: int, amount_minor: int) -> None:
        self.count[row] = min(self.count[row] + 1, MAX_COUNT)
        self.sum_minor[row] = min(self.sum_minor[row] + amount_minor, MAX_SUM_MINOR)
        if not self.keep_squares:
            return
        squares = min(self.squares(row) + amount_minor * amount_minor, MAX_SQUARES)
        self.squares_low[row] = squares & _LOW_MASK
        self.squares_high[row] = squares >> _LOW_BITS

    def _forget(self, up_to_bucket: int) -> None:
        too_old = 0
        while self.bucket[too_old] <= up_to_bucket:
            too_old += 1
        surplus = max(too_old, len(self.bucket) - self.max_rows)
        if surplus > 0:
            for column in self.columns():
                del column[:surplus]
