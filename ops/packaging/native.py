"""Compile modules of a function to machine code, for its zip: `compile` in `function.yaml`.

Each compiled module is beside its source in the zip. Python imports it where its name fits the interpreter and the processor, else the source;
both mean the same. Where this machine has no C compiler for an architecture, or no headers of the functions' Python, a zip has sources alone,
and a line says so.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ops.errors import BuildError
from ops.packaging.archive import walk
from ops.packaging.pythons import find_python
from ops.packaging.requirements import check_symbols

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ops.manifests import FunctionSpec
    from ops.packaging.archive import Source
    from ops.packaging.requirements import Arch

TARGETS: Final[dict[str, str]] = {"x86_64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
"""An architecture's name in compilers and in the names of extension modules."""

GLIBC: Final = "2.34"
"""C library of the functions' runtime, Amazon Linux 2023."""

_FLAGS: Final = ("-O2", "-g0", "-fPIC", "-shared", "-s", "-DNDEBUG", "-w", "-Wl,--build-id=none")
"""No date, path or random id gets into what they make."""
_TRANSLATION: Final = Path(__file__).with_name("translation.py")


class _MissingToolError(Exception):
    """Something that compiling needs is not on this machine; says what."""


def compiled_modules(
    spec: FunctionSpec, functions_dir: Path, arch: Arch, python: str, build_dir: Path
) -> list[Source]:
    """Compile what a function names under `compile`.

    Parameters
    ----------
    spec : FunctionSpec
        The function.
    functions_dir, build_dir : Path
        Where sources are read, and compiled modules are kept: they are compiled anew when a source, the compiler or mypy changes.
    arch : {"host", "x86_64", "arm64"}
        For which processor.
    python : str
        For which Python, such as ``3.13``.

    Returns
    -------
    list[Source]
        The modules with their paths in the zip, and the library that they share. Empty where this machine cannot compile, which a line
        says once.

    Raises
    ------
    BuildError
        For a name that is no module, or that cannot be compiled; or with the message of mypy or of the C compiler.
    """
    modules = modules_to_compile(spec, functions_dir)
    if not modules:
        return []
    try:
        tools = _toolchain(arch, python)
    except _MissingToolError as missing:
        _say_once(
            f"Nothing is compiled for {arch}, Python {python}: {missing}. The zips have Python alone, and are slower."
        )
        return []
    inputs = [repr((spec.name, modules, tools.compiler, tools.suffix, tools.versions)).encode()]
    inputs += [file.read_bytes() for file in _with_imports(modules, functions_dir)]
    inputs += [file.read_bytes() for file in (Path(__file__), _TRANSLATION)]
    key = hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in inputs)).hexdigest()[:16]
    folder = build_dir / "native" / f"{arch}-{python}-{key}"
    if not folder.exists():
        _compile(spec.name, modules, functions_dir, folder, arch, python, tools)
    return list(walk(folder, folder))


def modules_to_compile(spec: FunctionSpec, functions_dir: Path) -> list[str]:
    """The modules that a function names under `compile`: itself, or all of a package that can be compiled.

    Raises
    ------
    BuildError
        For a name that is no module of the function's packages, and for a module that cannot be compiled.
    """
    modules = []
    for name in spec.compile:
        place = functions_dir / name.replace(".", "/")
        file = place.with_suffix(".py")
        if name.partition(".")[0] not in spec.packages or not (file.is_file() or place.is_dir()):
            raise BuildError(f"function.yaml: compile: {name} is no module of the function's packages")
        if file.is_file() and not is_compilable(file):
            raise BuildError(
                f"function.yaml: compile: {name} has a class with keywords, which mypyc would ignore"
            )
        files = [file] if file.is_file() else sorted(place.glob("*.py"))
        modules += [
            each.relative_to(functions_dir).with_suffix("").as_posix().replace("/", ".")
            for each in files
            if each.name != "__init__.py" and is_compilable(each)
        ]
    return modules


