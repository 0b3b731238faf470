"""Build the functions' deployment packages: ``build/functions/<arch>/<name>.zip``.

A zip holds the folders that `function.yaml` lists under `packages`, and what the function's hashed ``requirements.txt`` names,
nothing else. The same sources give the same bytes: entries in order, one timestamp, one mode, bytecode that does not depend on
the machine's clock. What a function is, `function.yaml` says; what AWS makes of the zip is Terraform's.

    python -m ops.build_zips [--arch host|x86_64|arm64] [name ...]

``host`` is for the local stack: this machine's architecture and this interpreter's version. Installed requirements are
kept under ``build/requirements/``, so that a change of sources costs about a second.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import marshal
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, get_args

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

Arch = Literal["host", "x86_64", "arm64"]

FUNCTIONS_DIR: Final = Path(__file__).resolve().parent.parent / "functions"
BUILD_DIR: Final = FUNCTIONS_DIR.parent / "build"

TIMESTAMP: Final = (1980, 1, 1, 0, 0, 0)
"""Modification time of every entry: the earliest that the zip format can say."""

MODE: Final = 0o100644
"""Type and permissions of every entry: a regular file that all may read."""

PLATFORMS: Final[dict[str, str]] = {"x86_64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}
"""Whose wheels are taken for AWS. `_check_symbols` holds what they need to what the runtime has."""

SYMBOL_LIMITS: Final[dict[str, dict[str, tuple[int, ...]]]] = {
    # Amazon Linux 2 (the python3.11 runtime): glibc 2.26, GCC 7.3. Amazon Linux 2023 (from python3.12): glibc 2.34, GCC 11.
    "3.11": {"GLIBC": (2, 26), "GLIBCXX": (3, 4, 24)},
    "3.12": {"GLIBC": (2, 34), "GLIBCXX": (3, 4, 29)},
    "3.13": {"GLIBC": (2, 34), "GLIBCXX": (3, 4, 29)},
}
"""The newest symbol versions of each runtime's C and C++ libraries. A wheel's tag may say 2.28 and its code need 2.17."""

BOTOCORE_ALWAYS: Final = frozenset(
    {"_retry.json", "endpoints.json", "partitions.json", "sdk-default-configuration.json"}
)
"""What botocore reads whatever service is used."""

SERVICES_OF_PACKAGES: Final[dict[str, str]] = {"aws_xray_sdk": "xray"}
"""Services that an installed package makes a client of by itself, when it is imported, whatever the function does."""

OWN_METADATA: Final = frozenset({"function.yaml", "requirements.in", "requirements.txt"})
"""Files of a function's folder that say how it is built and run; the code never reads them."""

KEPT_METADATA: Final = frozenset({"METADATA", "entry_points.txt"})
"""What `importlib.metadata` is asked for. The rest of a ``.dist-info`` names paths, installers and dates."""


class BuildError(Exception):
    """A function that cannot be built; names it and says why."""


class BuildSpec(msgspec.Struct, frozen=True):
    """The part of a `function.yaml` that decides what goes into the zip."""

    runtime: str
    aws_services: list[str]
    packages: list[str]
    """Folders below ``functions/`` whose code the zip carries, the function's own among them."""


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
        ``<build_dir>/functions/<arch>/<name>.zip``, complete: it is renamed into place, so that two builds at a time and a
        reader meanwhile do no harm.

    Raises
    ------
    BuildError
        Naming the function, and the requirement, service or library at fault.
    """
    spec = _read_spec(name, functions_dir)
    python = _python_version(spec, arch)
    layer = _requirements_layer(name, spec, arch, python, functions_dir, build_dir)
    target = build_dir / "functions" / arch / f"{name}.zip"
    for package in spec.packages:
        if not (functions_dir / package / "__init__.py").is_file():
            raise BuildError(f"{name}: function.yaml: packages: functions/{package} is no Python package")
    sources = [
        entry for package in spec.packages for entry in _own_files(functions_dir / package, functions_dir)
    ]
    with _replacing(target) as temporary:
        shutil.copyfile(layer, temporary)
        with zipfile.ZipFile(temporary, "a", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            _write_entries(archive, sources, with_bytecode=python == _running_version())
    return target


def function_names(functions_dir: Path = FUNCTIONS_DIR) -> list[str]:
    """Every function's name, in order: the folders that hold a `function.yaml`."""
    return sorted(file.parent.name for file in functions_dir.glob("*/function.yaml"))


