"""One line of a landed file to one record of the topic, or to the reason why it cannot be one.

A row is mapped to the contract's fields (:mod:`contract.mapping.row`), its card numbers are replaced, and the result is read by
the function that reads the topic. So nothing that this job publishes is refused downstream.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import msgspec

from contract.canary import check_user, is_canary
from contract.card_records import ids_of
from contract.errors import InvalidTransactionError
from contract.mapping.amounts import payment_of_refund
from contract.mapping.kinds import PAYMENTS
from contract.mapping.row import RowMapper
from contract.reading.csv_rows import CsvHeader, doubled_column, header_again, read_header, values_of
from contract.reading.json_rows import object_of
from contract.transaction import MAX_RECORD_BYTES, decode_transaction, encode_transaction
from glue_scripts.row_cards import quarantined_text, replace_in_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.card_tokens import CardTokens
    from contract.mapping.document import ColumnMapping
    from contract.mapping.kinds import FileKind
    from contract.mapping.row import MappedRow

INTERNAL: Final = "internal: "
"""Begins the reason of a row that our own code failed on; the exception's type follows, never its text."""

_ENCODER: Final = msgspec.json.Encoder(decimal_format="string")

_BOM: Final = b"\xef\xbb\xbf"


class Published(msgspec.Struct, frozen=True):
    """A row that goes to the topic, or to the queue of labels."""

    user_id: str
    """The record's key on the topic; a message of the queue has none, and may name no user."""
    record: bytes
    """The record's value, or the message: the contract's JSON."""
    dropped: tuple[str, ...]
    """Columns that no field was taken from, as the row names them, but for card numbers."""


class Refused(msgspec.Struct, frozen=True):
    """A row that goes to quarantine."""

    field: str
    reason: str
    raw: str
    """The row as it came, but for its card numbers."""


class Refund(msgspec.Struct, frozen=True):
    """A row that gives money back: a payment but for the sign of its amount. It goes nowhere, and is counted."""


class NoLabel(msgspec.Struct, frozen=True):
    """A row of a file of labels that says nothing of fraud, as its mapping says. It goes nowhere, and is counted."""


CleanedRow = Published | Refused | Refund | NoLabel
"""The result of cleaning a row."""

Row = Collection[tuple[str, object]]
"""Columns and values, in the order of the line."""
_REFUND: Final = Refund()

T = TypeVar("T")


class Header:
    """The columns of one CSV file, from its first line.

    Parameters
    ----------
    line : bytes
        The first line.
    mapping : ColumnMapping, optional
        Of the file's prefix; without one, columns are known by their names.
    is_first : bool
        Whether no line of the file was refused before. A later line has to name every field that a record needs: a row
        that happens to hold the word ``card`` is no header.
    delimiter : str, optional
        What separates columns, where the mapping or the file says it.
    kind : FileKind
        What the file holds.

    Raises
    ------
    InvalidTransactionError
        Where the line names no column that the contract knows, or lacks a column that the mapping names: then it is not a
        header, but a row like the others.
    """

    def __init__(
        self,
        line: bytes,
        mapping: ColumnMapping | None = None,
        *,
        is_first: bool = True,
        delimiter: str | None = None,
        kind: FileKind = PAYMENTS,
    ) -> None:
        text = _utf8(line)
        self.names, self.delimiter = read_header(text, mapping, delimiter, kind.known)
        if mapping is not None:
            self._check_columns(mapping)
        else:
            self._check_known(kind, is_first=is_first)

    def _check_known(self, kind: FileKind, *, is_first: bool) -> None:
        fields = {column.field for name in self.names if (column := kind.known(name)) is not None}
        if not fields:
            raise InvalidTransactionError("$", "first line of a CSV file, and no column name in it is known")
        if not is_first and not fields.issuperset(kind.needed):
            raise InvalidTransactionError("$", "a later line of a CSV file, and no complete header")
        if (name := doubled_column(self.names, known=kind.known)) is not None:
            problem = f"two columns have the meaning of {name!r}; a mapping has to say which one counts"
            raise InvalidTransactionError("$", f"not a CSV header that can be read: {problem}")

    def _check_columns(self, mapping: ColumnMapping) -> None:
        # All of them: without this check, a file with a renamed column would silently lose a field.
        for field, source in mapping.fields.items():
            for column in source.named:
                if (count := self.names.count(column)) != 1:
                    found = f"{count or 'no'} column{'s' if count else ''} {column!r}, mapped to {field}"
                    raise InvalidTransactionError(
                        "$", f"not a CSV header that fits {mapping.source}: {found}"
                    )


class RowMapping(Protocol):
    """Maps a row to fields."""

    def map_row(self, row: Row) -> MappedRow:
        """Map one row; never an exception for what it holds."""
        ...


