"""Counts and sums of amounts by hour or by day, for windows that are too long for the ring.

All sums are integers in minor units, so folding is exact and its order does not matter. The reader converts them to a base
currency, with the rates of its own ruleset.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, ClassVar, Final

from engine.profile.packed_columns import empty

if TYPE_CHECKING:
    from array import array

MAX_SUM_MINOR: Final = 2**63 - 1
MAX_COUNT: Final = 2**16 - 1
MAX_DECIDED: Final = 2**8 - 1
_LOW_BITS: Final = 64
_LOW_MASK: Final = 2**64 - 1
MAX_SQUARES: Final = 2**128 - 1


class AmountBuckets:
    """Rows of (bucket, currency) with a count, a sum, and two columns of a subclass, in ascending order.

    Sums saturate at :data:`MAX_SUM_MINOR` (1,024 payments of the largest amount allowed, 2^53 minor units); saturating addition of
    non-negative integers is still commutative and associative.

    Parameters
    ----------
    span : int
        How many buckets are kept, the newest included; an older payment is not counted here.
    max_rows : int
        The most (bucket, currency) pairs. Beyond it the oldest are forgotten, so the span is shorter for a user who pays in many
        currencies every day.
    columns : array of int
        Its rows, in the order of :meth:`columns`; without them it is empty.
    """

    __slots__ = ("bucket", "count", "currency", "max_rows", "one", "other", "span", "sum_minor")

    TYPECODES: ClassVar[str] = "IBHq"
    """Of all columns; a subclass adds those of its two."""

    def __init__(self, span: int, max_rows: int, *columns: array[int]) -> None:
        self.span = span
        self.max_rows = max_rows
        self.bucket, self.currency, self.count, self.sum_minor, self.one, self.other = columns or empty(
            self.TYPECODES
        )

    def __len__(self) -> int:
        return len(self.bucket)

    def columns(self) -> tuple[array[int], ...]:
        """All columns, in a fixed order."""
        return (self.bucket, self.currency, self.count, self.sum_minor, self.one, self.other)

    def window(self, first: int, last: int) -> slice:
        """The rows whose bucket lies in ``[first, last]``."""
        bucket = self.bucket
        stop = len(bucket)
        if stop and bucket[-1] > last:  # for a late payment alone
            stop = bisect_right(bucket, last)
        return slice(bisect_left(bucket, first), stop)

    def has_cut(self, first: int) -> bool:
        """Whether rows of the bucket ``first`` or later may be forgotten: all rows are taken, and none is earlier."""
        return len(self.bucket) >= self.max_rows and self.bucket[0] >= first

    def _add(self, bucket: int, currency: int, amount_minor: int, one: int, other: int) -> int | None:
        """Count one payment in its own bucket, however late it arrives; return its row where that existed before.

        A payment older than the span is not counted.
        """
        buckets, currencies = self.bucket, self.currency
        size = place = len(buckets)
        while place and (
            buckets[place - 1] > bucket or (buckets[place - 1] == bucket and currencies[place - 1] > currency)
        ):
            place -= 1
        row = place - 1
        if place and buckets[row] == bucket and currencies[row] == currency:
            self.count[row] = min(self.count[row] + 1, MAX_COUNT)
            self.sum_minor[row] = min(self.sum_minor[row] + amount_minor, MAX_SUM_MINOR)
            return row
        if size and bucket <= buckets[-1] - self.span:
            return None
        if place == 0 and size >= self.max_rows:
            return None
        for column, value in zip(
            self.columns(), (bucket, currency, 1, amount_minor, one, other), strict=True
        ):
            column.insert(place, value)
        self._forget(self.bucket[-1] - self.span)
        return None

    def _forget(self, up_to_bucket: int) -> None:
        too_old = 0
        while self.bucket[too_old] <= up_to_bucket:
            too_old += 1
        surplus = max(too_old, len(self.bucket) - self.max_rows)
        if surplus > 0:
            for column in self.columns():
                del column[:surplus]


class VelocityBuckets(AmountBuckets):
    """All payments of a user, and how many of them were reviewed or blocked."""

    __slots__ = ()

    TYPECODES: ClassVar[str] = "IBHqBB"

    @property
    def reviewed(self) -> array[int]:
        """Payments that went to review, by row."""
        return self.one

    @property
    def blocked(self) -> array[int]:
        """Payments that were blocked, by row."""
        return self.other

    def add(self, bucket: int, currency: int, amount_minor: int, reviewed: int, blocked: int) -> None:
        """Count one payment, which was approved, reviewed (1, 0) or blocked (0, 1)."""
        row = self._add(bucket, currency, amount_minor, reviewed, blocked)
        if row is not None and (reviewed or blocked):
            self.one[row] = min(self.one[row] + reviewed, MAX_DECIDED)
            self.other[row] = min(self.other[row] + blocked, MAX_DECIDED)

    def correct(self, bucket: int, currency: int, reviewed: int, blocked: int) -> None:
        """Change how many payments of a bucket and currency were reviewed and blocked; nothing where the row is forgotten.

        Parameters
        ----------
        bucket, currency : int
            Of a payment that was counted.
        reviewed, blocked : int
            What is added: -1, 0 or 1.
        """
        rows = self.window(bucket, bucket)
        for row in range(rows.start, rows.stop):
            if self.currency[row] == currency:
                self.one[row] = min(max(self.one[row] + reviewed, 0), MAX_DECIDED)
                self.other[row] = min(max(self.other[row] + blocked, 0), MAX_DECIDED)


class HabitBuckets(AmountBuckets):
    """Payments that teach what is normal, with the sum of the squared amounts in 128 bits; it saturates at :data:`MAX_SQUARES`."""

    __slots__ = ()

    TYPECODES: ClassVar[str] = "IBHqQQ"

    @property
    def squares_low(self) -> array[int]:
        """The low 64 bits of the sums of squares, by row."""
        return self.one

    @property
    def squares_high(self) -> array[int]:
        """The high 64 bits of the sums of squares, by row."""
        return self.other

    def add(self, bucket: int, currency: int, amount_minor: int) -> None:
        """Count one payment."""
        square = amount_minor * amount_minor
        row = self._add(bucket, currency, amount_minor, square & _LOW_MASK, square >> _LOW_BITS)
        if row is not None:
            squares = min(self.squares(row) + square, MAX_SQUARES)
            self.one[row] = squares & _LOW_MASK
            self.other[row] = squares >> _LOW_BITS

    def squares(self, row: int) -> int:
        """Sum of the squared amounts of one row, in minor units squared."""
        return self.other[row] << _LOW_BITS | self.one[row]
