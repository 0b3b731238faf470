"""What the job's modules may import, and their examples."""

from __future__ import annotations

import ast
import doctest
import importlib

import pytest

from ops.manifests import ROOT
from tests.support.imports import imports_of, own_modules

PURE = [
    "exports",
    "feeds",
    "files",
    "kept_query",
    "label_queue",
    "label_rows",
    "landed_rows",
    "pins",
    "prefix_mappings",
    "progress",
    "redeciding",
    "replaced",
    "row_cards",
    "rows",
    "transforms",
]
FORBIDDEN = {"boto3", "logging", "os", "sys", "time", "random", "awsglue"}


def test_every_module_but_the_entry_points_and_what_makes_the_queue_s_client_is_tested_to_be_pure() -> None:
    modules = {file.stem for file in (ROOT / "glue_scripts").glob("*.py")}

    assert modules - set(PURE) == {
        "__init__",
        "arguments",
        "backtest_arguments",
        "backtest_rows",
        "label_sink",
        "stream_transactions",
    }


@pytest.mark.parametrize("module", PURE)
def test_the_logic_knows_no_service_environment_or_clock(module: str) -> None:
    tree = ast.parse((ROOT / "glue_scripts" / f"{module}.py").read_text())

    imported = {
        alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    imported |= {
        (node.module or "").split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
    }
    assert not imported & FORBIDDEN


@pytest.mark.parametrize("module", ["pins", "prefix_mappings"])
def test_the_examples_of_the_docstrings_hold(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"glue_scripts.{module}"))

    assert result.attempted > 0
    assert result.failed == 0


def test_the_ingestion_job_imports_the_contract_alone() -> None:
    """Its zip has nothing else, and its workers read the zip again for every task."""
    of_backtest = {"backtest_arguments", "backtest_rows", "exports", "redeciding"}
    modules = own_modules()

    found = {
        other
        for name, file in modules.items()
        if name.startswith("glue_scripts.") and name.partition(".")[2] not in of_backtest
        for other in imports_of(file, modules)
        if other.partition(".")[0] in {"engine", "lab"} or other.partition(".")[2] in of_backtest
    }

    assert found == set()
