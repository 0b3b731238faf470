"""Which tests run which line: one run of the unit tests under coverage, each line recorded with the tests that ran it."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import coverage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

TESTS: Final = "tests/unit"
SOURCES: Final = "functions,glue_scripts,lab"
"""Folders whose lines are recorded: those that are changed, and the one that shows their constants to analysts."""


@dataclass(frozen=True)
class Selection:
    """What the unit tests do, once all have passed on the code as it is.

    Attributes
    ----------
    tests_by_line : Mapping[str, Mapping[int, frozenset[str]]]
        File to line to the tests that ran it, parameters left out: ``tests/unit/....py::test_name``.
    seconds : Mapping[str, float]
        How long each test took, all its parameters together.
    importers : Mapping[str, frozenset[str]]
        File to the files that import it.
    """

    tests_by_line: Mapping[str, Mapping[int, frozenset[str]]]
    seconds: Mapping[str, float]
    importers: Mapping[str, frozenset[str]]

    def tests_of(self, file: str, lines: Iterable[int], is_in_function: bool) -> list[str]:
        """Tests that a change could fail, those first that are nearest to it, and of these the quickest.

        A line of a function concerns the tests that ran it. Any other line is run by the import, so it concerns every test that
        ran a function of the file, or of a file that imports it, directly or by way of others.
        """
        if is_in_function:
            by_line = self.tests_by_line.get(file, {})
            return self._by_time({test for line in lines for test in by_line.get(line, ())})
        found: dict[str, None] = {}
        for files in self._importing(file):
            tests = {
                test for each in files for line in self.tests_by_line.get(each, {}).values() for test in line
            }
            found |= dict.fromkeys(self._by_time(tests - found.keys()))
        return list(found)

    def _importing(self, file: str) -> Iterator[set[str]]:
        """The file, the files that import it, those that import these, and so on; each file once."""
        level, known = {file}, {file}
        while level:
            yield level
            level = {each for one in level for each in self.importers.get(one, ())} - known
            known |= level

    def _by_time(self, tests: set[str]) -> list[str]:
        return sorted(tests, key=lambda test: (self.seconds.get(test, 0.0), test))


class TestsFailedError(Exception):
    """The unit tests do not pass on the code as it is, so nothing follows from their failing on a change."""


def select(tree: Path, environment: Mapping[str, str], importers: Mapping[str, frozenset[str]]) -> Selection:
    """Run all unit tests once, in a copy of the tree.

    Raises
    ------
    TestsFailedError
        With the end of pytest's output.
    """
    data, times = tree / ".coverage.mutants", tree / "times.xml"
    settings = tree / "coverage.ini"
    settings.write_text(f"[run]\ndata_file = {data}\nsource = {SOURCES}\n", "utf-8")
    command = [sys.executable, "-m", "pytest", TESTS, "-q", "-p", "no:cacheprovider", f"--junit-xml={times}"]
    command += [
        "-o",
        "junit_family=xunit1",
        "--cov",
        f"--cov-config={settings}",
        "--cov-context=test",
        "--cov-report=",
    ]
    run = subprocess.run(
        command, cwd=tree, env={**environment}, capture_output=True, text=True, check=False, timeout=1800
    )
    if run.returncode:
        raise TestsFailedError(f"they fail on the code as it is:\n{run.stdout[-4000:]}{run.stderr[-2000:]}")
    return Selection(_tests_by_line(data, tree), _seconds(times), importers)


def _tests_by_line(data_file: Path, tree: Path) -> dict[str, dict[int, frozenset[str]]]:
    data = coverage.CoverageData(str(data_file))
    data.read()
    found: dict[str, dict[int, frozenset[str]]] = {}
    for file in data.measured_files():
        by_line: dict[int, set[str]] = defaultdict(set)
        for line, contexts in data.contexts_by_lineno(file).items():
            by_line[line] |= {_without_parameters(context) for context in contexts if context}
        name = str(file).removeprefix(f"{tree.resolve()}/")
        found[name] = {line: frozenset(tests) for line, tests in by_line.items()}
    return found


def _without_parameters(context: str) -> str:
    # A context is a test's id with its phase, "tests/unit/x.py::test_y[a]|run"; a parameter may hold anything.
    return re.sub(r"(\[.*)?\|(setup|run|teardown)$", "", context, flags=re.DOTALL)


def _seconds(report: Path) -> dict[str, float]:
    seconds: dict[str, float] = defaultdict(float)
    case: Any
    for case in ET.parse(report).iter("testcase"):  # pytest wrote it
        file = case.get("file")
        inside = case.get("classname", "").removeprefix(file.removesuffix(".py").replace("/", ".")).strip(".")
        test = "::".join([file, *([inside] if inside else []), case.get("name", "").partition("[")[0]])
        seconds[test] += float(case.get("time", 0))
    return seconds
