"""Rows of files as they are: CSV, TSV, JSON lines, a JSON array, each perhaps compressed, or a folder of them."""

from __future__ import annotations

import csv
import gzip
import io
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, Final, cast

import msgspec

from lab.datasets.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUFFIXES: Final = (".csv", ".tsv", ".jsonl", ".ndjson", ".json")
"""Kinds of files, each also with .gz."""

MAX_ARRAY_BYTES: Final = 512 * 1024 * 1024
"""A JSON array has to be read whole, so a larger one is refused; JSON lines have no limit."""

_COLUMN_SAMPLE: Final = 100
"""JSON rows may leave fields out: the columns are those of so many rows."""

_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)

csv.field_size_limit(1 << 30)


class Row(msgspec.Struct, frozen=True):
    """One row of a file."""

    fields: dict[str, object] | None
    """Column to value; None where the row cannot be parsed."""
    raw: bytes
    """The bytes in the file; for a CSV row, its values written as CSV again."""


def find_files(path: Path) -> list[Path]:
    """Find the files of a data set, in alphabetical order.

    Raises
    ------
    DatasetError
        If there is no file that can be read.
    """
    if path.is_dir():
        found = sorted(file for file in path.rglob("*") if file.is_file() and _kind(file) in SUFFIXES)
        if not found:
            raise DatasetError(f"{path}: no file in it ends in {', '.join(SUFFIXES)} (or those with .gz)")
        return found
    if not path.is_file():
        raise DatasetError(f"{path}: no such file")
    if _kind(path) not in SUFFIXES:
        raise DatasetError(f"{path}: cannot be read; {', '.join(SUFFIXES)} can, each also with .gz")
    return [path]


def read_rows(path: Path) -> Iterator[Row]:
    """Read the rows of a file, one after the other.

    Yields
    ------
    Row
        Every row but blank ones. Of bytes that are not UTF-8 and of rows of another width than the header, only ``raw``.

    Raises
    ------
    DatasetError
        If the file as a whole is not what its name says.
    """
    kind = _kind(path)
    with cast("BinaryIO", gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb")) as file:
        try:
            if kind in (".csv", ".tsv"):
                yield from _csv_rows(file, "\t" if kind == ".tsv" else None)
            elif kind == ".json":
                yield from _json_rows(file, path)
            else:
                yield from map(_json_row, filter(bytes.strip, file))
        except (EOFError, gzip.BadGzipFile, csv.Error) as error:
            raise DatasetError(f"{path}: {error}") from error


def columns_of(path: Path) -> tuple[str, ...]:
    """Name a file's columns: the header of a CSV file, the fields of the first hundred JSON rows.

    Raises
    ------
    DatasetError
        If there is no row.
    """
    rows = read_rows(path)
    seen: dict[str, None] = {}
    for _, row in zip(range(_COLUMN_SAMPLE), rows, strict=False):
        seen.update(dict.fromkeys(row.fields or ()))
    if not seen:
        raise DatasetError(f"{path}: no rows with columns in it")
    return tuple(seen)


def _kind(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    return name[name.rfind(".") :] if "." in name else ""


def _csv_rows(file: BinaryIO, delimiter: str | None) -> Iterator[Row]:
    text = io.TextIOWrapper(file, "utf-8-sig", "surrogateescape", newline="")
    first = text.readline()
    if delimiter is None:
        delimiter = max(",;\t|", key=first.count)
    rows = csv.reader(chain([first], text), delimiter=delimiter)
    header = next(rows, [])
    for values in rows:
        if not values:
            continue
        line = io.StringIO()
        csv.writer(line, delimiter=delimiter, lineterminator="").writerow(values)
        raw = line.getvalue().encode("utf-8", "surrogateescape")
        is_whole = len(values) == len(header) and not any(map(_has_surrogate, values))
        yield Row(dict(zip(header, values, strict=True)) if is_whole else None, raw)


def _json_rows(file: BinaryIO, path: Path) -> Iterator[Row]:
    begin = file.read(64).lstrip()
    file.seek(0)
    if not begin.startswith(b"["):
        yield from map(_json_row, filter(bytes.strip, file))
        return
    data = file.read(MAX_ARRAY_BYTES + 1)
    if len(data) > MAX_ARRAY_BYTES:
        raise DatasetError(
            f"{path}: a JSON array of more than {MAX_ARRAY_BYTES:,} bytes; write it as JSON lines"
        )
    try:
        rows = msgspec.json.decode(data, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: not a JSON array ({error})") from error
    # A line break inside a row is white space in an array, but would end the row in a file of lines.
    yield from (_json_row(msgspec.json.format(bytes(row), indent=-1)) for row in rows)


def _json_row(line: bytes) -> Row:
    try:
        decoded = _DECODER.decode(line)
    except (
        msgspec.DecodeError,
        UnicodeDecodeError,
        RecursionError,
        ArithmeticError,
    ):  # the last: a Decimal's exponent
        return Row(None, line)
    return Row(decoded if isinstance(decoded, dict) else None, line)


def _has_surrogate(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)
