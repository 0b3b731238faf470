"""Rows of a JSON file: one object a line, the elements of an array, or objects over several lines.

Arrays and objects over several lines are read row by row, so a file may have any size, and a row at most
:data:`contract.transaction.MAX_RECORD_BYTES`. A file that begins with one whole object in a line has an object in each line.
"""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Final

import msgspec

from contract.errors import InvalidTransactionError
from contract.json_object import DUPLICATE_KEYS, has_unique_keys
from contract.mapping.row import NO_DECIMAL
from contract.reading.record import Record
from contract.reading.text import in_pieces, lines_of
from contract.transaction import MAX_RECORD_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+(?P<end>")?|[{}\[\]]', re.DOTALL)
"""A string, whole or up to the end of what was read; or a bracket."""

_PLAIN: Final = rb'[^{}\[\]"]++|"(?:[^"\\]++|\\.)*+"'
_WHOLE_ROW: Final = re.compile(
    rb"[ \t\r\n,]*+(?P<row>\{(?:" + _PLAIN + rb"|[{\[](?:" + _PLAIN + rb")*+[}\]])*+\})", re.DOTALL
)
"""An object of at most two levels, as most rows are: found by one search instead of one for each string."""

_GAP: Final = b" \t\r\n,"
"""What may be between rows."""

_TOO_LONG: Final = f"a row of more than {MAX_RECORD_BYTES} bytes"
_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)


def json_records(chunks: Iterable[bytes]) -> Iterator[Record]:
    """Cut a JSON file into its rows.

    Parameters
    ----------
    chunks : Iterable[bytes]
        Its text in UTF-8, in parts of any size.

    Yields
    ------
    Record
        Every row but blank lines; whether it is an object, its reader finds out.
    """
    parts = iter(chunks)
    begin: list[bytes] = []
    for part in parts:
        begin.append(part)
        if part.strip():
            break
    if b"".join(begin).lstrip().startswith(b"["):
        return _Scanner().records(in_pieces(chain(begin, parts)))
    return _lines_or_objects(lines_of(chain(begin, parts)))


def object_of(row: bytes) -> dict[str, object]:
    """Read one row as a JSON object, its fractions as exact decimals.

    Raises
    ------
    InvalidTransactionError
        Where it is no object, or holds a key twice.
    """
    try:
        found = _DECODER.decode(row)
    except UnicodeDecodeError as error:
        raise InvalidTransactionError("$", f"not UTF-8 ({error.reason})") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise InvalidTransactionError("$", f"not JSON ({error})") from error
    except RecursionError as error:
        raise InvalidTransactionError("$", "nested too deeply") from error
    except ArithmeticError as error:
        raise InvalidTransactionError("$", NO_DECIMAL) from error
    if not isinstance(found, dict):
        raise InvalidTransactionError("$", "JSON, but not an object")
    if not has_unique_keys(row):
        raise InvalidTransactionError("$", DUPLICATE_KEYS)
    return found


def _lines_or_objects(lines: Iterator[bytes]) -> Iterator[Record]:
    """Find out by two lines what a file is: a second line that begins with a key or a bracket belongs to the first."""
    begin: list[bytes] = []
    written: list[bytes] = []
    for line in lines:
        begin.append(line)
        if line.strip():
            written.append(line.strip())
        if len(written) == 2:
            break
    goes_on = len(written) > 1 and written[0].startswith(b"{") and written[1][:1] in (b'"', b"}")
    if goes_on and not _is_whole(written[0]):
        yield from _Scanner().records(chain(begin, lines))
        return
    for number, line in enumerate(chain(begin, lines), 1):
        if line.strip():
            yield Record(number, line.rstrip(b"\r\n"))


