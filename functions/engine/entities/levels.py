"""Counts of payments in 5 minutes, hours and weeks, as an entity's state keeps them: bytes that are read where they are.

What lies too far behind the newest bucket is dropped, so no order of payments changes a level.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from struct import Struct
from typing import Final

BUCKET_S: Final = 300
HOUR_S: Final = 3_600
WEEK_S: Final = 604_800

BUCKETS_KEPT: Final = 13
HOURS_KEPT: Final = 25
WEEKS_KEPT: Final = 6

Level = bytes
"""Counts in buckets, hours or weeks as they are stored, ascending by number: 28 bytes each. They are read column by column, where a
feature needs one: of most entities nearly nothing is read, since nobody paid there lately."""
NUMBER: Final = 0
"""Of the bucket, since the epoch."""
PAYMENTS: Final = 1
MICRO: Final = 2
YOUNG: Final = 3
FIRST: Final = 4
"""Payments of users who had no usual payment with this entity before. Of a population: its entities that paid in the week."""
STOPPED: Final = FIRST
"""Of an entity's week, in the place of :data:`FIRST`: payments that were not approved. Its other columns count approved ones."""
CENTS: Final = 5
"""Stored as a double, for sums beyond 32 bits; whole all the same."""

COUNTS: Final = Struct("<5Id")
"""A bucket's columns."""
_NUMBER: Final = Struct("<I")
_SIZE: Final = COUNTS.size
_COLUMNS: Final = tuple(
    tuple(Struct("<" + size * column) for size in range(HOURS_KEPT + 1))
    for column in ("I24x", "4xI20x", "8xI16x", "12xI12x", "16xI8x", "20xd")
)
"""By column and number of buckets: reads that column alone."""


def total(level: Level, column: int) -> int:
    """Add up a column."""
    if not level:
        return 0
    added = sum(_COLUMNS[column][len(level) // _SIZE].unpack(level))
    return int(added) if column == CENTS else added


def number_at(level: Level, place: int) -> int:
    """Number of the bucket that begins at a byte."""
    number: int
    [number] = _NUMBER.unpack_from(level, place)
    return number


def last_buckets(level: Level, last: int, kept: int) -> Level:
    """Give the ``kept`` buckets that end with number ``last``."""
    if not level:
        return level
    first = last - kept + 1
    newest: int
    oldest: int
    [newest] = _NUMBER.unpack_from(level, len(level) - _SIZE)
    if newest < first:  # nobody paid lately, as at most entities
        return b""
    [oldest] = _NUMBER.unpack_from(level, 0)
    if first <= oldest and newest <= last:
        return level
    if oldest > last:
        return b""
    numbers = _COLUMNS[NUMBER][len(level) // _SIZE].unpack(level)
    return level[_SIZE * bisect_left(numbers, first) : _SIZE * bisect_right(numbers, last)]


def add_counts(
    level: Level, kept: int, number: int, counts: tuple[int, int, int, int, int]
) -> tuple[Level, bool]:
    """Add to a bucket, and drop those that lie ``kept`` or more behind the newest.

    Returns
    -------
    tuple[Level, bool]
        The level with them, and whether they are the bucket's first payments. What lies too far behind is not added.
    """
    place = len(level)
    if place and (newest := number_at(level, place - _SIZE)) >= number:
        if number <= newest - kept:
            return level, False
        while place and number_at(level, place - _SIZE) > number:
            place -= _SIZE
        if place and number_at(level, place - _SIZE) == number:
            _, payments, micro, young, first, cents = COUNTS.unpack_from(level, place - _SIZE)
            more = (
                payments + counts[0],
                micro + counts[1],
                young + counts[2],
                first + counts[3],
                cents + counts[4],
            )
            is_first = payments == 0 and counts[0] > 0
            return level[: place - _SIZE] + COUNTS.pack(number, *more) + level[place:], is_first
        return level[:place] + COUNTS.pack(number, *counts) + level[place:], counts[0] > 0
    start = 0
    while start < place and number_at(level, start) <= number - kept:
        start += _SIZE
    return level[start:] + COUNTS.pack(number, *counts), counts[0] > 0
