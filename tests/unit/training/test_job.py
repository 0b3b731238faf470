"""What runs in SageMaker's container needs nothing but the zip beside it, and says why it failed."""

from __future__ import annotations

import ast
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import training.job
from training.job import CODE, main

if TYPE_CHECKING:
    import pytest

TRAINING = """\
import os, sys
assert os.getcwd() == os.environ["PYTHONPATH"]
open(sys.argv[sys.argv.index("--out") + 1], "w").write(" ".join(sys.argv[1:]))
print("read 5 rows", file=sys.stderr)
sys.exit(sys.argv[-1] if sys.argv[-1] != "fine" else 0)
"""


def _folder(tmp_path: Path) -> Path:
    with zipfile.ZipFile(tmp_path / CODE, "w") as archive:
        archive.writestr("training/__main__.py", TRAINING)
    return tmp_path


def test_the_code_of_the_zip_is_run_with_the_arguments_and_this_python(tmp_path: Path) -> None:
    out = tmp_path / "out"

    code = main(["--out", str(out), "fine"], _folder(tmp_path), tmp_path / "failure")

    assert code == 0
    assert out.read_text() == f"--python {sys.executable} --out {out} fine"
    assert not (tmp_path / "failure").exists()


def test_a_failed_training_leaves_its_last_line_as_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failure = tmp_path / "output" / "failure"

    code = main(["--out", str(tmp_path / "out"), "0 frauds are known"], _folder(tmp_path), failure)

    assert code == 1
    assert failure.read_text() == "0 frauds are known"
    assert capsys.readouterr().err == "read 5 rows\n0 frauds are known\n"


def test_it_imports_the_standard_library_alone() -> None:
    tree = ast.parse(Path(str(training.job.__file__)).read_text())
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
        )
    }

    assert imported <= sys.stdlib_module_names