def _read_spec(name: str, functions_dir: Path) -> BuildSpec:
    file = functions_dir / name / "function.yaml"
    try:
        return msgspec.yaml.decode(file.read_bytes(), type=BuildSpec)
    except FileNotFoundError as error:
        known = ", ".join(function_names(functions_dir))
        raise BuildError(f"{name}: no such function; there are {known}") from error
    except msgspec.MsgspecError as error:
        raise BuildError(f"{name}: function.yaml: {error}") from error


def _python_version(spec: BuildSpec, arch: Arch) -> str:
    return _running_version() if arch == "host" else spec.runtime.removeprefix("python")


def _running_version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _requirements_layer(
    name: str, spec: BuildSpec, arch: Arch, python: str, functions_dir: Path, build_dir: Path
) -> Path:
    """Give the zip of a function's requirements, made once for each set of what decides its content."""
    requirements = functions_dir / name / "requirements.txt"
    decides = [
        requirements.read_bytes(),
        arch.encode(),
        python.encode(),
        ",".join(sorted(spec.aws_services)).encode(),
        Path(__file__).read_bytes(),
    ]
    key = hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in decides)).hexdigest()[:16]
    layer = build_dir / "requirements" / f"{arch}-{python}-{key}.zip"
    if layer.exists():
        return layer
    with tempfile.TemporaryDirectory() as folder:
        installed = Path(folder)
        _install(name, requirements, arch, python, installed)
        _check_services(name, spec, installed)
        if arch != "host":
            _check_symbols(name, python, installed)
        services = {*spec.aws_services}
        services |= {used for package, used in SERVICES_OF_PACKAGES.items() if (installed / package).is_dir()}
        files = [
            (file, path)
            for file, path in _walk(installed, installed)
            if not _is_dropped(path) and not _is_other_service(path, services)
        ]
        with (
            _replacing(layer) as temporary,
            zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive,
        ):
            _write_entries(archive, files, with_bytecode=python == _running_version())
    return layer


