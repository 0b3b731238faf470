"""Build a function's zip: ``build/functions/<arch>/<name>.zip``.

A zip holds the folders that `function.yaml` lists under `packages`, the files under `files` and `npm_files`, and what the function's hashed ``requirements.txt`` lists,
nothing else. Installed requirements are kept as a zip under ``build/requirements/``, so a build after a change of sources
takes about a second.
"""

from __future__ import annotations

import functools
import hashlib
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ops.errors import BuildError
from ops.manifests import FUNCTIONS_DIR, ROOT, SpecError, read_function
from ops.packaging.archive import Bytecode, open_zip, replacing, walk, write_entries
from ops.packaging.native import compiled_modules
from ops.packaging.npm import LOCKED, npm_sources
from ops.packaging.pruning import is_below, kept_files
from ops.packaging.pythons import find_python, local_runtime
from ops.packaging.requirements import check_symbols, install

if TYPE_CHECKING:
    from ops.manifests import FunctionSpec
    from ops.packaging.archive import Source
    from ops.packaging.requirements import Arch

BUILD_DIR: Final = ROOT / "build"

OWN_METADATA: Final = frozenset(
    {"function.yaml", "requirements.in", "requirements.txt", "access.yaml", *LOCKED}
)
"""Files of a function's folder that say how it is built and run; its code never reads them."""


def build_zip(
    name: str, arch: Arch = "host", *, functions_dir: Path = FUNCTIONS_DIR, build_dir: Path = BUILD_DIR
) -> Path:
    """Build one function.

    Parameters
    ----------
    name : str
        The function's folder below ``functions_dir``.
    arch : {"host", "x86_64", "arm64"}
        Whose binary wheels to take.
    functions_dir, build_dir : Path
        Where sources are read and the zip is written.

    Returns
    -------
    Path
        ``<build_dir>/functions/<arch>/<name>.zip``, complete: it is renamed into place, so two builds at the same time, and a
        reader meanwhile, do no harm.

    Raises
    ------
    BuildError
        Naming the function, and the requirement, service or library at fault, or the zip's size where it is too large.
    """
    try:
        spec = read_function(name, functions_dir)
    except SpecError as error:
        raise BuildError(str(error)) from error
    python = local_runtime()[1] if arch == "host" else spec.runtime.removeprefix("python")
    target = build_dir / "functions" / arch / f"{name}.zip"
    try:
        bytecode = _bytecode(python)
        layer = _requirements_layer(spec, arch, python, bytecode, functions_dir, build_dir)
        sources = _sources(spec, functions_dir)
        sources += npm_sources(functions_dir / name, spec.npm_files, build_dir)
        sources += compiled_modules(spec, functions_dir, arch, python, build_dir)
    except BuildError as error:
        raise BuildError(f"{name}: {error}") from error
    with replacing(target) as temporary:
        shutil.copyfile(layer, temporary)
        with open_zip(temporary, "a") as archive:
            write_entries(archive, sources, bytecode=bytecode, keep_sources=spec.keep_sources)
        size = temporary.stat().st_size
        if spec.max_zip_bytes is not None and size > spec.max_zip_bytes:
            raise BuildError(
                f"{name}: the zip has {size:,} bytes; function.yaml: max_zip_bytes allows {spec.max_zip_bytes:,}"
            )
    return target


def _sources(spec: FunctionSpec, functions_dir: Path) -> list[Source]:
    sources: list[Source] = []
    for part in own_parts(spec):
        if not (functions_dir / part).exists():
            raise BuildError(f"function.yaml: leave_out: {part} is no part of functions/")
    for package in spec.packages:
        folder = functions_dir / package
        if not (folder / "__init__.py").is_file():
            raise BuildError(f"function.yaml: packages: functions/{package} is no Python package")
        sources += [
            (file, path)
            for file, path in walk(folder, functions_dir)
            if file.name not in OWN_METADATA and not is_below(path, spec.leave_out)
        ]
    for path in spec.files:
        file = ROOT / path
        if not file.is_file():
            raise BuildError(f"function.yaml: files: {path} is no file of the checkout")
        sources.append((file, path))
    return sources


def own_parts(spec: FunctionSpec) -> list[str]:
    """What a function leaves out of our own packages."""
    return [part for part in spec.leave_out if part.partition("/")[0] in spec.packages]


@functools.cache
def _bytecode(version: str) -> Bytecode | None:
    """The compiler for a version; without one, zips have no bytecode, and a sentence says so once."""
    python = find_python(version)
    if python is None:
        print(
            f"No Python {version} was found: the zips have no bytecode. A cold start is slower, and a plan made elsewhere shows other code.",
            file=sys.stderr,
        )
        return None
    return Bytecode(python, version)


def _requirements_layer(
    spec: FunctionSpec,
    arch: Arch,
    python: str,
    bytecode: Bytecode | None,
    functions_dir: Path,
    build_dir: Path,
) -> Path:
    """Give the zip of a function's requirements; made once for each combination of what decides its content."""
    requirements = functions_dir / spec.name / "requirements.txt"
    decides = [
        requirements.read_bytes(),
        arch.encode(),
        python.encode(),
        b"bytecode" if bytecode else b"sources",
        ",".join(sorted(spec.aws_services)).encode(),
        ",".join(sorted(spec.leave_out)).encode(),
        str(spec.keep_sources).encode(),
        *(file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.py"))),
    ]
    key = hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in decides)).hexdigest()[:16]
    layer = build_dir / "requirements" / f"{arch}-{python}-{key}.zip"
    if layer.exists():
        return layer
    with tempfile.TemporaryDirectory() as folder:
        installed = Path(folder)
        install(requirements, installed, arch=arch, python=python)
        files = list(kept_files(installed, spec.aws_services, {*spec.leave_out} - {*own_parts(spec)}))
        if arch != "host":
            check_symbols(installed, python)
        with replacing(layer) as temporary, open_zip(temporary) as archive:
            write_entries(archive, files, bytecode=bytecode, keep_sources=spec.keep_sources)
    return layer
