"""Unpack a function's zip once for each content, as Lambda does into ``/var/task``."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import zipfile
from pathlib import Path


def unpack(package: Path, into: Path) -> Path:
    """Unpack a zip.

    Parameters
    ----------
    package : Path
        ``<name>.zip``.
    into : Path
        Folder of all unpacked packages.

    Returns
    -------
    Path
        ``<into>/<name>-<first 12 hex digits of the zip's SHA-256>``. If it exists, nothing is unpacked, so that several
        processes may call this at once.
    """
    digest = hashlib.sha256(package.read_bytes()).hexdigest()[:12]
    target = into / f"{package.stem}-{digest}"
    if target.is_dir():
        return target
    into.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=into, prefix=f".{target.name}."))
    try:
        with zipfile.ZipFile(package) as archive:
            archive.extractall(temporary)
        temporary.chmod(0o755)
        try:
            os.rename(temporary, target)
        except OSError:
            if not target.is_dir():  # else another process was first, with the same content
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return target