def _install(name: str, requirements: Path, arch: Arch, python: str, target: Path) -> None:
    if not any(re.match(r"\s*[^#\s]", line) for line in requirements.read_text().splitlines()):
        return
    command = [_uv(), "pip", "install", "--quiet", "--require-hashes", "--no-deps", "--target", str(target)]
    command += ["--python", sys.executable, "--only-binary", ":all:"]
    if arch != "host":
        command += ["--python-platform", PLATFORMS[arch], "--python-version", python]
    # The pinned, hashed list is the command's whole input.
    done = subprocess.run([*command, "-r", str(requirements)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{name}: requirements for {arch}, Python {python}: {done.stderr.strip()}")


def _uv() -> str:
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise BuildError("uv is not installed beside this interpreter; `make setup` does that")
    return found


def _check_services(name: str, spec: BuildSpec, installed: Path) -> None:
    data = installed / "botocore" / "data"
    for service in spec.aws_services:
        if not (data / service).is_dir():
            raise BuildError(f"{name}: function.yaml: aws_services: botocore has no service {service!r}")


def _check_symbols(name: str, python: str, installed: Path) -> None:
    limits = SYMBOL_LIMITS.get(python)
    if limits is None:
        raise BuildError(
            f"{name}: function.yaml: runtime: python{python} is not one of {', '.join(SYMBOL_LIMITS)}"
        )
    for library in sorted(installed.rglob("*.so*")):
        for prefix, dotted in re.findall(rb"\b(GLIBC|GLIBCXX)_(\d+(?:\.\d+)+)\b", library.read_bytes()):
            limit = limits[prefix.decode()]
            if tuple(int(part) for part in dotted.split(b".")) > limit:
                has = ".".join(str(part) for part in limit)
                raise BuildError(
                    f"{name}: {library.relative_to(installed)} needs {prefix.decode()}_{dotted.decode()}; "
                    f"the python{python} runtime has {has}"
                )


def _own_files(folder: Path, root: Path) -> Iterator[tuple[Path, str]]:
    return ((file, path) for file, path in _walk(folder, root) if file.name not in OWN_METADATA)


def _walk(folder: Path, root: Path) -> Iterator[tuple[Path, str]]:
    """Files below ``folder`` with their names in the zip, sorted; no bytecode, nothing hidden."""
    for file in sorted(folder.rglob("*")):
        path = file.relative_to(root)
        if file.is_file() and not any(part == "__pycache__" or part.startswith(".") for part in path.parts):
            yield file, path.as_posix()


def _is_dropped(path: str) -> bool:
    """Whether an installed file is of no use at run time."""
    top, *rest = path.split("/")
    if top == "bin" or top.endswith("-stubs") or path.endswith((".pyi", "/py.typed", ".pyc")):
        return True
    if top.endswith(".dist-info"):
        return rest[0] not in KEPT_METADATA
    return any(part in {"test", "tests"} for part in rest[:-1]) or path.startswith("boto3/examples/")


def _is_other_service(path: str, services: Collection[str]) -> bool:
    """Whether a file is a model of an AWS service that the function does not use, or only for people."""
    package, *rest = path.split("/")
    if package not in {"boto3", "botocore"} or not rest or rest[0] != "data" or len(rest) < 2:
        return False
    if len(rest) == 2:
        return rest[1] not in BOTOCORE_ALWAYS
    return rest[1] not in services or rest[-1].startswith("examples-")


def _write_entries(
    archive: zipfile.ZipFile, files: Iterable[tuple[Path, str]], *, with_bytecode: bool
) -> None:
    for file, path in files:
        data = file.read_bytes()
        _write_entry(archive, path, data)
        if with_bytecode and path.endswith(".py"):
            bytecode = _compiled(data, path)
            if bytecode is not None:
                _write_entry(archive, importlib.util.cache_from_source(path, optimization=""), bytecode)


def _write_entry(archive: zipfile.ZipFile, path: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(path, TIMESTAMP)
    entry.create_system = 3  # Unix, or the mode below means nothing
    entry.external_attr = MODE << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, data)


def _compiled(source: bytes, path: str) -> bytes | None:
    """Compile to a ``.pyc`` that is taken without a look at the source: PEP 552's unchecked hash.

    `py_compile` can write those too, but its bytes depend on what else the process holds: marshal's later formats mark the
    objects that have other references. Format 2 has no such marks. None where the source is no Python for this version, or
    has a constant that format 2 cannot hold; Python then compiles it on import.
    """
    try:
        code = compile(source, path, "exec", dont_inherit=True, optimize=0)
        body = marshal.dumps(code, 2)
    except (SyntaxError, ValueError):
        return None
    unchecked_hash = (0b01).to_bytes(4, "little")
    return importlib.util.MAGIC_NUMBER + unchecked_hash + importlib.util.source_hash(source) + body


class _replacing:  # noqa: N801 - reads as the verb it is
    """A temporary file beside ``target`` that takes its place when the block ends well, and goes away when not."""

    def __init__(self, target: Path) -> None:
        self._target = target

    def __enter__(self) -> Path:
        self._target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._target.parent, prefix=f".{self._target.name}.")
        os.close(handle)
        self._temporary = Path(name)
        return self._temporary

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._temporary.chmod(0o644)
            self._temporary.replace(self._target)
        else:
            self._temporary.unlink()


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the functions that the command line names; all without names. 1 where one cannot be built."""
    parser = argparse.ArgumentParser(description="Build the functions' deployment packages.")
    parser.add_argument("--arch", choices=get_args(Arch), default="host")
    parser.add_argument("names", nargs="*", metavar="name", help="functions to build; all of them by default")
    options = parser.parse_args(arguments)
    try:
        for name in options.names or function_names():
            target = build_zip(name, options.arch)
            digest = hashlib.sha256(target.read_bytes()).hexdigest()
            size_mib = target.stat().st_size / 2**20
            sys.stdout.write(
                f"{target.relative_to(BUILD_DIR.parent)}  {size_mib:.1f} MiB  sha256 {digest[:16]}\n"
            )
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