def _with_imports(modules: Sequence[str], functions_dir: Path) -> list[Path]:
    """The files of modules, and of all of ours that they import: mypy reads these."""
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        place = functions_dir / name.replace(".", "/")
        file = next(
            (each for each in (place.with_suffix(".py"), place / "__init__.py") if each.is_file()), None
        )
        if file is None or name in found:  # no module of ours, or a name in one
            continue
        found[name] = file
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                waiting += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [found[name] for name in sorted(found)]


def is_compilable(file: Path) -> bool:
    """Whether mypyc keeps what a module means. It ignores keywords of a class, such as ``frozen=True``."""
    return not any(
        isinstance(node, ast.ClassDef) and node.keywords for node in ast.walk(ast.parse(file.read_bytes()))
    )


@dataclass(frozen=True)
class _Toolchain:
    """What makes modules of one architecture and one Python."""

    compiler: tuple[str, ...]
    headers: Path
    """Folder of `Python.h`: of an interpreter on this machine. What depends on the processor is the same on both of Lambda's."""
    suffix: str
    """Ending of an extension module's file."""
    versions: str
    """Of everything that decides the bytes."""


def _toolchain(arch: Arch, python: str) -> _Toolchain:
    interpreter = find_python(python)
    if interpreter is None:
        raise _MissingToolError(f"no Python {python} was found")
    headers = _headers(interpreter)
    if importlib.util.find_spec("mypyc") is None:
        raise _MissingToolError("mypyc, a part of mypy, is not installed")
    machine = TARGETS.get(arch) or f"{os.uname().machine}-linux-gnu"
    if arch == "host" and (found := shutil.which("cc")):
        compiler, version = (found,), _output([found, "--version"])
    elif importlib.util.find_spec("ziglang") is not None:
        target = () if arch == "host" else ("-target", f"{machine}.{GLIBC}")
        compiler, version = (
            (sys.executable, "-m", "ziglang", "cc", *target),
            importlib.metadata.version("ziglang"),
        )
    else:
        raise _MissingToolError("the package ziglang, a C compiler, is not installed")
    versions = f"{version} mypy {importlib.metadata.version('mypy')}"
    return _Toolchain(compiler, headers, f".cpython-{python.replace('.', '')}-{machine}.so", versions)


def _headers(interpreter: Path) -> Path:
    folder = Path(
        _output(
            [str(interpreter), "-I", "-c", "import sysconfig; print(sysconfig.get_path('include'))"]
        ).strip()
    )
    if not (folder / "Python.h").is_file():
        raise _MissingToolError(f"{interpreter} has no C headers")
    return folder


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _compile(
    library: str,
    modules: list[str],
    functions_dir: Path,
    target: Path,
    arch: Arch,
    python: str,
    tools: _Toolchain,
) -> None:
    """Compile modules into a folder, which exists only when all of them are in it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
        sources, made = Path(temporary) / "c", Path(temporary) / "made"
        translate = [sys.executable, "-I", str(_TRANSLATION), str(sources), python, library, *modules]
        listed = _run(translate, functions_dir, "mypyc").splitlines()
        names = [f"{library}__mypyc", *(module.replace(".", "/") for module in modules)]
        include = ("-I", str(tools.headers), "-I", str(_runtime()), "-I", ".")
        for name, source in zip(names, listed[-len(names) :], strict=True):
            file = made / f"{name}{tools.suffix}"
            file.parent.mkdir(parents=True, exist_ok=True)
            _run([*tools.compiler, *_FLAGS, *include, source, "-o", str(file)], sources, "C compiler")
        if arch != "host":
            check_symbols(made, python)
        try:
            made.rename(target)
        except OSError:
            if not target.exists():  # no other build was quicker
                raise


def _runtime() -> Path:
    """Folder of mypyc's own C code."""
    spec = importlib.util.find_spec("mypyc")
    assert spec is not None  # noqa: S101 # asked before
    assert spec.submodule_search_locations  # noqa: S101 # it is a package
    return Path(spec.submodule_search_locations[0]) / "lib-rt"


def _run(command: list[str], folder: Path, what: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{what}: {(done.stdout + done.stderr).strip()[-2000:]}")
    return done.stdout


@functools.cache
def _say_once(sentence: str) -> None:
    print(sentence, file=sys.stderr)
