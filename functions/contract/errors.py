"""The errors of the contract. Each names the field and what is wrong with it; those of records never a value."""

from __future__ import annotations


class ContractError(Exception):
    """A record or a mapping that violates the contract."""


class InvalidTransactionError(ContractError):
    """One transaction that cannot be accepted.

    Parameters
    ----------
    field : str
        The field at fault, dotted (``location.latitude``); ``$`` for the record as a whole.
    problem : str
        What is wrong with it and what is allowed; never the value, which may be personal.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class InvalidLabelError(ContractError):
    """A message of the labels queue that cannot be used.

    Parameters
    ----------
    field : str
        The field at fault; ``$`` for the message as a whole.
    problem : str
        What is wrong with it, and what is needed; never the value, which may be personal.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class InvalidRowError(ContractError):
    """A stored row that is not what its table's contract says.

    Parameters
    ----------
    table : str
        The table, by its interface name.
    attribute : str
        The attribute at fault.
    problem : str
        What is wrong with it.
    """

    def __init__(self, table: str, attribute: str, problem: str) -> None:
        super().__init__(f"{table}.{attribute}: {problem}")
        self.table = table
        self.attribute = attribute
        self.problem = problem


class LaterFormatError(InvalidRowError):
    """A row of a format that a later version writes. It is readable there, so nothing may go on without it here."""


class MappingError(ContractError):
    """A column mapping that cannot be used: an unknown field or option, or a column that the file does not have.

    Parameters
    ----------
    field : str
        The mapping's key at fault; ``$`` for the mapping as a whole.
    problem : str
        What is wrong with it, and what would be right.
    source : str
        The mapping's file, where one was read.
    """

    def __init__(self, field: str, problem: str, source: str = "") -> None:
        super().__init__(": ".join(part for part in (source, field, problem) if part))
        self.field = field
        self.problem = problem
        self.source = source


class UnreadableFileError(ContractError):
    """A file that cannot be read to its end; rows that were read before it was found out are as good as others.

    Parameters
    ----------
    problem : str
        What is wrong with the file, what of it was read, and what would be right.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
