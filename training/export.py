"""Tables that DynamoDB exported to S3, in a folder: read file by file, each compared with the export's manifest.

A folder may hold several exports, such as those of the history and of the labels, and at any depth. DynamoDB writes for each a
``manifest-summary.json`` when all of it is written, a ``manifest-files.json`` with a line for each file, and the files below ``data/``.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from base64 import b64encode
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeVar

import msgspec

from contract.label import LABELS_TABLE
from contract.scored import HISTORY_TABLE
from training.errors import TrainingError
from training.tables import StoredRow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import WriteableBuffer

SUMMARY: Final = "manifest-summary.json"
FILES: Final = "manifest-files.json"

FORMAT: Final = "DYNAMODB_JSON"
FULL: Final = "FULL_EXPORT"


class _Summary(msgspec.Struct, rename="camel"):
    """What is used of a manifest."""

    table_arn: str
    export_time: datetime
    item_count: int
    output_format: str
    export_type: str = FULL


class _File(msgspec.Struct, rename="camel"):
    """A line of the list of files."""

    item_count: int
    data_file_s3_key: str = msgspec.field(name="dataFileS3Key")
    md5_checksum: str | None = msgspec.field(name="md5Checksum", default=None)
    """In base64."""


class _Line(msgspec.Struct, rename="pascal"):
    item: dict[str, Any]


_LINES: Final = msgspec.json.Decoder(_Line)

_ModelT = TypeVar("_ModelT", bound=msgspec.Struct)


class TableExport:
    """One export of one table.

    Parameters
    ----------
    folder : Path
        Of its manifests.

    Attributes
    ----------
    exported_at : datetime
        As of when the rows are, UTC.

    Raises
    ------
    TrainingError
        Where a manifest is missing or cannot be read, or is one of a part of a table, or of another format.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / SUMMARY
        summary = _decoded(path, path.read_bytes(), _Summary)
        if summary.output_format != FORMAT:
            raise TrainingError(f"{path}: outputFormat is {summary.output_format}; {FORMAT} is needed")
        if summary.export_type != FULL:
            raise TrainingError(
                f"{path}: exportType is {summary.export_type}; only a {FULL} has all rows of the table"
            )
        self.exported_at = summary.export_time
        self._table = summary.table_arn.rpartition("/")[2]
        self._folder = folder
        self._item_count = summary.item_count

    def is_of(self, table: str) -> bool:
        """Whether it is one of a table, by its interface name; an environment may prefix the names."""
        return self._table == table or self._table.endswith(f"-{table}")

    def rows(self) -> Iterator[StoredRow]:
        """Read all rows.

        Raises
        ------
        TrainingError
            Naming the file that is missing, damaged or not what the manifest says.
        """
        path = self._folder / FILES
        try:
            lines = path.read_bytes().splitlines()
        except OSError as error:
            raise TrainingError(f"{path}: {error.strerror}; the export is not complete") from error
        files = [_decoded(path, line, _File) for line in lines if line.strip()]
        if (listed := sum(file.item_count for file in files)) != self._item_count:
            raise TrainingError(
                f"{path} lists {listed:,} rows; the export has {self._item_count:,} by its {SUMMARY}"
            )
        for file in files:
            yield from self._rows_of(file)

    def _rows_of(self, file: _File) -> Iterator[StoredRow]:
        path = self._folder / "data" / PurePosixPath(file.data_file_s3_key).name
        source = str(path)
        number = 0
        try:
            with path.open("rb") as raw, gzip.open(hashed := _Hashed(raw)) as rows:
                for number, line in enumerate(rows, 1):
                    yield StoredRow(_LINES.decode(line).item, source, number)
        except FileNotFoundError as error:
            raise TrainingError(f"{path} is missing; {path.parent.parent / FILES} lists it") from error
        except (OSError, EOFError, zlib.error) as error:
            raise TrainingError(f"{path}: after row {number:,} it cannot be read ({error})") from error
        except msgspec.MsgspecError as error:
            raise TrainingError(f"{path}, row {number:,}: not a row of an export in {FORMAT}") from error
        if number != file.item_count:
            raise TrainingError(f"{path} has {number:,} rows; the manifest says {file.item_count:,}")
        if file.md5_checksum not in (None, hashed.md5):
            raise TrainingError(f"{path} is damaged: its MD5 is not the manifest's")


class ExportedTables:
    """The exports below a folder.

    Parameters
    ----------
    folder : Path
        Of at least one export of `transaction_history`, and one of `labels`. Of several of the history a row counts once.

    Attributes
    ----------
    exported_at : datetime
        As of when all rows of both tables are there, UTC: the time of the earlier of the latest exports.

    Raises
    ------
    TrainingError
        Where one of both is missing, or a manifest cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        exports = [TableExport(path.parent) for path in sorted(folder.rglob(SUMMARY))]
        self._history = [each for each in exports if each.is_of(HISTORY_TABLE)]
        self._labels = [each for each in exports if each.is_of(LABELS_TABLE)]
        for table, found in ((HISTORY_TABLE, self._history), (LABELS_TABLE, self._labels)):
            if not found:
                raise TrainingError(
                    f"{folder} has no export of {table}: a folder with {SUMMARY} (DynamoDB writes it last), {FILES} and data/"
                )
        latest = [max(each.exported_at for each in found) for found in (self._history, self._labels)]
        self.exported_at = min(latest)

    @property
    def name(self) -> str:
        """The folder's."""
        return str(self._folder)

    def history(self) -> Iterator[StoredRow]:
        """Read the rows of `transaction_history`; TrainingError as for :meth:`TableExport.rows`."""
        for export in self._history:
            yield from export.rows()

    def labels(self) -> Iterator[StoredRow]:
        """Read the rows of `labels`; TrainingError as for :meth:`TableExport.rows`."""
        for export in self._labels:
            yield from export.rows()


class _Hashed(io.RawIOBase):
    """Reads a file once, and hashes what is read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.md5(usedforsecurity=False)

    @property
    def md5(self) -> str:
        """Of what was read, in base64."""
        return b64encode(self._digest.digest()).decode()

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read on; give how many bytes were read."""
        part = memoryview(buffer)
        data = self._file.read(len(part))
        part[: len(data)] = data
        self._digest.update(data)
        return len(data)


def _decoded(path: Path, data: bytes, model: type[_ModelT]) -> _ModelT:
    try:
        return msgspec.json.decode(data, type=model)
    except msgspec.MsgspecError as error:
        raise TrainingError(f"{path}: {error}") from error
