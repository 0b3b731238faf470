"""One row of a file as it is written there."""

from __future__ import annotations

from typing import NamedTuple


class Record(NamedTuple):
    """The bytes of one row, or of a part of a file that is none."""

    line: int
    """The line of the file in which it begins, the first is 1."""
    raw: bytes
    """UTF-8 where the file is what it says; without the line break at its end. A quoted value may hold line breaks."""
    problem: str | None = None
    """Why it is no row; None where its fields can be read."""
