"""What can be wrong with a data set of one's own, told so that its owner can put it right."""

from __future__ import annotations


class DatasetError(Exception):
    """A data set that cannot be read at all: no such file, no rows, an unknown kind of file."""
