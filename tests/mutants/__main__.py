"""Draw a sample of changes to the code, try each on the unit tests, report the share that was caught. 1 below 95 %."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

import msgspec

from ops.manifests import ROOT, read_functions
from tests.mutants.equals import outdated, read_equals, split
from tests.mutants.selection import TestsFailedError, select
from tests.mutants.trial import Mutation, Result, Tree
from tests.support.imports import imports_of, own_modules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

EQUALS: Final = ROOT / "tests/mutants/equals.yaml"
WORK: Final = ROOT / "build/mutants"
FOLDERS: Final = ("engine", "common", "contract/mapping", *read_functions())
"""Of ``functions``: the engine, the stages and what they share."""
FILES: Final = ("glue_scripts/rows.py",)
ENOUGH: Final = 0.95
"""The least share of changes that must be caught, those accepted as equal left out."""


def code_files(only: Sequence[str]) -> list[str]:
    """The files that are changed, relative to the root: those whose path begins with one of ``only``, or all."""
    paths = [path for folder in FOLDERS for path in (ROOT / "functions" / folder).rglob("*.py")]
    names = [str(path.relative_to(ROOT)) for path in paths] + [*FILES]
    return sorted(name for name in names if name.startswith(tuple(only) or ""))


def drawn(python: Path, files: list[str], seed: int, sample: int) -> list[Mutation]:
    """Draw the sample in the environment that has mutmut."""
    command = [str(python), "-m", "tests.mutants.draw", "--seed", str(seed), "--sample", str(sample), *files]
    output = subprocess.run(
        command, cwd=ROOT, env={"PYTHONPATH": "."}, stdout=subprocess.PIPE, check=True, timeout=600
    ).stdout
    return [msgspec.json.decode(line, type=Mutation) for line in output.splitlines()]


def importers() -> dict[str, frozenset[str]]:
    """File to the files that import it, relative to the root."""
    modules = own_modules()
    found: dict[str, set[str]] = {}
    for file in modules.values():
        for name in imports_of(file, modules) & modules.keys():
            found.setdefault(str(modules[name].relative_to(ROOT)), set()).add(str(file.relative_to(ROOT)))
    return {name: frozenset(files) for name, files in found.items()}


def tried(mutations: list[Mutation], workers: int) -> Iterator[Result]:
    """Try every change, each worker in a tree of its own."""
    environment = {
        **os.environ,
        "PYTHONPATH": "functions:.",
        "HYPOTHESIS_PROFILE": "fixed",
    }
    trees: SimpleQueue[Tree] = SimpleQueue()
    filled = [Tree(ROOT, WORK / f"tree-{number}", environment) for number in range(workers)]
    for tree in filled:
        tree.fill()
        trees.put(tree)
    started = time.monotonic()
    selection = select(filled[0].folder, environment, importers())
    report(f"the unit tests pass and were recorded in {time.monotonic() - started:.0f} s")

    def try_one(mutation: Mutation) -> Result:
        tree = trees.get()
        try:
            return tree.try_out(mutation, selection)
        finally:
            trees.put(tree)

    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(try_one, mutations)
    for tree in filled:
        if mutations and not tree.still_passes(mutations[-1], selection):
            raise TestsFailedError(
                "tests that passed before the changes fail after them, on the code as it is"
            )


def report(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def run(arguments: argparse.Namespace) -> int:
    """Draw, try and report; returns the exit status."""
    equals = read_equals(EQUALS)
    if stale := outdated(equals, ROOT):
        for equal in stale:
            report(f"{EQUALS.relative_to(ROOT)}: {equal.file} has no such code any more: {equal.before}")
        return 1
    mutations = drawn(arguments.python, code_files(arguments.only), arguments.seed, arguments.sample)
    to_catch, accepted = split(mutations, equals)
    report(
        f"seed {arguments.seed}: {len(mutations)} changes drawn, {len(accepted)} of them accepted as equal"
    )
    survivors = []
    for number, result in enumerate(tried(to_catch, arguments.workers), 1):
        if not result.is_caught:
            survivors.append(result)
            report(f"\n{result.outcome.value}, {result.test_count} tests run: {result.mutation}")
        if number % 25 == 0:
            report(f"{number} of {len(to_catch)} tried, {len(survivors)} not caught")
    caught = len(to_catch) - len(survivors)
    share = caught / len(to_catch) if to_catch else 1.0
    report(f"\n{caught} of {len(to_catch)} caught: {share:.1%}; at least {ENOUGH:.0%} must be")
    return int(share < ENOUGH)


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sample", type=int, default=150)
    parser.add_argument(
        "--only", nargs="*", default=[], help="take only files whose path begins with one of these"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--python", type=ROOT.joinpath, default=ROOT / ".venv-mutants/bin/python")
    try:
        return run(parser.parse_args())
    except TestsFailedError as error:
        report(f"the tests cannot be measured: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
