"""Bytecode in a zip is that of the runtime's Python, and the same whichever process compiles it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ops.packaging.archive import Bytecode, open_zip, write_entries
from ops.packaging.bytecode import compile_with, compiled
from ops.packaging.pythons import FUNCTION_VERSION, find_python, running_version


def test_another_process_compiles_to_the_same_bytes(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text("answer = 6 * 7\n")
    bad.write_text("answer =\n")

    found = compile_with(Path(sys.executable), [(good, "stage/good.py"), (bad, "stage/bad.py")])

    assert found == [compiled(good.read_bytes(), "stage/good.py"), None]
    assert found[0] is not None
    assert found[0].startswith(importlib.util.MAGIC_NUMBER)


def test_the_name_of_bytecode_is_the_one_that_python_looks_for() -> None:
    bytecode = Bytecode(Path(sys.executable), running_version())

    for path in ("stage/handler.py", "six.py"):
        assert bytecode.name(path) == importlib.util.cache_from_source(path, optimization="")


def test_a_module_in_a_zip_is_loaded_from_its_bytecode(tmp_path: Path) -> None:
    python = find_python(FUNCTION_VERSION)
    if python is None:
        pytest.skip(f"this machine has no Python {FUNCTION_VERSION}")
    source = tmp_path / "module.py"
    source.write_text("answer = 42\n")
    with open_zip(tmp_path / "a.zip") as archive:
        write_entries(archive, [(source, "module.py")], bytecode=Bytecode(python, FUNCTION_VERSION))
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        archive.extractall(tmp_path / "out")
    (tmp_path / "out/module.py").write_text("answer = 'compiled again'\n")  # an unchecked hash: nobody looks

    shown = subprocess.run(
        [str(python), "-c", "import module; print(module.answer)"],
        cwd=tmp_path / "out",
        capture_output=True,
        text=True,
        check=True,
    )

    assert shown.stdout == "42\n"


def test_bytecode_alone_is_imported_from_where_the_source_would_be(tmp_path: Path) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    package = tmp_path / "thing"
    package.mkdir()
    (package / "__init__.py").write_text("from thing.part import FIGURE\n")
    (package / "part.py").write_text("FIGURE = 42\n")
    (package / "data.json").write_text("{}")
    with open_zip(tmp_path / "thing.zip") as archive:
        entries = [(file, f"thing/{file.name}") for file in sorted(package.iterdir())]
        bytecode = Bytecode(Path(sys.executable), version)
        write_entries(archive, entries, bytecode=bytecode, keep_sources=False)
        names = archive.namelist()
        archive.extractall(tmp_path / "task")

    run = subprocess.run(
        [sys.executable, "-c", "import thing; print(thing.FIGURE, thing.__file__)"],
        env={"PYTHONPATH": str(tmp_path / "task")},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert names == ["thing/__init__.pyc", "thing/data.json", "thing/part.pyc"]
    assert run.stdout.split() == ["42", str(tmp_path / "task" / "thing" / "__init__.pyc")]
