"""Writes items of a table as an export of it, in a folder of this machine, with the manifests that DynamoDB writes to S3."""

from __future__ import annotations

import gzip
import hashlib
from base64 import b64encode
from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec

from contract.exports import DATA_FOLDER, FILES, SUMMARY, ExportedFile, Summary, write_item

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from contract.items import Item

ITEMS_A_FILE: Final = 50_000
"""About 15 MB of history rows, so that several files are read at once."""


def write_export(
    folder: Path, table: str, items: Iterable[Item], exported_at: datetime, items_a_file: int = ITEMS_A_FILE
) -> Summary:
    """Write items as an export.

    Parameters
    ----------
    folder : Path
        Is created; nothing may be in it.
    table : str
        The table's name.
    items : Iterable[Item]
        In DynamoDB's wire form, binary values in base64.
    exported_at : datetime
        The moment whose items these are, UTC.
    items_a_file : int
        At most so many are in one file.

    Returns
    -------
    Summary
        What was written. The same items give the same bytes.
    """
    data = folder / DATA_FOLDER
    data.mkdir(parents=True)
    left, files = iter(items), list[ExportedFile]()
    while part := list(islice(left, items_a_file)):
        content = gzip.compress(b"".join(map(write_item, part)), compresslevel=6, mtime=0)
        name = f"{len(files):05}.json.gz"
        (data / name).write_bytes(content)
        md5 = b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        files.append(
            ExportedFile(
                item_count=len(part), md5_checksum=md5, data_file_s3_key=f"{folder.name}/{DATA_FOLDER}/{name}"
            )
        )
    (folder / FILES).write_bytes(b"".join(msgspec.json.encode(file) + b"\n" for file in files))
    summary = Summary(
        table_arn=f"arn:aws:dynamodb:local:000000000000:table/{table}",
        export_time=exported_at,
        item_count=sum(file.item_count for file in files),
    )
    (folder / SUMMARY).write_bytes(msgspec.json.encode(summary))
    return summary
