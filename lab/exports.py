"""Exports of tables in folders of this machine: as they are downloaded from S3, or as :func:`write_export` writes them."""

from __future__ import annotations

import gzip
import zlib
from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec

from contract.clock import time_text
from contract.exports import (
    DATA_FOLDER,
    DATA_SUFFIXES,
    EXPORTS_FOLDER,
    SUMMARY,
    ExportError,
    Summary,
    read_item,
    read_summary,
    write_item,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from contract.items import Item

ITEMS_A_FILE: Final = 50_000
"""Of files that are written here: about 15 MB each, so that several are read at once."""


def newest_export(folder: Path) -> Path:
    """Find the export in a folder.

    Parameters
    ----------
    folder : Path
        An export; or a prefix below which there are exports, of which the newest complete one is meant; or a folder of files of items.

    Raises
    ------
    ExportError
        Where there is none; naming the folder.
    """
    if (folder / SUMMARY).is_file():
        return folder
    summaries = [*folder.glob(f"*/{SUMMARY}"), *folder.glob(f"{EXPORTS_FOLDER}/*/{SUMMARY}")]
    if summaries:
        newest = max(summaries, key=lambda file: read_summary(file.read_bytes(), str(file)).export_time)
        return newest.parent
    if _data_files(folder):
        return folder
    raise ExportError(f"{folder}: no complete export of a table, and no files of items (*.json.gz)")


def export_files(folder: Path) -> list[Path]:
    """Files of items of the export in a folder (:func:`newest_export`), sorted by name; ExportError where there is none."""
    return _data_files(newest_export(folder))


def read_export(folder: Path) -> Iterator[Item]:
    """Read every item of the export in a folder, file by file.

    Raises
    ------
    ExportError
        Where there is no export, or a line of it cannot be read; naming file and line.
    """
    for file in export_files(folder):
        read = 0
        try:
            with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
                for line in lines:
                    yield read_item(line)
                    read += 1
        except ExportError as error:
            raise ExportError(f"{file}:{read + 1}: {error}") from error
        except (OSError, EOFError, zlib.error) as error:
            raise ExportError(f"{file}: damaged after line {read}") from error


def write_export(
    folder: Path, items: Iterable[Item], exported_at: datetime, items_a_file: int = ITEMS_A_FILE
) -> Summary:
    """Write items as an export.

    Parameters
    ----------
    folder : Path
        Is created; nothing may be in it.
    items : Iterable[Item]
        In DynamoDB's wire form, binary values in base64.
    exported_at : datetime
        The moment whose items these are, UTC.
    items_a_file : int
        At most so many are in one file.

    Returns
    -------
    Summary
        What was written.
    """
    data = folder / DATA_FOLDER
    data.mkdir(parents=True)
    left, count = iter(items), 0
    while part := list(islice(left, items_a_file)):
        # No time in the header: the same items give the same bytes.
        content = gzip.compress(b"".join(map(write_item, part)), compresslevel=6, mtime=0)
        (data / f"{count // items_a_file:05}.json.gz").write_bytes(content)
        count += len(part)
    summary = Summary(export_time=time_text(exported_at), item_count=count)
    (folder / SUMMARY).write_bytes(msgspec.json.encode(summary))
    return summary


def _data_files(folder: Path) -> list[Path]:
    data = folder / DATA_FOLDER
    return sorted(
        file
        for file in (data if data.is_dir() else folder).glob("*")
        if file.name.endswith(DATA_SUFFIXES) and not file.name.startswith("manifest")
    )
