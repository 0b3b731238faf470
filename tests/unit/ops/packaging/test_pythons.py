"""The functions' Python is one version, is found where a machine has it, and is named where it has not."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from ops.manifests import read_functions
from ops.packaging import pythons

if TYPE_CHECKING:
    from pathlib import Path

OTHER = "9.7"
"""A version that no machine has."""


def interpreter(file: Path, version: str, code: int = 0) -> Path:
    """A stand-in that says that it is of this version, or only fails."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\necho {version}\nexit {code}\n")
    file.chmod(0o755)
    return file


def test_every_function_runs_on_one_version() -> None:
    assert {spec.runtime for spec in read_functions().values()} == {f"python{pythons.FUNCTION_VERSION}"}


def test_a_launcher_without_its_interpreter_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interpreter(tmp_path / "shims" / f"python{OTHER}", OTHER, code=127)
    real = interpreter(tmp_path / "pyenv" / "versions" / f"{OTHER}.0" / "bin" / f"python{OTHER}", OTHER)
    monkeypatch.setenv("PATH", f"{tmp_path / 'shims'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))

    assert pythons.find_python(OTHER) == real


def test_a_python_of_another_version_under_that_name_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interpreter(tmp_path / f"python{OTHER}", "3.5")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))

    assert pythons.find_python(OTHER) is None


def test_the_machines_own_python_is_taken_and_named_if_there_is_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pythons, "FUNCTION_VERSION", OTHER)
    monkeypatch.setattr(sys, "argv", ["pythons"])

    assert pythons.main() == 0

    shown = capsys.readouterr()
    assert shown.out == f"{sys.executable}\n"
    assert shown.err == (
        f"No Python {OTHER} was found, which runs the functions in AWS; here they run on {pythons.running_version()}.\n"
    )


def test_what_needs_the_functions_python_is_left_out_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pythons, "FUNCTION_VERSION", OTHER)
    monkeypatch.setattr(sys, "argv", ["pythons", "--required"])

    assert pythons.main() == 1


@pytest.mark.parametrize("line", ["version = 3.13.0", "version_info = 3.13.7.final.0"])
def test_the_local_runtime_is_of_the_version_that_it_was_set_up_with(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyvenv.cfg").write_text(f"home = /usr/bin\n{line}\n")
    monkeypatch.setattr(pythons, "LOCAL_RUNTIME", tmp_path)

    assert pythons.local_runtime() == (tmp_path / "bin" / "python", "3.13")


def test_before_the_set_up_the_local_runtime_is_this_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pythons, "LOCAL_RUNTIME", tmp_path)

    assert pythons.local_runtime()[1] == pythons.running_version()