class FileCleaner(ABC):
    """Cleans the rows of one kind of file, one at a time; it has no state but its key and its mapping.

    Parameters
    ----------
    tokens : CardTokens
        Replaces card numbers.
    mapping : ColumnMapping | None
        What each column is; without one, or in one without fields, columns are known by their names.
    mapper : RowMapping
        Maps the rows by it.
    kind : FileKind
        What the files hold.
    """

    def __init__(
        self, tokens: CardTokens, mapping: ColumnMapping | None, mapper: RowMapping, kind: FileKind
    ) -> None:
        self._tokens = tokens
        self._mapping = mapping if mapping is not None and mapping.fields else None
        self._mapper = mapper
        self._kind = kind

    @abstractmethod
    def _clean(self, row: Row) -> CleanedRow:
        """Clean one row; raises InvalidTransactionError where it cannot be accepted."""

    def clean_json(self, line: bytes) -> CleanedRow:
        """Clean one line of a JSON lines file.

        Parameters
        ----------
        line : bytes
            Without its line break; any bytes.

        Returns
        -------
        CleanedRow
            Never an exception, except MemoryError: a bad row is a value, and so is a row that our own code fails on.
        """
        return self._guarded(line, lambda: _json_object(line).items(), self._clean)

    def clean_csv(self, line: bytes, header: Header) -> CleanedRow:
        """Clean one line of a CSV file by the file's own header; the rest is as in :meth:`clean_json`."""
        return self._guarded(line, lambda: _csv_row(line, header), self._clean, header.delimiter)

    def header_again(self, line: bytes, header: Header, row: CleanedRow) -> Header | None:
        """Read a row that was refused as the header of what follows, where it holds the names of all columns; None else."""
        if not isinstance(row, Refused):
            return None
        try:
            again = header_again(_utf8(line), CsvHeader(header.names, header.delimiter))
        except InvalidTransactionError:
            return None
        return again and Header(line, self._mapping, delimiter=again.delimiter, kind=self._kind)

    def read_header(
        self, line: bytes, refused: Refused | None = None, delimiter: str | None = None
    ) -> Header | Refused:
        """Read a line of a CSV file that has no header yet, or refuse it as a row.

        Parameters
        ----------
        line : bytes
            The file's first line; or a later one, where all before it were refused: a file may begin with a title.
        refused : Refused, optional
            The first of them. Its reason is that of the whole file: the lines after it are rows, and what they lack as
            headers says nothing.
        delimiter : str, optional
            What separates columns, where the mapping or the file says it.
        """
        header = self._guarded(
            line,
            tuple,
            lambda _: Header(
                line, self._mapping, is_first=refused is None, delimiter=delimiter, kind=self._kind
            ),
        )
        if refused is None or isinstance(header, Header) or header.reason.startswith(INTERNAL):
            return header
        return Refused(refused.field, refused.reason, header.raw)

    def refuse(
        self, line: bytes, error: InvalidTransactionError, row: Row = (), delimiter: str | None = None
    ) -> Refused:
        r"""Keep a whole line with what is wrong with it. Bytes that are not UTF-8 are written as ``\xff``.

        Parameters
        ----------
        line : bytes
            Any bytes. Its card numbers are replaced, and escapes that hide one.
        error : InvalidTransactionError
            What is wrong with it.
        row : Row
            Its columns and values, as far as it could be read: ids among them keep their value.
        delimiter : str, optional
            Between its cells, in CSV.
        """
        ids = ids_of(self._mapper.map_row(row).record) if row else []
        raw = quarantined_text(line, ids, delimiter if row else None, self._tokens)
        return Refused(error.field, error.problem, raw)

    def _guarded(
        self, line: bytes, read: Callable[[], Row], work: Callable[[Row], T], delimiter: str | None = None
    ) -> T | Refused:
        row: Row = ()
        try:
            row = read()
            return work(row)
        except InvalidTransactionError as error:
            return self.refuse(line, error, row, delimiter)
        except MemoryError:
            raise  # the machine's fault, not the row's: another try of the task can succeed
        except Exception as error:  # noqa: BLE001 - one row must not stop all others: the batch would fail at every try
            return self.refuse(line, InvalidTransactionError("$", f"{INTERNAL}{type(error).__name__}"))


class RowCleaner(FileCleaner):
    """Cleans rows of payments.

    Parameters
    ----------
    tokens : CardTokens
        Replaces card numbers.
    mapping : ColumnMapping, optional
        What each column is.
    is_canary_feed : bool
        Whether the rows are those of the canary's folder: then a row that is none of the canary's is refused, and else one that names
        a user of the canary's.
    """

    def __init__(
        self, tokens: CardTokens, mapping: ColumnMapping | None = None, *, is_canary_feed: bool = False
    ) -> None:
        super().__init__(tokens, mapping, RowMapper(mapping), PAYMENTS)
        self._is_canary_feed = is_canary_feed

    def _clean(self, row: Row) -> Published | Refund:
        record, unused_columns, problems = self._mapper.map_row(row)
        if problems:
            raise problems[0]
        replace_in_record(record, self._tokens)
        if (refund := payment_of_refund(record)) is not None:
            decode_transaction(encoded(refund))  # what is no payment either is refused
            return _REFUND
        transaction = decode_transaction(encoded(record))
        check_user(transaction, is_declared=self._is_canary_feed)
        if self._is_canary_feed and not is_canary(transaction.user_id):
            raise InvalidTransactionError("user_id", "none of the canary's, whose folder this is")
        names = tuple(map(self._tokens.replace, unused_columns))
        return Published(transaction.user_id, encode_transaction(transaction), names)


def _check_size(line: bytes) -> None:
    if len(line) > MAX_RECORD_BYTES:
        raise InvalidTransactionError("$", f"row of {len(line)} bytes; at most {MAX_RECORD_BYTES}")


def _json_object(line: bytes) -> dict[str, object]:
    _check_size(line)
    return object_of(line.removeprefix(_BOM))


def _csv_row(line: bytes, header: Header) -> Row:
    _check_size(line)
    values = values_of(line.removeprefix(_BOM), len(header.names), header.delimiter)
    return tuple(zip(header.names, values, strict=True))


def encoded(record: dict[str, object]) -> bytes:
    """Write a mapped row as JSON, for the contract to read; raises InvalidTransactionError where it cannot be written."""
    try:
        return _ENCODER.encode(record)
    except (RecursionError, ValueError, OverflowError) as error:
        raise InvalidTransactionError("$", "a value that is nested too deeply or too large") from error


def _utf8(line: bytes) -> str:
    try:
        return line.removeprefix(_BOM).decode()
    except UnicodeDecodeError as error:
        raise InvalidTransactionError("$", f"not UTF-8 ({error.reason})") from error
