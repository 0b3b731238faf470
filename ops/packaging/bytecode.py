"""Compile Python files for a zip. It runs in the Python whose version the code is for, which need not be the one that builds.

``python3.13 ops/packaging/bytecode.py`` reads paths of files from standard input, one a line, and writes each one's ``.pyc``, after its length
in eight bytes. It needs nothing but the standard library.
"""

from __future__ import annotations

import importlib.util
import marshal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LENGTH_BYTES = 8


def compiled(source: bytes, path: str) -> bytes | None:
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


def compile_with(python: Path, sources: Sequence[tuple[Path, str]]) -> list[bytes | None]:
    """Compile files with another Python.

    Parameters
    ----------
    python : Path
        The interpreter.
    sources : sequence of (Path, str)
        Each file, and the path that its code shows in a traceback.

    Returns
    -------
    list of bytes or None
        As long as `sources`, in their order; `compiled` of each.
    """
    lines = "".join(f"{file}\t{path}\n" for file, path in sources)
    done = subprocess.run(
        [str(python), "-I", "-W", "ignore", str(Path(__file__))],
        input=lines.encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    results: list[bytes | None] = []
    at = 0
    for _ in sources:
        length = int.from_bytes(done.stdout[at : at + LENGTH_BYTES], "big")
        at += LENGTH_BYTES
        results.append(done.stdout[at : at + length] or None)
        at += length
    return results


def main() -> None:
    """Compile the files that standard input names."""
    for line in sys.stdin.read().splitlines():
        file, path = line.split("\t")
        body = compiled(Path(file).read_bytes(), path) or b""
        sys.stdout.buffer.write(len(body).to_bytes(LENGTH_BYTES, "big") + body)


if __name__ == "__main__":
    main()
