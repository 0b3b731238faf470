"""Which Python runs the functions: in AWS, on this machine, and where this machine has the one of AWS.

``python -m ops.packaging.pythons`` prints the path of the Python for the local runtime. If this machine has none of the functions'
version, that is the one that runs this, and a sentence on standard error says so; with ``--required`` it exits 1. It needs nothing but the
standard library, because make runs it before anything is installed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

FUNCTION_VERSION: Final = "3.13"
"""Python version of every `function.yaml`'s runtime; a test says so."""

LOCAL_RUNTIME: Final = Path(__file__).resolve().parents[2] / ".venv-lambda"
"""Environment in which the functions run on this machine."""


def running_version() -> str:
    """Python version of this interpreter, such as ``3.11``."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def find_python(version: str) -> Path | None:
    """Find an interpreter of a version; None if this machine has none.

    Parameters
    ----------
    version : str
        Such as ``3.13``.
    """
    if version == running_version():
        return Path(sys.executable)
    return next((python for python in _candidates(version) if _version_of(python) == version), None)


def local_runtime() -> tuple[Path, str]:
    """Interpreter and version of the local runtime; this interpreter's before it is set up."""
    settings = LOCAL_RUNTIME / "pyvenv.cfg"
    if settings.is_file():
        found = re.search(r"^version(?:_info)? *= *(\d+\.\d+)", settings.read_text(), re.MULTILINE)
        if found is not None:
            return LOCAL_RUNTIME / "bin" / "python", found[1]
    return Path(sys.executable), running_version()


def _candidates(version: str) -> Iterator[Path]:
    if on_path := shutil.which(f"python{version}"):
        yield Path(on_path)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob(f"versions/{version}*/bin/python{version}"))
    yield from (Path(folder) / f"python{version}" for folder in ("/usr/bin", "/usr/local/bin"))


def _version_of(python: Path) -> str | None:
    """Version of an interpreter; None if it does not start. One on the path may only be a launcher of an interpreter that is missing."""
    program = "import sys; print(f'{sys.version_info.major}.{sys.version_info.minor}')"
    try:
        shown = subprocess.run([str(python), "-I", "-c", program], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return shown.stdout.strip()


def main() -> int:
    """Print the Python for the local runtime."""
    found = find_python(FUNCTION_VERSION)
    if found is None:
        print(
            f"No Python {FUNCTION_VERSION} was found, which runs the functions in AWS; here they run on {running_version()}.",
            file=sys.stderr,
        )
        if "--required" in sys.argv[1:]:
            return 1
    print(found or sys.executable)
    return 0


if __name__ == "__main__":
    sys.exit(main())
