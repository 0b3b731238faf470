"""Documents agree with the tree: links have targets, the index lists every decision, named commands exist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from ops.manifests import ROOT

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENTS = [*sorted(ROOT.glob("*.md")), ROOT / "rules" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\[[^\]]+\]\(([^)#]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"\bmake (?:-s )?([a-z][a-z-]+)")
TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)


def targets() -> set[str]:
    makefiles = [ROOT / "Makefile", *(ROOT / "ops").glob("*.mk")]
    return {name for file in makefiles for name in TARGET.findall(file.read_text())}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_has_a_target_in_the_tree(document: Path) -> None:
    links = [link for link in LINK.findall(document.read_text()) if "://" not in link]

    missing = [link for link in links if not (document.parent / link).exists()]

    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    code = "\n".join(re.findall(r"`[^`\n]+`|^ {4}.+$", document.read_text(), re.MULTILINE))

    assert set(COMMAND.findall(code)) - targets() == set()


def test_the_index_lists_every_decision_in_order() -> None:
    folder = ROOT / "docs" / "decisions"
    records = sorted(path.name for path in folder.glob("[0-9]*.md"))

    assert LINK.findall((folder / "README.md").read_text()) == records
    assert [name[:4] for name in records] == [f"{number:04d}" for number in range(1, len(records) + 1)]


@pytest.mark.parametrize(
    "name", sorted(path.name for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))
)
def test_a_decision_has_its_context_the_decision_and_what_would_reopen_it(name: str) -> None:
    text = (ROOT / "docs" / "decisions" / name).read_text()

    assert text.startswith(f"# {name[:4]} ")
    for part in ("**Context.**", "**Decision.**", "eopen"):
        assert part in text
