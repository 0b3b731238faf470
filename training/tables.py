"""Where payments and labels of the running system come from: rows of `transaction_history` and of `labels`, in DynamoDB's wire form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class StoredRow(NamedTuple):
    """One row, and where it was read."""

    item: Mapping[str, Any]
    """In DynamoDB's wire form; binary values in base64 or as bytes."""
    source: str
    """The table, or the file of its export."""
    number: int
    """Of the row there, from 1."""

    @property
    def place(self) -> str:
        """For messages: it names no user."""
        return f"{self.source}, row {self.number:,}"


class Tables(Protocol):
    """Both tables, in any order of their rows; a row may come several times. Each call reads them from the begin."""

    @property
    def name(self) -> str:
        """What they are, for messages and the model's card."""

    def history(self) -> Iterator[StoredRow]:
        """Read the rows of `transaction_history`."""

    def labels(self) -> Iterator[StoredRow]:
        """Read the rows of `labels`."""
