"""Each room of the tree imports only the rooms below it: the engine knows no AWS, a stage knows no other stage, nothing goes in circles."""

from __future__ import annotations

import ast
import sys
from typing import Final

import pytest

from ops.manifests import ROOT, read_functions
from tests.support.imports import PACKAGES, circles, imports_of, own_modules, python_files

MODULES: Final = own_modules()
STAGES: Final = frozenset(read_functions())

BELOW: Final[dict[str, frozenset[str]]] = {
    "contract": frozenset(),
    "common": frozenset({"contract"}),
    "engine": frozenset({"contract"}),
    # Only the zips of stages that use the cache have its client.
    "cache": frozenset({"contract", "common", "engine"}),
    # The ingestion job's modules import the contract alone; those of the backtest are the analyst's own, on Spark.
    "glue_scripts": frozenset({"contract", "engine", "lab"}),
    # Only those of stages that judge what decides have its tables.
    "rollouts": frozenset({"contract", "common", "engine"}),
    **dict.fromkeys(STAGES, frozenset({"contract", "common", "cache", "engine", "rollouts"})),
    "simulator": frozenset({"contract"}),
    # The picture of an alert is drawn from the e-mail that the alert stage writes.
    "lab": frozenset({"contract", "engine", "simulator", "alert"}),
    "training": frozenset({"contract", "engine", "simulator", "lab"}),
    # Scale is computed from what the benchmarks measured; a model that was trained in AWS is checked, and a backtest sends a ruleset with its model.
    # A ruleset is proposed and approved by the same code as in the console.
    "ops": frozenset({"contract", "common", "engine", "lab", "training", "benchmarks"}),
    "local": frozenset(
        {
            "contract",
            "common",
            "engine",
            "rollouts",
            "simulator",
            "lab",
            "training",
            "ops",
            "glue_scripts",
        }
    ),
    "benchmarks": frozenset(
        {
            "contract",
            "common",
            "cache",
            "engine",
            "score",
            "console",
            "reconcile",
            "replay",
            "simulator",
            "lab",
            "ops",
            "local",
            "glue_scripts",
        }
    ),
}
"""Room to the rooms that it may import. Tests may import every room, and no room imports tests."""

ENGINE_LIBRARIES: Final = frozenset({"msgspec", "cel_expr_python", "yaml"})
IMPURE: Final = frozenset(
    {
        "asyncio",
        "http",
        "io",
        "logging",
        "multiprocessing",
        "os",
        "pathlib",
        "random",
        "secrets",
        "shutil",
        "socket",
        "subprocess",
        "tempfile",
        "threading",
        "time",
        "urllib",
        "uuid",
        "warnings",
    }
)
"""Modules of the standard library that read or change something besides their arguments."""
IMPURE_CALLS: Final = frozenset({"now", "utcnow", "today", "open", "print", "input"})


def _room(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize("room", sorted(BELOW))
def test_a_room_imports_only_the_rooms_below_it(room: str) -> None:
    allowed = BELOW[room] | {room}

    above = {
        f"{name} imports {other}"
        for name, file in MODULES.items()
        if _room(name) == room
        for other in imports_of(file, MODULES)
        if other in MODULES and _room(other) not in allowed
    }

    assert not above


def test_every_room_has_its_rule() -> None:
    rooms = {_room(name) for name in MODULES} - {"tests"}

    assert rooms == BELOW.keys()
    assert {path.parent.name for path in ROOT.glob("*/__init__.py")} | {"functions"} == set(PACKAGES)


def test_the_engine_imports_no_clock_no_file_and_no_network() -> None:
    libraries = {
        _room(name)
        for file in python_files("functions/engine")
        for name in imports_of(file, MODULES)
        if name not in MODULES
    }

    assert libraries <= (sys.stdlib_module_names | ENGINE_LIBRARIES) - IMPURE


def test_the_engine_calls_no_clock_and_no_console() -> None:
    called = {
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for file in python_files("functions/engine")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    }

    assert not called & IMPURE_CALLS


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {
        name: sorted(imports_of(file, MODULES) & MODULES.keys()) for name, file in sorted(MODULES.items())
    }

    assert list(circles(graph)) == []
