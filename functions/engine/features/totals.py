"""What is added up of the payments in a window."""

from __future__ import annotations

import msgspec


class Totals(msgspec.Struct, frozen=True, gc=False):
    """Counts and sums over the payments of one window."""

    payments: int
    sum_base: float
    reviewed: int = 0
    blocked: int = 0


class Habits(msgspec.Struct, frozen=True, gc=False):
    """Counts and sums over the payments of 30 days that teach what is normal."""

    payments: int
    with_rate: int
    """Those in a currency that has a rate; the others cannot be compared."""
    sum_base: float
    squares_base: float
    """Sum of the squared amounts."""
