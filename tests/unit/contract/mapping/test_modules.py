"""What holds for the mapper's modules as modules: ingestion, the bench and every function's zip carry them."""

from __future__ import annotations

import ast
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ops.manifests import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / "functions" / "contract" / "mapping"
ALLOWED = {
    "__future__",
    "collections",
    "contract",
    "datetime",
    "decimal",
    "functools",
    "msgspec",
    "re",
    "typing",
    "zoneinfo",
}


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.py")), ids=lambda file: file.stem)
def test_the_mapper_knows_no_service_environment_or_clock(file: Path) -> None:
    tree = ast.parse(file.read_text())

    imported = {
        alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    imported |= {
        (node.module or "").split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
    }
    # PyYAML only where a document is read, which no function does.
    assert imported - ALLOWED <= {"yaml"}


def test_the_mapper_is_imported_without_pyyaml() -> None:
    program = "import sys; sys.modules['yaml'] = None; import contract.mapping.row, contract.mapping.document"

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT / "functions", capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
