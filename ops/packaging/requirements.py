"""Hash-locked requirements: installed into a folder for a zip, or fetched as wheels; and whether their code runs in AWS.

Only wheels are taken, and only those whose hash the lock file has.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from ops.errors import BuildError
from ops.packaging.pythons import local_runtime

if TYPE_CHECKING:
    from collections.abc import Sequence

Arch = Literal["host", "x86_64", "arm64"]
"""A processor architecture. ``host`` is this machine's, with the local runtime's Python version, for the local stack."""

PLATFORMS: Final[dict[str, str]] = {"x86_64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}
"""uv's name of the platform whose wheels are installed for AWS. `check_symbols` compares what they need with the runtime."""

SYMBOL_LIMITS: Final[dict[str, dict[str, tuple[int, ...]]]] = {
    # Amazon Linux 2 (the python3.11 runtime): glibc 2.26, GCC 7.3. Amazon Linux 2023 (from python3.12): glibc 2.34, GCC 11.
    "3.11": {"GLIBC": (2, 26), "GLIBCXX": (3, 4, 24)},
    "3.12": {"GLIBC": (2, 34), "GLIBCXX": (3, 4, 29)},
    "3.13": {"GLIBC": (2, 34), "GLIBCXX": (3, 4, 29)},
}
"""By Python version: the newest symbol versions of the runtime's C and C++ libraries. A wheel's tag may say 2.28 although its
code needs only 2.17."""


def install(requirements: Path, target: Path, *, arch: Arch, python: str) -> None:
    """Install what a lock file lists.

    Parameters
    ----------
    requirements : Path
        Lock file, every line with its hashes. Nothing happens if it lists nothing.
    target : Path
        An empty folder.
    arch : {"host", "x86_64", "arm64"}
        Whose binary wheels to take.
    python : str
        Python version, such as ``3.11``.

    Raises
    ------
    BuildError
        With uv's message.
    """
    if not any(re.match(r"\s*[^#\s]", line) for line in requirements.read_text().splitlines()):
        return
    command = [_uv(), "pip", "install", "--quiet", "--require-hashes", "--no-deps", "--target", str(target)]
    command += ["--python", str(local_runtime()[0]), "--only-binary", ":all:"]
    if arch != "host":
        command += ["--python-platform", PLATFORMS[arch], "--python-version", python]
    _run([*command, "-r", str(requirements)], f"requirements for {arch}, Python {python}")


def fetch_wheels(requirements: Path, target: Path, *, platforms: Sequence[str], python: str) -> None:
    """Fetch what a lock file lists, as files.

    Parameters
    ----------
    requirements : Path
        Lock file, every line with its hashes.
    target : Path
        An empty folder.
    platforms : sequence of str
        Wheel tags, such as ``manylinux_2_28_x86_64``; pip accepts only those that are named.
    python : str
        Python version, such as ``3.11``.

    Raises
    ------
    BuildError
        With pip's message.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--dest", str(target)]
    command += ["--implementation", "cp", "--python-version", python]
    for platform in platforms:
        command += ["--platform", platform]
    _run([*command, "-r", str(requirements)], f"{requirements.parent.name}/{requirements.name}")


def check_symbols(installed: Path, python: str) -> None:
    """Check that the C and C++ libraries of a Lambda runtime have every symbol version that installed libraries need.

    Parameters
    ----------
    installed : Path
        Folder of installed packages.
    python : str
        Python version of the runtime.

    Raises
    ------
    BuildError
        For an unknown runtime, or naming the library and the symbol version.
    """
    limits = SYMBOL_LIMITS.get(python)
    if limits is None:
        raise BuildError(f"function.yaml: runtime: python{python} is not one of {', '.join(SYMBOL_LIMITS)}")
    for library in sorted(installed.rglob("*.so*")):
        for prefix, dotted in re.findall(rb"\b(GLIBC|GLIBCXX)_(\d+(?:\.\d+)+)\b", library.read_bytes()):
            limit = limits[prefix.decode()]
            if tuple(int(part) for part in dotted.split(b".")) > limit:
                has = ".".join(str(part) for part in limit)
                raise BuildError(
                    f"{library.relative_to(installed)} needs {prefix.decode()}_{dotted.decode()}; "
                    f"the python{python} runtime has {has}"
                )


def _run(command: list[str], what: str) -> None:
    # The lock file is the command's only input.
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{what}: {done.stderr.strip()}")


def _uv() -> str:
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise BuildError("uv is not installed beside this interpreter; `make setup` installs it")
    return found
