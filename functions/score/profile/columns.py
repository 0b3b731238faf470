"""Columns of a profile's parts: arrays of machine integers, one behind the other in the stored form."""

from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ITEM_BYTES = {code: array(code).itemsize for code in "BIqQ"}
"""Bytes of one cell by type code; the same on both of Lambda's architectures."""


def empty(typecodes: str) -> "list[array[int]]":
    """Make columns without rows, one for each type code."""
    return [array(code) for code in typecodes]


def read_columns(data: bytes, start: int, layout: tuple[tuple[str, int], ...]) -> "Iterator[array[int]]":
    """Read columns that stand one behind the other.

    Parameters
    ----------
    data : bytes
        The stored form.
    start : int
        Where the first column begins.
    layout : tuple[tuple[str, int], ...]
        Type codes of a part's columns, and how many rows it has, part by part.
    """
    for typecodes, rows in layout:
        for code in typecodes:
            stop = start + rows * ITEM_BYTES[code]
            yield array(code, data[start:stop])
            start = stop


def stored_bytes(layout: tuple[tuple[str, int], ...]) -> int:
    """How many bytes the columns of a layout take."""
    return sum(rows * ITEM_BYTES[code] for typecodes, rows in layout for code in typecodes)
