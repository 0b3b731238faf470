"""Rows of files as they are: CSV, TSV, JSON lines, a JSON array, each perhaps packed, or a folder of them.

What makes a row is decided where the ingestion job decides it too, in :mod:`contract.reading`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Final

import msgspec

from contract.errors import InvalidTransactionError, MappingError, UnreadableFileError
from contract.mapping.form import UNSAID
from contract.reading.archive import MAGIC, only_file
from contract.reading.csv_rows import (
    CsvHeader,
    CsvRecords,
    doubled_column,
    header_again,
    read_header,
    separator_line,
    values_of,
)
from contract.reading.json_rows import json_records, object_of
from contract.reading.names import CSV_SUFFIXES, PACKED_SUFFIXES, is_csv, plain_name
from contract.reading.text import in_utf8, lines_of, unpacked
from lab.datasets.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contract.mapping.document import ColumnMapping
    from contract.reading.record import Record

SUFFIXES: Final = (*CSV_SUFFIXES, ".jsonl", ".ndjson", ".json")
"""Kinds of files, each also packed; a zip archive of one file may be called anything."""

_CHUNK_BYTES: Final = 1 << 16
_COLUMN_SAMPLE: Final = 100
"""JSON rows may leave fields out: the columns are those of so many rows."""

_GZIP: Final = b"\x1f\x8b"


class Row(msgspec.Struct, frozen=True):
    """One row of a file."""

    fields: dict[str, object] | None
    """Column to value; None where the row cannot be parsed."""
    raw: bytes
    """The bytes in the file, in one line: a row of several lines is written as JSON."""
    line: int = 0
    """Where it begins; the first line is 1."""
    problem: str | None = None
    """Why it cannot be parsed."""


def find_files(path: Path) -> list[Path]:
    """Find the files of a data set, in alphabetical order.

    Raises
    ------
    DatasetError
        If there is no file that can be read.
    """
    kinds = f"{', '.join(SUFFIXES)}, each also packed as {', '.join(PACKED_SUFFIXES)}"
    if path.is_dir():
        found = sorted(file for file in path.rglob("*") if file.is_file() and _is_readable(file.name))
        if not found:
            raise DatasetError(f"{path}: no file in it ends in {kinds}")
        return found
    if not path.is_file():
        raise DatasetError(f"{path}: no such file")
    if not _is_readable(path.name):
        raise DatasetError(f"{path}: cannot be read; there are {kinds}")
    return [path]


def read_rows(path: Path, mapping: ColumnMapping | None = None) -> Iterator[Row]:
    """Read the rows of a file, one after the other; no more of the file than is asked for.

    Parameters
    ----------
    path : Path
        As :func:`find_files` found it.
    mapping : ColumnMapping, optional
        How the file is written, and which columns a CSV file needs.

    Yields
    ------
    Row
        Every row but blank ones. Of what cannot be parsed, such as rows of another width than the header, only ``raw``.

    Raises
    ------
    DatasetError
        If the file as a whole is not what its name says, or lacks a column of the mapping.
    """
    with path.open("rb") as file:
        try:
            name, chunks = _opened(path, file)
            text = in_utf8(chunks, (UNSAID if mapping is None else mapping.form).encoding)
            if is_csv(name):
                yield from _csv_rows(CsvRecords(lines_of(text)), path, mapping)
            else:
                yield from map(_json_row, json_records(text))
        except UnreadableFileError as error:
            raise DatasetError(f"{path}: {error}") from error


def columns_of(*paths: Path, mapping: ColumnMapping | None = None) -> tuple[str, ...]:
    """Name the columns of a data set: the header of its first CSV file with rows, or the fields of the first hundred JSON rows.

    Files without rows are passed over.

    Raises
    ------
    DatasetError
        If there is no row.
    """
    for path in paths:
        seen: dict[str, None] = {}
        for _, row in zip(range(_COLUMN_SAMPLE), read_rows(path, _unchecked(mapping)), strict=False):
            seen.update(dict.fromkeys(row.fields or ()))
        if seen:
            return tuple(seen)
    raise DatasetError(f"{', '.join(map(str, paths[:3]))}: no rows with columns in it")


def _unchecked(mapping: ColumnMapping | None) -> ColumnMapping | None:
    """How the file is written, without asking for columns: which there are is about to be found out."""
    return None if mapping is None else msgspec.structs.replace(mapping, is_guess=True)


def _is_readable(name: str) -> bool:
    return plain_name(name).endswith(SUFFIXES) or name.lower().endswith(".zip")


def _opened(path: Path, file: BinaryIO) -> tuple[str, Iterator[bytes]]:
    begin = file.read(len(MAGIC[0]))
    file.seek(0)
    if begin.startswith(MAGIC):
        name, chunks = only_file(file)
        if not plain_name(name).endswith(SUFFIXES):
            raise UnreadableFileError(f"the file in it ends in none of {', '.join(SUFFIXES)}")
        return name, unpacked(chunks)
    if begin and path.name.lower().endswith(".gz") and not begin.startswith(_GZIP):
        raise UnreadableFileError("not gzip, as its name says")
    return path.name, unpacked(iter(lambda: file.read(_CHUNK_BYTES), b""))


def _csv_rows(records: CsvRecords, path: Path, mapping: ColumnMapping | None) -> Iterator[Row]:
    header: CsvHeader | None = None
    records.delimiter = None if mapping is None else mapping.form.delimiter
    for record in records:
        if not record.raw.strip():
            continue
        if header is not None:
            row = _csv_row(record, header)
            again = None
            if row.fields is not None and not {*header.names[:2]}.isdisjoint(map(str, row.fields.values())):
                again = header_again(record.raw.decode(), header)
            if again is None:
                yield row
            else:
                header = again
        elif record.line == 1 and (stated := separator_line(record.raw)) is not None:
            records.delimiter = records.delimiter or stated
        else:
            header = _header(record, path, mapping, records.delimiter)
            records.delimiter, records.columns = header.delimiter, len(header.names)


def _header(record: Record, path: Path, mapping: ColumnMapping | None, delimiter: str | None) -> CsvHeader:
    try:
        if record.problem is not None:
            raise InvalidTransactionError("$", record.problem)
        header = read_header(record.raw.decode(), mapping, delimiter)
    except InvalidTransactionError as error:
        raise DatasetError(f"{path}, line {record.line}: {error.problem}") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}, line {record.line}: not UTF-8; a mapping can say encoding") from error
    if (name := doubled_column(header.names, mapping)) is not None:
        problem = f"two columns have the name or the meaning of {name!r}; a mapping has to use others"
        raise DatasetError(f"{path}, line {record.line}: {problem}")
    if mapping is not None and not mapping.is_guess:
        try:
            mapping.check_columns(header.names)
        except MappingError as error:
            raise DatasetError(f"{path}: {error.field}: {error.problem}") from error
    return header


def _csv_row(record: Record, header: CsvHeader) -> Row:
    fields, problem = None, record.problem
    if problem is None:
        try:
            values = values_of(record.raw, len(header.names), header.delimiter)
            fields = dict[str, object](zip(header.names, values, strict=True))
        except InvalidTransactionError as error:
            problem = error.problem
    return Row(fields, _in_one_line(record.raw), record.line, problem)


def _json_row(record: Record) -> Row:
    fields, problem = None, record.problem
    if problem is None:
        try:
            fields = object_of(record.raw)
        except InvalidTransactionError as error:
            problem = error.problem
    return Row(fields, _json_in_one_line(record.raw), record.line, problem)


def _json_in_one_line(raw: bytes) -> bytes:
    try:
        return msgspec.json.format(raw, indent=-1) if _has_breaks(raw) else raw
    except (msgspec.DecodeError, RecursionError):
        return _in_one_line(raw)


def _in_one_line(raw: bytes) -> bytes:
    """Write a row of several lines as JSON text: in a file of lines it is one, and no record."""
    return msgspec.json.encode(raw.decode("utf-8", "backslashreplace")) if _has_breaks(raw) else raw


def _has_breaks(raw: bytes) -> bool:
    return b"\n" in raw or b"\r" in raw
