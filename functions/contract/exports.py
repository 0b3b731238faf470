"""A table's export: lines of JSON with one item each, ``{"Item": {...}}``, as DynamoDB's full export to S3 writes them (``DYNAMODB_JSON``).

An export in S3 is a folder ``AWSDynamoDB/<export id>/`` with the items in ``data/*.json.gz``, and with :data:`SUMMARY`, which is written
when the export is complete. Binary values are in base64, as :mod:`contract.scored` writes and reads them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from contract.errors import ContractError

if TYPE_CHECKING:
    from contract.items import Item

EXPORTS_FOLDER: Final = "AWSDynamoDB"
"""Below an export's prefix: the folder with a folder for each export."""

DATA_FOLDER: Final = "data"
"""Below an export: the folder of its files of items."""

SUMMARY: Final = "manifest-summary.json"
"""Below an export: what it is, in JSON. It exists once the export is complete."""

DATA_SUFFIXES: Final = (".json.gz", ".json")
"""How the names of files of items end."""


class ExportError(ContractError):
    """An export that cannot be read; names the place, never a value."""


class Summary(msgspec.Struct, frozen=True, rename="camel"):
    """The part of an export's summary that is used."""

    export_time: str
    """The moment whose items the export holds, RFC 3339."""
    item_count: int
    """Items in all files."""
    table_arn: str = ""
    output_format: str = "DYNAMODB_JSON"
    export_type: str = "FULL_EXPORT"


class _Line(msgspec.Struct, frozen=True, rename={"item": "Item"}):
    item: dict[str, dict[str, Any]]


_LINES: Final = msgspec.json.Decoder(_Line)
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
        raise ExportError(f"{place}: no summary of an export") from error
    if summary.export_type != "FULL_EXPORT" or summary.output_format != "DYNAMODB_JSON":
        raise ExportError(
            f"{place}: an export of type {summary.export_type} in {summary.output_format}; "
            "a FULL_EXPORT in DYNAMODB_JSON is needed"
        )
    return summary
