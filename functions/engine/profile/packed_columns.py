"""Columns of a profile's parts: arrays of machine integers, stored one after the other."""

from __future__ import annotations

from array import array


class ProfileFormatError(Exception):
    """Bytes that are not a profile of a format that is known here."""


ITEM_BYTES = {code: array(code).itemsize for code in "BHIqQ"}
"""Bytes of one cell by type code; the same on both of Lambda's architectures."""


def empty(typecodes: str) -> list[array[int]]:
    """Make columns without rows, one for each type code."""
    return [array(code) for code in typecodes]


def read_columns(data: bytes, start: int, layout: tuple[tuple[str, int], ...]) -> list[array[int]]:
    """Read columns that are stored one after the other, up to the end of the data.

    Parameters
    ----------
    data : bytes
        The stored form.
    start : int
        Where the first column begins.
    layout : tuple[tuple[str, int], ...]
        Type codes of a part's columns, and how many rows it has, part by part.

    Raises
    ------
    ProfileFormatError
        If there are fewer or more bytes than the layout needs.
    """
    columns = []
    try:
        for typecodes, rows in layout:
            for code in typecodes:
                stop = start + rows * ITEM_BYTES[code]
                columns.append(array(code, data[start:stop]))
                start = stop
    except ValueError as error:  # half a cell
        raise ProfileFormatError(f"{len(data)} bytes do not hold what the header says") from error
    if start != len(data):
        raise ProfileFormatError(f"{len(data)} bytes do not hold what the header says")
    return columns
