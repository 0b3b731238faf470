"""The examples in docstrings are true."""

from __future__ import annotations

import doctest
import importlib
from typing import TYPE_CHECKING

import pytest

from ops.manifests import ROOT

if TYPE_CHECKING:
    from pathlib import Path

ROOTS = {
    "benchmarks": ROOT,
    "functions": ROOT / "functions",
    "lab": ROOT,
    "local": ROOT,
    "ops": ROOT,
    "simulator": ROOT,
}
"""Folder with examples to the import root of its modules. The Glue job's examples need Spark and run with its own tests."""


def modules_with_examples() -> list[str]:
    files = [(file, root) for name, root in ROOTS.items() for file in sorted((ROOT / name).rglob("*.py"))]
    return [_module(file, root) for file, root in files if "\n    >>> " in file.read_text()]


def _module(file: Path, root: Path) -> str:
    return ".".join(file.relative_to(root).with_suffix("").parts)


@pytest.mark.parametrize("name", modules_with_examples())
def test_examples_in_docstrings_hold(name: str) -> None:
    results = doctest.testmod(importlib.import_module(name))

    assert results.attempted > 0
    assert results.failed == 0
