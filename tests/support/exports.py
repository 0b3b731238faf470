"""DynamoDB's exports to S3 as folders: manifests, and files of rows in its JSON."""

from __future__ import annotations

import gzip
import hashlib
import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from contract.label import LABELS_TABLE
from contract.scored import HISTORY_TABLE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

EXPORTED_AT = datetime(2026, 6, 1, tzinfo=UTC)
"""When an export is made, unless a test says otherwise."""

Row = dict[str, Any]
"""In DynamoDB's wire form."""


def write_export(
    folder: Path, table: str, rows: Sequence[Row], name: str = "01000", files: int = 2, **summary: Any
) -> Path:
    """Write the export of a table; of ``summary`` the manifest's fields are changed. Gives the export's folder.

    AWS, "DynamoDB table export output format", describes the files.
    """
    export = folder / "AWSDynamoDB" / name
    (export / "data").mkdir(parents=True)
    lines = [_write_file(export, number, rows[number::files]) for number in range(files)]
    (export / "manifest-files.json").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    fields = {
        "version": "2020-06-30",
        "exportArn": f"arn:aws:dynamodb:us-east-1:123456789012:table/{table}/export/{name}",
        "tableArn": f"arn:aws:dynamodb:us-east-1:123456789012:table/{table}",
        "exportTime": EXPORTED_AT.isoformat().replace("+00:00", "Z"),
        "s3Prefix": None,
        "itemCount": len(rows),
        "outputFormat": "DYNAMODB_JSON",
    }
    (export / "manifest-summary.json").write_text(json.dumps(fields | summary))
    return export


def write_exports(folder: Path, history: Sequence[Row], labels: Sequence[Row]) -> Path:
    """Write an export of each table that training reads."""
    write_export(folder, f"fraud-dev-{HISTORY_TABLE}", history, "01000")
    write_export(folder, f"fraud-dev-{LABELS_TABLE}", labels, "02000")
    return folder


def _write_file(export: Path, number: int, rows: Sequence[Row]) -> dict[str, object]:
    data = gzip.compress("".join(f"{json.dumps({'Item': row})}\n" for row in rows).encode(), mtime=0)
    file = export / "data" / f"part-{number}.json.gz"
    file.write_bytes(data)
    return {
        "itemCount": len(rows),
        "md5Checksum": b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode(),
        "etag": "0-1",
        "dataFileS3Key": f"exports/AWSDynamoDB/{export.name}/data/{file.name}",
    }
