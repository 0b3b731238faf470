"""What can be wrong with a data set of one's own. Each message says what its owner can do about it."""

from __future__ import annotations


class DatasetError(Exception):
    """A data set that cannot be read at all: no such file, no rows, an unknown kind of file."""
