"""What tests share is in ``tests/support``: no test imports another test, or anything of another kind of tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.imports import imports_of, module_name, own_modules, python_files

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULES = own_modules()
SHARED = ("support", "mutants")
"""Folders of ``tests`` that are no kind of tests: what kinds share, and the tool behind `make mutants`."""


def _imports() -> Iterator[tuple[str, str]]:
    """Every import between files of ``tests``: who imports what."""
    for file in python_files("tests"):
        for name in imports_of(file, MODULES):
            if name.startswith("tests."):
                yield module_name(file), name


def test_no_file_imports_a_test() -> None:
    assert not {
        f"{importer} imports {name}"
        for importer, name in _imports()
        if name.rpartition(".")[2].startswith("test_")
    }


def test_a_file_imports_only_its_own_kind_and_what_is_shared() -> None:
    assert not {
        f"{importer} imports {name}"
        for importer, name in _imports()
        if name.split(".")[1] not in (importer.split(".")[1], *SHARED)
    }


def test_a_file_imports_no_conftest_but_one_of_its_own_folder_or_above() -> None:
    assert not {
        f"{importer} imports {name}"
        for importer, name in _imports()
        if name.endswith(".conftest") and not importer.startswith(name.removesuffix("conftest"))
    }


def test_what_is_shared_imports_no_kind_of_tests() -> None:
    assert not {
        f"{importer} imports {name}"
        for importer, name in _imports()
        if importer.startswith("tests.support") and not name.startswith("tests.support")
    }
