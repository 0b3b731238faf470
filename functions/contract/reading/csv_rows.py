"""Rows of a CSV file (RFC 4180): which lines make one, what separates its columns, and its header.

What is inside quotes is never a row of its own: a row ends at the first line break outside of quotes. A quoted value that is never
closed, or that is longer than a record may be, is refused line by line, through its closing quote or the end of the file.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from contract.errors import InvalidTransactionError
from contract.mapping.columns import known_column
from contract.reading.record import Record
from contract.transaction import MAX_RECORD_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from contract.mapping.columns import Column
    from contract.mapping.document import ColumnMapping

DELIMITERS: Final = ",;\t|"
"""What separates columns where nobody says it; a mapping or a ``sep=`` line can name others."""

_SEPARATOR_LINE: Final = re.compile(rb'"?sep=(.)"?\s*', re.IGNORECASE | re.DOTALL)
_ENDS: Final = b"\r\n"


class CsvRecords:
    """Cuts the lines of a CSV file into records, one quoted value of several lines never apart.

    Parameters
    ----------
    lines : Iterable[bytes]
        With their line breaks, in UTF-8.

    Attributes
    ----------
    delimiter : str | None
        What separates columns; None until the caller knows it: then it can be any of :data:`DELIMITERS`.
    columns : int | None
        How many there are; None until the caller knows it.
    """

    def __init__(self, lines: Iterable[bytes]) -> None:
        self.delimiter: str | None = None
        self.columns: int | None = None
        self._escapes = False
        """Whether the record that is read has a quote behind a backslash that can only be a part of its value."""
        self._strays = 0
        """Quotes of the record within a value that neither end it nor are escaped."""
        self._lines = enumerate(lines, 1)
        self._ahead: deque[tuple[int, bytes]] = deque()
        """Lines that were looked at, and are still to be read."""

    def __iter__(self) -> Iterator[Record]:
        """Yield every record, blank ones too."""
        while (following := self._next()) is not None:
            number, line = following
            self._escapes = False
            if b'"' not in line or not (self._is_open_after(line, is_open=False) or self._goes_on(line)):
                yield Record(number, line.rstrip(_ENDS))
            else:
                yield from self._of_several_lines(number, line)

    def _of_several_lines(self, first: int, line: bytes) -> Iterator[Record]:
        held, size, problem = [Record(first, line)], len(line), ""
        while (next_line := self._next()) is not None:
            number, following = next_line
            is_open = b'"' not in following or self._is_open_after(following, is_open=True)
            held.append(Record(number, following))
            size += len(following)
            if not is_open and not problem:
                yield Record(first, b"".join(part.raw for part in held).rstrip(_ENDS))
                return
            if size > MAX_RECORD_BYTES:
                problem = f"in a quoted value that began in line {first} and is longer than {MAX_RECORD_BYTES} bytes"
            if problem:
                yield from _refused(held, problem)
                held.clear()
            if not is_open:
                return
        problem = problem or f"after a quote in line {first} that is never closed"
        yield from _refused(held, problem)

    def _goes_on(self, line: bytes) -> bool:
        r"""Whether a line that is no row ends inside quotes if its backslashes are those of a sender who escapes quotes with them.

        RFC 4180 knows no such thing. But then what follows is text of the value, and no row. A line that is a row by RFC 4180, such
        as one with ``"C:\",x``, goes on where it is a row by the other reading too, together with the lines after it.
        """
        if self.columns is None or b'\\"' not in line:
            return False
        try:
            fields = fields_of(line.rstrip(_ENDS).decode("utf-8", "replace"), self.delimiter or DELIMITERS[0])
        except InvalidTransactionError:
            fields = []
        self._escapes, self._strays = True, 0
        if self._is_open_after(line, is_open=False) and (
            len(fields) != self.columns or self._is_row_too(line)
        ):
            return True
        self._escapes = False
        return False

    def _is_row_too(self, line: bytes) -> bool:
        parts, size, is_open = [line], len(line), True
        looked: list[tuple[int, bytes]] = []
        while (
            is_open and not self._strays and size <= MAX_RECORD_BYTES and (found := self._next()) is not None
        ):
            looked.append(found)
            parts.append(found[1])
            size += len(found[1])
            is_open = self._is_open_after(found[1], is_open=True)
        self._ahead.extendleft(reversed(looked))
        if is_open or self._strays:
            return False
        text = b"".join(parts).rstrip(_ENDS).decode("utf-8", "replace")
        reader = csv.reader(
            [text], delimiter=self.delimiter or DELIMITERS[0], escapechar="\\", skipinitialspace=True
        )
        try:
            return len(next(reader, [])) == self.columns
        except csv.Error:
            return False

    def _next(self) -> tuple[int, bytes] | None:
        return self._ahead.popleft() if self._ahead else next(self._lines, None)

    def _is_open_after(self, line: bytes, *, is_open: bool) -> bool:
        """Whether a quoted value is open at the end of a line; ``is_open`` whether one was at its begin."""
        delimiters = (self.delimiter or DELIMITERS).encode()
        position = line.find(b'"')
        while position >= 0:
            if not is_open:
                before = position - 1
                while before >= 0 and line[before] == 0x20:
                    before -= 1
                is_open = before < 0 or line[before] in delimiters
            elif self._escapes and _is_escaped(line, position):
                pass
            elif line[position + 1 : position + 2] == b'"':
                position += 1  # two quotes are one in the value
            else:
                after = line[position + 1 :].lstrip(b" ")[:1]
                # A quote before anything else is a mistake of its sender. The value goes on, and the row will be refused.
                is_open = not (after == b"" or after in _BREAKS or after[0] in delimiters)
                self._strays += is_open
                self._escapes = self._escapes or (is_open and _is_escaped(line, position))
            position = line.find(b'"', position + 1)
        return is_open


_BREAKS: Final = (b"\r", b"\n")


class CsvHeader(NamedTuple):
    """The columns of one CSV file."""

    names: list[str]
    delimiter: str


def separator_line(line: bytes) -> str | None:
    r"""Read what a first line such as ``sep=;`` says, as spreadsheets write it; None where it says nothing.

    >>> separator_line(b"sep=;\r\n"), separator_line(b"seperator,b")
    (';', None)
    """
    match = _SEPARATOR_LINE.fullmatch(line)
    return None if match is None else match[1].decode("latin-1")


def read_header(
    text: str,
    mapping: ColumnMapping | None = None,
    delimiter: str | None = None,
    known: Callable[[str], Column | None] = known_column,
) -> CsvHeader:
    """Read the header of a CSV file, and find what separates its columns.

    Parameters
    ----------
    text : str
        The first record.
    mapping : ColumnMapping | None
        Whose columns it has; without one, or with a guess, those that are known by their names count.
    delimiter : str | None
        What separates the columns, where the mapping or the file says it.
    known : Callable[[str], Column | None]
        Finds the field of a column by its name.

    Raises
    ------
    InvalidTransactionError
        Where it is no CSV, or holds NUL, or can be separated in two ways.
    """
    if "\0" in text:
        problem = "holds NUL; a file of UTF-16 has a byte-order mark, or a mapping says encoding"
        raise InvalidTransactionError("$", problem)
    if delimiter is not None:
        return CsvHeader(fields_of(text, delimiter), delimiter)
    candidates = []
    for each in DELIMITERS:
        names = _fields_or_none(text, each) if each in text else None
        if names is not None and len(names) > 1:
            candidates.append(CsvHeader(names, each))
    if not candidates:
        return CsvHeader(fields_of(text, DELIMITERS[0]), DELIMITERS[0])
    fits = [_fit(header, mapping, known) for header in candidates]
    best = [header for header, fit in zip(candidates, fits, strict=True) if fit == max(fits)]
    if len(best) > 1 and max(fits):
        found = " or ".join(repr(header.delimiter) for header in best)
        problem = f"its columns can be separated by {found}; the mapping has to say delimiter"
        raise InvalidTransactionError("$", problem)
    return max(best, key=lambda header: len(header.names))


def header_again(text: str, header: CsvHeader) -> CsvHeader | None:
    """Read a row that holds the names of all columns, as where files were joined; None for any other row.

    Their order may be another one; then it is that of the rows behind it.

    >>> header_again("b,a", CsvHeader(["a", "b"], ",")), header_again("b,1", CsvHeader(["a", "b"], ","))
    (CsvHeader(names=['b', 'a'], delimiter=','), None)
    """
    names = _fields_or_none(text.removeprefix("\ufeff"), header.delimiter)
    return (
        None if names is None or sorted(names) != sorted(header.names) else CsvHeader(names, header.delimiter)
    )


def doubled_column(
    names: list[str],
    mapping: ColumnMapping | None = None,
    known: Callable[[str], Column | None] = known_column,
) -> str | None:
    """Name a column that two have the name of, or the meaning, and that is used; None where there is none.

    >>> doubled_column(["user_id", "note", "amount", "Amount", "note"])
    'Amount'
    """
    if mapping is not None and not mapping.is_guess:
        sources = (*mapping.fields.values(), *mapping.bench.values())
        used = [column for source in sources for column in source.named]
        return next((column for column in used if names.count(column) > 1), None)
    seen = set()
    for name in names:
        column = known(name)
        if column is not None and column in seen:
            return name
        seen.add(column)
    return None


def fields_of(text: str, delimiter: str) -> list[str]:
    """Split one record into its values.

    Raises
    ------
    InvalidTransactionError
        Where it is no CSV.
    """
    if '"' not in text and f"{delimiter} " not in text and text[:1] not in ("", " "):
        return text.split(delimiter)  # most rows
    try:
        reader = csv.reader([text], delimiter=delimiter, strict=True, skipinitialspace=delimiter != " ")
        return next(reader, [])
    except csv.Error as error:
        raise InvalidTransactionError("$", f"not CSV ({error})") from error


def values_of(row: bytes, columns: int, delimiter: str) -> list[str]:
    """Read one row that has a value for each of the columns.

    Raises
    ------
    InvalidTransactionError
        Where it is not UTF-8, no CSV, or has another number of values.
    """
    try:
        values = fields_of(row.decode(), delimiter)
    except UnicodeDecodeError as error:
        problem = f"not UTF-8 ({error.reason}); a mapping can say encoding"
        raise InvalidTransactionError("$", problem) from error
    if len(values) != columns:
        raise InvalidTransactionError("$", f"{len(values)} values for {columns} columns")
    return values


def _fields_or_none(text: str, delimiter: str) -> list[str] | None:
    try:
        return fields_of(text, delimiter)
    except InvalidTransactionError:
        return None


def _fit(header: CsvHeader, mapping: ColumnMapping | None, known: Callable[[str], Column | None]) -> int:
    if mapping is None or mapping.is_guess:
        return len({column.field for name in header.names if (column := known(name)) is not None})
    names = set(header.names)
    return sum(column in names for source in mapping.fields.values() for column in source.named)


def _is_escaped(line: bytes, position: int) -> bool:
    before = line[:position]
    return (len(before) - len(before.rstrip(b"\\"))) % 2 == 1


def _refused(held: list[Record], problem: str) -> Iterator[Record]:
    return (Record(part.line, part.raw.rstrip(_ENDS), problem) for part in held)
