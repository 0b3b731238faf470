"""One landed file to its cleaned rows: unpacked, decoded, cut into rows, and each row cleaned.

A file that cannot be read to its end gives one refused row that says so, after the rows that could be read.
"""

from __future__ import annotations

from itertools import chain
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from contract.errors import InvalidTransactionError, UnreadableFileError
from contract.reading.archive import MAGIC, only_file
from contract.reading.csv_rows import CsvRecords, separator_line
from contract.reading.json_rows import json_records
from contract.reading.names import is_csv
from contract.reading.text import begin_of, in_utf8, lines_of, unpacked
from glue_scripts.rows import Header, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from contract.mapping.form import FileForm
    from contract.reading.record import Record
    from glue_scripts.rows import CleanedRow, FileCleaner

_SPOOLED_BYTES: Final = 8 << 20
"""Archives up to this size are read in memory, larger ones from a temporary file."""


class LandedRow(NamedTuple):
    """A cleaned row and its place."""

    line: int
    row: CleanedRow


def landed_rows(name: str, chunks: Iterable[bytes], form: FileForm, rows: FileCleaner) -> Iterator[LandedRow]:
    """Clean every row of a file.

    Parameters
    ----------
    name : str
        The file's; it says whether it is CSV, but for a zip archive, where the name of the file in it does.
    chunks : Iterable[bytes]
        Its content, in parts of any size.
    form : FileForm
        How it is written, as far as its mapping says it.
    rows : FileCleaner
        Cleans a row, by the mapping of the file.

    Yields
    ------
    LandedRow
        For each row that is neither blank nor a header, in order.
    """
    line = 0
    try:
        name, content = _opened(name, unpacked(chunks))
        text = in_utf8(content, form.encoding)
        found = (
            _csv_rows(CsvRecords(lines_of(text)), form, rows)
            if is_csv(name)
            else _json_rows(json_records(text), rows)
        )
        for row in found:
            line = row.line
            yield row
    except UnreadableFileError as error:
        yield LandedRow(line, Refused("$", error.problem, ""))


def _opened(name: str, chunks: Iterator[bytes]) -> tuple[str, Iterator[bytes]]:
    begin, rest = begin_of(chunks, len(MAGIC[0]))
    content = chain([begin], rest)
    if not begin.startswith(MAGIC):
        return name, content
    # An archive's list of files is at its end.
    archive = SpooledTemporaryFile(max_size=_SPOOLED_BYTES)  # noqa: SIM115 - closed with the rows' generator
    archive.writelines(content)
    inner, packed = only_file(cast("BinaryIO", archive))
    return inner, unpacked(packed)


def _csv_rows(records: CsvRecords, form: FileForm, rows: FileCleaner) -> Iterator[LandedRow]:
    header: Header | None = None
    refused: Refused | None = None
    records.delimiter = form.delimiter
    for record in records:
        if not record.raw.strip():
            continue
        if record.problem is not None:
            yield _unread(record, rows)
        elif header is not None:
            row = rows.clean_csv(record.raw, header)
            if (again := rows.header_again(record.raw, header, row)) is not None:
                header = again
            else:
                yield LandedRow(record.line, row)
        elif refused is None and (stated := separator_line(record.raw)) is not None:
            records.delimiter = form.delimiter or stated
        else:
            found = rows.read_header(record.raw, refused, records.delimiter)
            if isinstance(found, Header):
                header, records.delimiter, records.columns = found, found.delimiter, len(found.names)
            else:
                # The next row is tried as a header: a file may begin with a title or with garbage.
                refused = refused or found
                yield LandedRow(record.line, found)


def _json_rows(records: Iterable[Record], rows: FileCleaner) -> Iterator[LandedRow]:
    for record in records:
        if record.problem is not None:
            yield _unread(record, rows)
        else:
            yield LandedRow(record.line, rows.clean_json(record.raw))


def _unread(record: Record, rows: FileCleaner) -> LandedRow:
    error = InvalidTransactionError("$", record.problem or "")
    return LandedRow(record.line, rows.refuse(record.raw, error))
