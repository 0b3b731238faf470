"""Modules that a zip has as machine code: which, and that Python imports them, or their sources where nothing was compiled."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ops.errors import BuildError
from ops.manifests import read_function
from ops.packaging import native
from ops.packaging.functions import build_zip
from ops.packaging.native import compiled_modules, modules_to_compile
from ops.packaging.pythons import local_runtime

FUNCTION_YAML = """
description: test
handler: stage.handler.handler
packages: [engine, stage]
compile: [%s]
runtime: python3.13
memory_mib: 256
timeout_seconds: 30
reserved_concurrency: 1
trigger: {type: invoke}
environment: {}
access: []
aws_services: []
"""
SUM = '''"""A sum."""

from __future__ import annotations


def added(numbers: list[int]) -> int:
    """Add up."""
    total = 0
    for number in numbers:
        total += number
    return total
'''
RECORD = '''"""A record."""

from __future__ import annotations

import msgspec


class Record(msgspec.Struct, frozen=True):
    """A record."""

    value: int
'''


@pytest.fixture
def functions_dir(tmp_path: Path) -> Path:
    """A function with a module that can be compiled, and one that cannot."""
    root = tmp_path / "functions"
    for name in ("engine", "engine/parts", "stage"):
        (root / name).mkdir(parents=True)
        (root / name / "__init__.py").write_text(f'"""{name}."""\n')
    (root / "engine" / "parts" / "sums.py").write_text(SUM)
    (root / "engine" / "parts" / "record.py").write_text(RECORD)
    (root / "stage" / "requirements.txt").write_text("# nothing\n")
    _compile(root, "engine.parts")
    return root


def _compile(functions_dir: Path, *names: str) -> None:
    (functions_dir / "stage" / "function.yaml").write_text(FUNCTION_YAML % ", ".join(names))


def _modules(functions_dir: Path) -> list[str]:
    return modules_to_compile(read_function("stage", functions_dir), functions_dir)


def _zip(functions_dir: Path, build: str) -> Path:
    return build_zip("stage", functions_dir=functions_dir, build_dir=functions_dir.parent / build)


needs_compiler = pytest.mark.skipif(
    shutil.which("cc") is None, reason="this machine has no C compiler; zips are built without one, too"
)


def test_of_a_package_the_modules_without_class_keywords_are_compiled(functions_dir: Path) -> None:
    assert _modules(functions_dir) == ["engine.parts.sums"]


def test_a_module_that_mypyc_would_change_is_refused_where_it_is_named(functions_dir: Path) -> None:
    _compile(functions_dir, "engine.parts.record")

    with pytest.raises(BuildError, match=r"compile: engine\.parts\.record has a class with keywords"):
        _modules(functions_dir)


@pytest.mark.parametrize("name", ["engine.absent", "contract.parts"])
def test_a_name_that_is_no_module_of_the_function_is_refused(functions_dir: Path, name: str) -> None:
    _compile(functions_dir, name)

    with pytest.raises(BuildError, match=rf"compile: {name} is no module"):
        _modules(functions_dir)


def test_a_function_that_names_nothing_needs_no_compiler(
    functions_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "find_python", lambda _: pytest.fail("a Python was looked for"))
    _compile(functions_dir)
    spec = read_function("stage", functions_dir)

    assert compiled_modules(spec, functions_dir, "arm64", "3.13", functions_dir.parent / "build") == []


def test_without_a_compiler_the_zip_has_sources_alone_and_a_line_says_so(
    functions_dir: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(native, "find_python", lambda _: None)
    native._say_once.cache_clear()

    with zipfile.ZipFile(_zip(functions_dir, "build")) as archive:
        names = archive.namelist()

    assert not [name for name in names if name.endswith(".so")]
    assert "engine/parts/sums.py" in names
    assert "Nothing is compiled for host" in capfd.readouterr().err


@needs_compiler
def test_a_compiled_module_is_imported_and_its_source_where_it_does_not_fit(functions_dir: Path) -> None:
    with zipfile.ZipFile(_zip(functions_dir, "build")) as archive:
        archive.extractall(functions_dir.parent / "task")
    program = "from engine.parts import sums; print(sums.added([1, 2, 3]), sums.__file__.endswith('.so'))"

    def shown() -> str:
        command = [str(local_runtime()[0]), "-c", program]
        done = subprocess.run(
            command, cwd=functions_dir.parent / "task", capture_output=True, text=True, check=True
        )
        return done.stdout

    compiled = shown()
    for file in (functions_dir.parent / "task").rglob("*.so"):
        file.rename(file.with_suffix(".of-another-python.so"))

    assert (compiled, shown()) == ("6 True\n", "6 False\n")


@needs_compiler
def test_two_builds_compile_to_the_same_bytes_whatever_the_hash_seed(functions_dir: Path) -> None:
    first = _zip(functions_dir, "one").read_bytes()
    program = (
        "import pathlib, sys; from ops.packaging.functions import build_zip;"
        "print(build_zip('stage', functions_dir=pathlib.Path(sys.argv[1]), build_dir=pathlib.Path(sys.argv[2])))"
    )
    command = [sys.executable, "-c", program, str(functions_dir), str(functions_dir.parent / "two")]
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "4711",
        "PYTHONPATH": str(Path(native.__file__).parents[2]),
    }

    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    assert Path(done.stdout.strip()).read_bytes() == first


@needs_compiler
def test_only_a_change_of_what_is_compiled_or_imported_compiles_again(functions_dir: Path) -> None:
    build = functions_dir.parent / "build"
    sums = functions_dir / "engine" / "parts" / "sums.py"
    sums.write_text(SUM.replace("annotations\n", "annotations\n\nfrom engine import limits\n", 1))
    counts = []

    for file in ("engine/limits.py", "stage/handler.py", "engine/parts/record.py", "engine/limits.py"):
        with (functions_dir / file).open("a") as source:
            source.write("LIMIT = 1\n")
        _zip(functions_dir, "build")
        counts.append(len(list((build / "native").iterdir())))

    assert counts == [1, 1, 1, 2]


@needs_compiler
def test_what_mypy_does_not_accept_fails_the_build(functions_dir: Path) -> None:
    (functions_dir / "engine" / "parts" / "sums.py").write_text(SUM.replace("total = 0", 'total = ""'))

    with pytest.raises(BuildError, match=r"stage: mypyc: engine/parts/sums\.py:10: error"):
        _zip(functions_dir, "build")
