"""The one file of a zip archive."""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING, BinaryIO, Final

from contract.errors import UnreadableFileError
from contract.reading.text import DAMAGED

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC: Final = (b"PK\x03\x04", b"PK\x05\x06")
"""What an archive begins with; the second one is empty."""

_CHUNK_BYTES: Final = 1 << 16


def only_file(archive: BinaryIO) -> tuple[str, Iterator[bytes]]:
    """Open the one file of an archive.

    Folders do not count, nor what macOS adds (``__MACOSX``, names that begin with a dot).

    Parameters
    ----------
    archive : BinaryIO
        Seekable; read while the file is.

    Returns
    -------
    tuple[str, Iterator[bytes]]
        The file's name in the archive, and its content in parts.

    Raises
    ------
    UnreadableFileError
        Where it is no archive, or has no file or several, or one with a password; while it is read, where it is damaged.
    """
    try:
        opened = zipfile.ZipFile(archive)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise UnreadableFileError("the zip archive is damaged; none of it was read") from error
    files = [entry for entry in opened.infolist() if not _is_extra(entry)]
    if len(files) != 1:
        raise UnreadableFileError(f"a zip archive of {len(files)} files; it needs exactly one. None was read")
    if files[0].flag_bits & 1:
        raise UnreadableFileError("the file in the zip archive has a password; none of it was read")
    return files[0].filename, _content(opened, files[0])


def _is_extra(entry: zipfile.ZipInfo) -> bool:
    folder, _, name = entry.filename.rpartition("/")
    return entry.is_dir() or name.startswith(".") or folder.split("/")[0] == "__MACOSX"


def _content(opened: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with opened.open(entry) as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, zlib.error) as error:
        raise UnreadableFileError(DAMAGED) from error
