"""Zips whose bytes depend only on the files in them: entries in order, one time, one mode, bytecode without a date."""

from __future__ import annotations

import importlib.util
import marshal
import os
import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TIMESTAMP: Final = (1980, 1, 1, 0, 0, 0)
"""Modification time of every entry: the earliest that the zip format has."""

MODE: Final = 0o100644
"""Type and permissions of every entry: a regular file that all may read."""

COMPRESSION_LEVEL: Final = 6
"""Of zlib, 1 to 9."""

UNIX: Final = 3
"""Creating system of every entry; for any other one `MODE` has no meaning."""

Source = tuple[Path, str]
"""A file, and its path in the zip."""


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a temporary file beside ``target`` that replaces it if the block succeeds, and is deleted if not.

    The file is renamed into place. So readers and other writers of ``target`` always find a complete file.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
    except BaseException:
        temporary.unlink()
        raise
    temporary.chmod(0o644)
    temporary.replace(target)


@contextmanager
def open_zip(file: Path, mode: Literal["w", "a"] = "w") -> Iterator[zipfile.ZipFile]:
    """Open a zip for writing (``w``) or for more entries (``a``)."""
    with zipfile.ZipFile(file, mode, zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION_LEVEL) as archive:
        yield archive


def walk(folder: Path, root: Path) -> Iterator[Source]:
    """Files below ``folder`` with their paths from ``root``, sorted; no bytecode, nothing hidden."""
    for file in sorted(folder.rglob("*")):
        path = file.relative_to(root)
        if file.is_file() and not any(part == "__pycache__" or part.startswith(".") for part in path.parts):
            yield file, path.as_posix()


def write_entries(archive: zipfile.ZipFile, sources: Iterable[Source], *, with_bytecode: bool) -> None:
    """Write files into a zip.

    Parameters
    ----------
    archive : ZipFile
        Open for writing.
    sources : iterable of (Path, str)
        In the order of the entries.
    with_bytecode : bool
        Whether each Python file is followed by its ``.pyc``, for the Python version that runs this.
    """
    for file, path in sources:
        data = file.read_bytes()
        _write_entry(archive, path, data)
        if with_bytecode and path.endswith(".py"):
            bytecode = _compiled(data, path)
            if bytecode is not None:
                _write_entry(archive, importlib.util.cache_from_source(path, optimization=""), bytecode)


def _write_entry(archive: zipfile.ZipFile, path: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(path, TIMESTAMP)
    entry.create_system = UNIX
    entry.external_attr = MODE << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, data)


def _compiled(source: bytes, path: str) -> bytes | None:
    """Compile to a ``.pyc`` that Python uses without checking the source: PEP 552's unchecked hash.

    `py_compile` writes those too, but its bytes depend on the other objects of the process: marshal's later formats mark
    objects that have other references. Format 2 has no such marks. None if the source is not valid for this Python version,
    or has a constant that format 2 cannot hold; Python then compiles it on import.
    """
    try:
        code = compile(source, path, "exec", dont_inherit=True, optimize=0)
        body = marshal.dumps(code, 2)
    except (SyntaxError, ValueError):
        return None
    unchecked_hash = (0b01).to_bytes(4, "little")
    return importlib.util.MAGIC_NUMBER + unchecked_hash + importlib.util.source_hash(source) + body
