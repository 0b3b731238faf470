"""What a Python file of the tree imports, read from its source: nothing is imported, and no branch is left out.

Imports inside functions and under ``TYPE_CHECKING`` count like those at the top: a reader has to follow them all.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from ops.manifests import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

IMPORT_ROOTS: Final = (ROOT / "functions", ROOT)
"""The tree's own entries of Python's path; the first that contains a file gives the file its dotted name."""

PACKAGES: Final = (
    "functions",
    "glue_scripts",
    "simulator",
    "lab",
    "ops",
    "local",
    "benchmarks",
    "training",
    "tests",
)
"""Top folders with Python of the tree."""


def python_files(*folders: str) -> list[Path]:
    """Every Python file below these folders of the tree, sorted."""
    return sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))


def module_name(file: Path) -> str:
    """The dotted name under which the tree imports a file; a package's own for its ``__init__``."""
    root = next(root for root in IMPORT_ROOTS if file.is_relative_to(root))
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def own_modules() -> dict[str, Path]:
    """Every module of the tree by its dotted name."""
    return {module_name(file): file for file in python_files(*PACKAGES)}


def imports_of(file: Path, modules: Mapping[str, Path]) -> set[str]:
    """What a file imports, by full dotted name.

    Parameters
    ----------
    file : Path
        A file of the tree.
    modules : Mapping[str, Path]
        The tree's own, as :func:`own_modules` gives them: ``from package import name`` means the module
        ``package.name`` where there is one, and ``package`` otherwise.

    Returns
    -------
    set[str]
        Modules of the tree, and those of libraries as they are written.
    """
    name = module_name(file)
    package = name.split(".") if file.name == "__init__.py" else name.split(".")[:-1]
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), str(file))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            inside = {f"{source}.{alias.name}" for alias in node.names}
            found |= (inside & modules.keys()) or {source}
            if not inside <= modules.keys():
                found.add(source)
    return found - {name}


def circles(graph: Mapping[str, Iterable[str]]) -> Iterator[list[str]]:
    """Groups of modules that reach each other (Tarjan's strongly connected components of more than one).

    R. Tarjan, "Depth-First Search and Linear Graph Algorithms", SIAM Journal on Computing 1(2), 1972.
    """
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []

    def visit(node: str) -> Iterator[list[str]]:
        order[node] = lowest[node] = len(order)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in order:
                yield from visit(other)
                lowest[node] = min(lowest[node], lowest[other])
            elif other in stack:
                lowest[node] = min(lowest[node], order[other])
        if lowest[node] == order[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                yield sorted(group)

    for node in graph:
        if node not in order:
            yield from visit(node)
