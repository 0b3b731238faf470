"""Draw the sample: every place of the code that mutmut's operators can change, and one change at each place drawn.

It runs in an environment of its own, so it imports nothing of the tree but its own package:
``python -m tests.mutants.draw --seed 1 --sample 150 file ...`` prints one JSON object a line.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators, operator_string

if TYPE_CHECKING:
    from collections.abc import Iterator

ONE_IN = {"arg_removal": 4, "assignment": 4}
"""Operators of which only one place in so many is taken: half of all places are theirs, and most become a ``None`` that raises at
once, which says little about the tests."""

TYPES = frozenset({"Annotated", "Callable", "Literal", "TypeVar", "dict", "list", "tuple"})
"""What a module gives a name to for annotations alone."""


@dataclass(frozen=True)
class Place:
    """A node that an operator can change."""

    file: str
    scope: str
    """Qualified name of the function or class around it; empty at the top of the module."""
    is_in_function: bool
    """Whether it is run when a function is called, not when the module is imported."""
    line: int
    last_line: int
    operator: str
    node: cst.CSTNode
    changed: tuple[cst.CSTNode, ...]
    rank: bytes
    """A hash of the seed and of what the place is, not of its line: a change elsewhere in the tree leaves it in the sample."""


class _Finder(cst.CSTVisitor):  # type: ignore[misc] # its types are in another environment
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, file: str, seed: int) -> None:
        self.places: list[Place] = []
        self._file = file
        self._seed = seed
        self._scopes: list[tuple[str, bool]] = []
        self._seen: dict[tuple[str, str, str], int] = {}

    def on_visit(self, node: cst.CSTNode) -> bool:
        if _has_no_behaviour(node):
            return False
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self._scopes.append((node.name.value, isinstance(node, cst.FunctionDef)))
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                self._note(node, operator)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if isinstance(original_node, cst.FunctionDef | cst.ClassDef):
            self._scopes.pop()

    def _note(self, node: cst.CSTNode, operator: Any) -> None:
        changed = tuple(operator(node))
        if operator is operator_string:
            changed = changed[:1]  # its content; mutmut lists changes of its case behind that
        if not changed:
            return
        scope, name = ".".join(name for name, _ in self._scopes), operator.__name__.removeprefix("operator_")
        code = cst.Module([]).code_for_node(node)
        occurrence = self._seen[scope, name, code] = self._seen.get((scope, name, code), -1) + 1
        span, rank = (
            self.get_metadata(PositionProvider, node),
            _hash(self._seed, self._file, scope, name, code, occurrence),
        )
        if int.from_bytes(rank[-4:]) % ONE_IN.get(name, 1):
            return
        self.places.append(
            Place(
                file=self._file,
                scope=scope,
                is_in_function=any(is_function for _, is_function in self._scopes),
                line=span.start.line,
                last_line=span.end.line,
                operator=name,
                node=node,
                changed=changed,
                rank=rank,
            )
        )


def _has_no_behaviour(node: cst.CSTNode) -> bool:
    """Whether a node is for readers and the type checker alone: an annotation, a docstring, imports, or their exports."""
    match node:
        case cst.Annotation() | cst.Import() | cst.ImportFrom() | cst.Decorator():
            return True
        case cst.SimpleStatementLine(body=[cst.Expr(value=cst.SimpleString() | cst.ConcatenatedString())]):
            return True
        case cst.If(test=cst.Name(value="TYPE_CHECKING")):
            return True
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value="__all__" | "__slots__"))]):
            return True
        case cst.Assign(
            value=cst.Subscript(value=cst.Name(value=name)) | cst.Call(func=cst.Name(value=name))
        ):
            return name in TYPES
        case cst.Call(func=cst.Name(value="cast")):
            return True
    return False


def _hash(*parts: object) -> bytes:
    return sha256(json.dumps(parts, default=str).encode()).digest()


def places_of(file: Path, name: str, seed: int) -> tuple[cst.Module, list[Place]]:
    """Every place of one file, in the order of its source."""
    wrapper = MetadataWrapper(cst.parse_module(file.read_text(encoding="utf-8")))
    finder = _Finder(name, seed)
    wrapper.visit(finder)
    return wrapper.module, finder.places


def change(module: cst.Module, place: Place) -> dict[str, Any]:
    """Make one change of a place, and say what it is."""
    drawn = place.changed[int.from_bytes(_hash(place.rank.hex(), "which")[:4]) % len(place.changed)]
    before, after = module.code, module.deep_replace(place.node, drawn).code
    old, new = _differing_lines(before.splitlines(), after.splitlines())
    return {
        "file": place.file,
        "scope": place.scope,
        "is_in_function": place.is_in_function,
        "line": place.line,
        "last_line": place.last_line,
        "operator": place.operator,
        "before": old,
        "after": new,
        "source": after,
    }


def _differing_lines(before: list[str], after: list[str]) -> tuple[str, str]:
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    return (
        " ".join(line.strip() for line in before[start : len(before) - end]),
        " ".join(line.strip() for line in after[start : len(after) - end]),
    )


def draw(files: dict[str, Path], seed: int, sample: int) -> Iterator[dict[str, Any]]:
    """Draw so many places of these files, each as likely as any other, and change each."""
    found = [
        (place, module)
        for name, file in files.items()
        for module, places in [places_of(file, name, seed)]
        for place in places
    ]
    sys.stderr.write(f"{len(found):,} places in {len(files)} files\n")
    for place, module in sorted(found, key=lambda pair: pair[0].rank)[:sample]:
        yield change(module, place)


def main() -> None:
    """Print the sample."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants.draw", description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--sample", type=int, required=True)
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    for mutation in draw({name: Path(name) for name in arguments.files}, arguments.seed, arguments.sample):
        sys.stdout.write(json.dumps(mutation) + "\n")


if __name__ == "__main__":
    main()
