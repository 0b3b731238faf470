"""Zips whose bytes depend only on the files in them: entries in order, one time, one mode, bytecode without a date."""

from __future__ import annotations

import os
import tempfile
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from ops.packaging.bytecode import compile_with

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


@dataclass(frozen=True)
class Bytecode:
    """A Python that compiles for a zip."""

    python: Path
    version: str
    """Such as ``3.13``."""

    def name(self, path: str) -> str:
        """Where Python of this version looks for a module's bytecode."""
        folder, _, file = path.rpartition("/")
        tag = f"cpython-{self.version.replace('.', '')}"
        name = f"__pycache__/{file.removesuffix('.py')}.{tag}.pyc"
        return f"{folder}/{name}" if folder else name


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


def write_entries(
    archive: zipfile.ZipFile,
    sources: Iterable[Source],
    *,
    bytecode: Bytecode | None = None,
    keep_sources: bool = True,
) -> None:
    """Write files into a zip.

    Parameters
    ----------
    archive : ZipFile
        Open for writing.
    sources : iterable of (Path, str)
        In the order of the entries.
    bytecode : Bytecode or None
        The Python for which each Python file is followed by its ``.pyc``; None for no bytecode.
    keep_sources : bool
        False to put the ``.pyc`` in the place of each Python file that could be compiled. Without ``bytecode`` sources are kept.
    """
    entries = list(sources)
    compiled: dict[str, bytes | None] = {}
    if bytecode is not None:
        modules = [(file, path) for file, path in entries if path.endswith(".py")]
        bodies = compile_with(bytecode.python, modules) if modules else []
        compiled = {path: body for (_, path), body in zip(modules, bodies, strict=True)}
    for file, path in entries:
        body = compiled.get(path)
        if body is not None and not keep_sources:
            # Beside where the source would be, Python imports bytecode that has none.
            _write_entry(archive, f"{path}c", body)
            continue
        _write_entry(archive, path, file.read_bytes())
        if bytecode is not None and body is not None:
            _write_entry(archive, bytecode.name(path), body)


def _write_entry(archive: zipfile.ZipFile, path: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(path, TIMESTAMP)
    entry.create_system = UNIX
    entry.external_attr = MODE << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, data)
