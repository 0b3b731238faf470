"""Tables that DynamoDB exported to S3, in a folder: read file by file, each compared with the export's manifest.

A folder may hold several exports, such as those of the history and of the labels, and at any depth (:mod:`contract.exports`).
"""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from base64 import b64encode
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from contract.exports import (
    DATA_FOLDER,
    FILES,
    SUMMARY,
    ExportedFile,
    ExportError,
    read_files,
    read_item,
    read_summary,
)
from contract.label import LABELS_TABLE
from contract.scored import HISTORY_TABLE
from training.errors import TrainingError
from training.tables import StoredRow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _typeshed import WriteableBuffer


class TableExport:
    """One export of one table.

    Parameters
    ----------
    folder : Path
        Of its manifests.

    Attributes
    ----------
    summary : Summary
        What it is.

    Raises
    ------
    TrainingError
        Where its summary cannot be read, or is one of a part of a table, or of another format.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / SUMMARY
        with _as_training_error():
            self.summary = read_summary(path.read_bytes(), str(path))
        self._folder = folder

    def rows(self) -> Iterator[StoredRow]:
        """Read all rows.

        Raises
        ------
        TrainingError
            Naming the file that is missing, damaged or not what the manifest says.
        """
        path = self._folder / FILES
        try:
            with _as_training_error():
                files = read_files(path.read_bytes(), str(path))
        except OSError as error:
            raise TrainingError(f"{path}: {error.strerror}; the export is not complete") from error
        if (listed := sum(file.item_count for file in files)) != self.summary.item_count:
            raise TrainingError(
                f"{path} lists {listed:,} rows; the export has {self.summary.item_count:,} by its {SUMMARY}"
            )
        for file in files:
            yield from self._rows_of(file)

    def _rows_of(self, file: ExportedFile) -> Iterator[StoredRow]:
        path = self._folder / DATA_FOLDER / PurePosixPath(file.data_file_s3_key).name
        source = str(path)
        number = 0
        try:
            with path.open("rb") as raw, gzip.open(hashed := _Hashed(raw)) as rows:
                for number, line in enumerate(rows, 1):
                    yield StoredRow(read_item(line), source, number)
        except FileNotFoundError as error:
            raise TrainingError(f"{path} is missing; {path.parent.parent / FILES} lists it") from error
        except (OSError, EOFError, zlib.error) as error:
            raise TrainingError(f"{path}: after row {number:,} it cannot be read ({error})") from error
        except ExportError as error:
            raise TrainingError(f"{path}, row {number:,}: {error}") from error
        if number != file.item_count:
            raise TrainingError(f"{path} has {number:,} rows; the manifest says {file.item_count:,}")
        if file.md5_checksum != hashed.md5:
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
        self._history = [each for each in exports if each.summary.is_of(HISTORY_TABLE)]
        self._labels = [each for each in exports if each.summary.is_of(LABELS_TABLE)]
        for table, found in ((HISTORY_TABLE, self._history), (LABELS_TABLE, self._labels)):
            if not found:
                raise TrainingError(
                    f"{folder} has no export of {table}: a folder with {SUMMARY} (DynamoDB writes it last), {FILES} and data/"
                )
        latest = [max(each.summary.export_time for each in found) for found in (self._history, self._labels)]
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


@contextmanager
def _as_training_error() -> Iterator[None]:
    try:
        yield
    except ExportError as error:
        raise TrainingError(str(error)) from error
