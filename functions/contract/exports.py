"""A table's export: lines of JSON with one item each, ``{"Item": {...}}``, as DynamoDB's full export to S3 writes them (``DYNAMODB_JSON``).

An export in S3 is a folder ``AWSDynamoDB/<export id>/`` with the items in ``data/*.json.gz``, and with :data:`SUMMARY`, which is written
when the export is complete. Binary values are in base64, as :mod:`contract.scored` writes and reads them.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from contract.errors import ContractError

if TYPE_CHECKING:
    from contract.items import Item

DATA_FOLDER: Final = "data"
"""Below an export: the folder of its files of items."""

SUMMARY: Final = "manifest-summary.json"
"""Below an export: what it is, in JSON. It exists once the export is complete."""

FILES: Final = "manifest-files.json"
"""Below an export: its files of items, a line of JSON for each."""

FULL: Final = "FULL_EXPORT"
FORMAT: Final = "DYNAMODB_JSON"


class ExportError(ContractError):
    """An export that cannot be read; names the place, never a value."""


class Summary(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What is used of an export's summary."""

    table_arn: str
    """Ends with ``:table/`` and the table's name."""
    export_time: datetime
    """The moment whose items the export holds, UTC."""
    item_count: int
    """Items in all files."""
    output_format: str = FORMAT
    export_type: str = FULL

    def is_of(self, table: str) -> bool:
        """Whether the export is one of a table, by its interface name; an environment may prefix the names."""
        name = self.table_arn.rpartition("/")[2]
        return name == table or name.endswith(f"-{table}")


class ExportedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A line of :data:`FILES`."""

    item_count: int = msgspec.field(name="itemCount")
    md5_checksum: str = msgspec.field(name="md5Checksum")
    """In base64."""
    data_file_s3_key: str = msgspec.field(name="dataFileS3Key")


class _Line(msgspec.Struct, frozen=True, rename={"item": "Item"}):
    item: dict[str, dict[str, Any]]


_LINES: Final = msgspec.json.Decoder(_Line)
_FILES: Final = msgspec.json.Decoder(ExportedFile)
_SUMMARIES: Final = msgspec.json.Decoder(Summary)
_ENCODER: Final = msgspec.json.Encoder()


def read_item(line: bytes | str) -> Item:
    """Read the item of a line.

    Parameters
    ----------
    line : bytes | str
        With or without its line break.

    Returns
    -------
    Item
        In DynamoDB's wire form, binary values in base64.

    Raises
    ------
    ExportError
        For a line that is none of a full export; the caller knows file and line.
    """
    try:
        return _LINES.decode(line).item
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ExportError('no line of a full export: {"Item": {...}} is expected') from error


def read_files(content: bytes, place: str) -> list[ExportedFile]:
    """Read an export's list of files, :data:`FILES`; ExportError names ``place``, the list's name, and the line."""
    files = []
    for number, line in enumerate(content.splitlines(), 1):
        try:
            files.append(_FILES.decode(line))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ExportError(f"{place}, line {number}: {error}") from error
    return files


def write_item(item: Item) -> bytes:
    r"""Write an item's line, with its line break.

    >>> write_item({"user_id": {"S": "u-1"}})
    b'{"Item":{"user_id":{"S":"u-1"}}}\n'
    """
    return _ENCODER.encode({"Item": item}) + b"\n"


def read_summary(content: bytes, place: str) -> Summary:
    """Read an export's summary.

    Parameters
    ----------
    content : bytes
        Of the file :data:`SUMMARY`.
    place : str
        The file's name, for the error.

    Raises
    ------
    ExportError
        Where it cannot be read, or is that of an export whose lines are of another form.
    """
    try:
        summary = _SUMMARIES.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ExportError(f"{place}: no summary of an export: {error}") from error
    if summary.export_type != FULL or summary.output_format != FORMAT:
        problem = f"an export of type {summary.export_type} in {summary.output_format}"
        raise ExportError(f"{place}: {problem}; a {FULL} in {FORMAT} is needed")
    return summary
