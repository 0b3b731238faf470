"""What can be wrong with a data set of one's own, told so that its owner can put it right."""

from __future__ import annotations


class DatasetError(Exception):
    """A data set that cannot be read at all: no such file, no rows, an unknown kind of file."""


class MappingError(DatasetError):
    """A mapping that does not fit: an unknown field or option, or a column that the file does not have.

    Parameters
    ----------
    field : str
        The mapping's key at fault; ``$`` for the mapping as a whole.
    problem : str
        What is wrong with it, and what would be right.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem
