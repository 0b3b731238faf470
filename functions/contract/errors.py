"""The errors that a record can raise while it is read. Each names the field and what was wrong, never a value."""

from __future__ import annotations


class ContractError(Exception):
    """A record that does not keep the contract."""


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


class InvalidRowError(ContractError):
    """A stored row that does not hold what its table's contract says.

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