def _is_whole(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except msgspec.DecodeError:
        return False
    return True


class _Scanner:
    """Finds where rows begin and end, by brackets and strings alone: a row that is no JSON does not hide those after it."""

    def __init__(self) -> None:
        self._buffer = b""
        """What was read and not yielded, from the row that is open, or from the end of the last one."""
        self._scanned = 0
        self._line = 1
        self._depth = 0
        """How many brackets are open."""
        self._start: int | None = None
        """How many were, before the row that is open; None between rows."""
        self._head: bytes | None = None
        """The begin of a row that is too long; None for others."""
        self._hidden_lines = 0
        """Line breaks of its parts that were forgotten."""

    def records(self, chunks: Iterable[bytes]) -> Iterator[Record]:
        for chunk in chunks:
            self._buffer += chunk
            yield from self._scan()
            if len(self._buffer) > MAX_RECORD_BYTES:
                yield from self._shorten()
        if self._start is not None:
            raw = self._buffer if self._head is None else self._head
            yield Record(self._line, raw.strip(), "the file ends within this row")
        else:
            yield from self._gap(len(self._buffer))
            if self._depth:
                yield Record(self._line, b"", "the file ends within its array: its last rows are missing")

    def _scan(self) -> Iterator[Record]:
        if self._start is None and self._depth:
            yield from self._whole_rows()
        match = _TOKEN.search(self._buffer, self._scanned)
        while match is not None:
            token = match.group()[:1]
            if token == b'"' and match["end"] is None:
                self._scanned = match.start()  # its end is still to be read
                return
            self._scanned = match.end()
            if token in (b"{", b"["):
                yield from self._open(token, match.start())
            elif token != b'"':
                yield from self._close(token)
            if self._start is None and self._depth and not self._scanned:
                yield from self._whole_rows()
            match = _TOKEN.search(self._buffer, self._scanned)
        self._scanned = len(self._buffer)

    def _whole_rows(self) -> Iterator[Record]:
        """Yield the rows of an array that are wholly read, from the end of the last one."""
        buffer, position, line = self._buffer, 0, self._line
        while (match := _WHOLE_ROW.match(buffer, position)) is not None:
            line += buffer.count(b"\n", position, match.start("row"))
            row = match["row"]
            yield Record(line, row[:MAX_RECORD_BYTES], _TOO_LONG if len(row) > MAX_RECORD_BYTES else None)
            line += row.count(b"\n")
            position = match.end()
        self._buffer, self._line, self._scanned = buffer[position:], line, 0

    def _open(self, token: bytes, position: int) -> Iterator[Record]:
        if self._start is None:
            yield from self._gap(position)
            if token == b"[" and self._depth == 0:
                self._drop(1)
            else:
                self._start = self._depth
        self._depth += 1

    def _close(self, token: bytes) -> Iterator[Record]:
        if self._start is not None:
            self._depth -= 1
            if self._depth > self._start:
                return
            raw = self._buffer[: self._scanned]
            is_long = self._head is not None or len(raw) > MAX_RECORD_BYTES
            head = raw[:MAX_RECORD_BYTES] if self._head is None else self._head
            yield Record(self._line, head, _TOO_LONG) if is_long else Record(self._line, raw)
            self._line += self._hidden_lines
            self._start, self._head, self._hidden_lines = None, None, 0
            self._drop(self._scanned)
        elif token == b"]" and self._depth:
            yield from self._gap(self._scanned - 1)
            self._depth = 0
            self._drop(1)

    def _gap(self, position: int) -> Iterator[Record]:
        """Yield what is between two rows and is none, and forget it."""
        gap = self._buffer[:position]
        if stray := gap.strip(_GAP):
            yield Record(self._line + gap[: gap.index(stray)].count(b"\n"), stray[:MAX_RECORD_BYTES])
        self._drop(position)

    def _drop(self, size: int) -> None:
        self._line += self._buffer.count(b"\n", 0, size)
        self._buffer = self._buffer[size:]
        self._scanned = max(0, self._scanned - size)

    def _shorten(self) -> Iterator[Record]:
        """Forget the inside of what is too long to be read: the memory stays as it is, whatever a file holds."""
        if self._start is None:
            yield from self._gap(self._scanned)
        else:
            if self._head is None:
                self._head = self._buffer[:MAX_RECORD_BYTES]
            self._hidden_lines += self._buffer.count(b"\n", 0, self._scanned)
            self._buffer, self._scanned = self._buffer[self._scanned :], 0
        if (
            len(self._buffer) > MAX_RECORD_BYTES
        ):  # within a string: only whether its last character is escaped counts
            slashes = len(self._buffer) - len(self._buffer.rstrip(b"\\"))
            self._hidden_lines += self._buffer.count(b"\n")
            self._buffer = b'"' + b"\\" * (slashes % 2)
