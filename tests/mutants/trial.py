"""One change at a time, in a copy of the tree: made, tested, undone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from enum import Enum
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.mutants.selection import Selection

BASE_SECONDS: Final = 60.0
"""How long a run may take beside the time of its tests on the code as it is: Python, the imports and the collection."""
SLOWER: Final = 10.0
"""How many times longer than on the code as it is the tests may take; an endless loop is caught by that."""

NO_TESTS_RAN: Final = 5
"""pytest's exit status."""


class Mutation(msgspec.Struct, frozen=True):
    """One change, as :mod:`tests.mutants.draw` prints it."""

    file: str
    scope: str
    is_in_function: bool
    line: int
    last_line: int
    operator: str
    before: str
    """The lines that it changes, in one line."""
    after: str
    source: str
    """The whole file with the change."""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" + (f" {self.scope}" if self.scope else "")
        return f"{where}\n    - {self.before}\n    + {self.after}"


class Outcome(Enum):
    """The tests' verdict on a change."""

    CAUGHT = "caught"
    TIMED_OUT = "caught by a time-out"
    SURVIVED = "survived"
    UNTESTED = "survived: no test runs this line"


@dataclass(frozen=True)
class Result:
    """A change and its result."""

    mutation: Mutation
    outcome: Outcome
    test_count: int
    """How many tests were chosen for it."""

    @property
    def is_caught(self) -> bool:
        return self.outcome in (Outcome.CAUGHT, Outcome.TIMED_OUT)


class Tree:
    """A copy of the project in which one change at a time is tried."""

    _times = count(1)

    def __init__(self, root: Path, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self._root = root
        self._environment = environment

    def fill(self) -> None:
        """Copy everything that git knows or would take, as it is in the working tree."""
        shutil.rmtree(self.folder, ignore_errors=True)
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=self._root,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for name in filter(None, listing.split("\0")):
            source = self._root / name
            if source.is_file():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, self.folder / name)

    def try_out(self, mutation: Mutation, selection: Selection) -> Result:
        """Make a change, run the tests that it concerns until one fails, and undo it."""
        tests = self._tests_of(mutation, selection)
        if not tests:
            return Result(mutation, Outcome.UNTESTED, 0)
        original = (self.folder / mutation.file).read_text(encoding="utf-8")
        self._write(mutation.file, mutation.source)
        try:
            outcome = self._run(tests, selection)
        finally:
            self._write(mutation.file, original)
        return Result(mutation, outcome, len(tests))

    def still_passes(self, mutation: Mutation, selection: Selection) -> bool:
        """Whether the tests that a change concerns pass without it, as they did at first."""
        tests = self._tests_of(mutation, selection)
        return not tests or self._run(tests, selection) is Outcome.SURVIVED

    @staticmethod
    def _tests_of(mutation: Mutation, selection: Selection) -> list[str]:
        lines = range(mutation.line, mutation.last_line + 1)
        return selection.tests_of(mutation.file, lines, mutation.is_in_function)

    def _write(self, name: str, source: str) -> None:
        # Python trusts its compiled form while size and modification time in whole seconds are the same: no two versions share both.
        file = self.folder / name
        file.write_text(source, encoding="utf-8")
        moment = file.stat().st_mtime + 10 * next(self._times)
        os.utime(file, (moment, moment))

    def _run(self, tests: Sequence[str], selection: Selection) -> Outcome:
        limit_seconds = BASE_SECONDS + SLOWER * sum(selection.seconds.get(test, 0.0) for test in tests)
        arguments = self.folder / "tests.txt"
        arguments.write_text("\n".join(tests), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", f"@{arguments}"]
        process: Any = subprocess.Popen(
            command,
            cwd=self.folder,
            env={**self._environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            status = process.wait(limit_seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return Outcome.TIMED_OUT
        if status == NO_TESTS_RAN:
            raise RuntimeError(f"pytest ran none of the {len(tests)} tests chosen, {tests[0]} first")
        return Outcome.CAUGHT if status else Outcome.SURVIVED
