"""Which tests a change is tried on: those that ran its lines; if an import runs them, all tests of the file and its importers."""

from __future__ import annotations

from tests.mutants.selection import Selection

SELECTION = Selection(
    tests_by_line={
        "a.py": {3: frozenset({"slow", "quick"}), 4: frozenset({"quick"}), 9: frozenset({"other"})},
        "b.py": {1: frozenset({"of b"})},
        "c.py": {1: frozenset({"of c"})},
    },
    seconds={"slow": 2.0, "quick": 0.1, "other": 0.2, "of b": 0.5, "of c": 0.0},
    importers={"a.py": frozenset({"b.py"}), "b.py": frozenset({"c.py"}), "d.py": frozenset({"a.py"})},
)


def test_line_of_a_function_concerns_the_tests_that_ran_it_quickest_first() -> None:
    assert SELECTION.tests_of("a.py", range(3, 5), is_in_function=True) == ["quick", "slow"]


def test_line_that_no_test_runs_concerns_none() -> None:
    assert SELECTION.tests_of("a.py", [7], is_in_function=True) == []
    assert SELECTION.tests_of("unknown.py", [1], is_in_function=True) == []


def test_line_of_a_module_concerns_all_tests_of_the_file_and_then_those_of_its_importers() -> None:
    assert SELECTION.tests_of("a.py", [1], is_in_function=False) == ["quick", "other", "slow", "of b", "of c"]


def test_files_that_import_each_other_are_taken_once() -> None:
    circle = Selection(
        {"a.py": {1: frozenset({"t"})}, "b.py": {1: frozenset({"u"})}},
        {},
        {"a.py": frozenset({"b.py"}), "b.py": frozenset({"a.py"})},
    )

    assert circle.tests_of("a.py", [1], is_in_function=False) == ["t", "u"]
