"""Documents agree with the tree: links have targets, the index lists every decision, named commands exist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from ops.manifests import ROOT, read_functions, read_tables

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENTS = [*sorted(ROOT.glob("*.md")), ROOT / "rules" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
RUNBOOKS = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
LINK = re.compile(r"\[[^\]]+\]\(([^)#]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"\bmake (?:-s )?([a-z][a-z-]+)")
TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)


WRITTEN_BY_LAMBDA = {"Task timed out"}
"""Messages in a function's log that no code of ours writes."""


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


def test_every_function_is_on_the_page_that_says_how_it_is_checked() -> None:
    page = (ROOT / "docs" / "verification.md").read_text()

    assert [name for name in read_functions() if not re.search(rf"\b{name}\b", page)] == []


@pytest.mark.parametrize("runbook", RUNBOOKS, ids=lambda path: str(path.stem))
def test_a_runbook_names_functions_and_tables_as_they_are_called_in_aws(runbook: Path) -> None:
    text = runbook.read_text()
    # terraform/modules/function: a function has hyphens where its folder has underscores. A table has its interface's name.
    functions = {name.replace("_", "-") for name in read_functions()}

    named = re.findall(r'(?:/aws/lambda/|--function-name "|FunctionName,Value=)\$PREFIX-([\w-]+)', text)
    tables = re.findall(r'--table-name "\$PREFIX-([\w-]+)', text)

    assert set(named) - functions == set()
    assert set(tables) - read_tables().keys() == set()


@pytest.mark.parametrize("runbook", RUNBOOKS, ids=lambda path: str(path.stem))
def test_a_message_that_a_runbook_looks_for_is_written_by_the_code(runbook: Path) -> None:
    code = "".join(file.read_text() for file in (ROOT / "functions").rglob("*.py"))
    patterns = re.findall(r"--filter-pattern '([^']*)'", runbook.read_text())

    quoted = [re.findall(r'"([^"]+)"', pattern) for pattern in patterns if not pattern.startswith("{")]
    messages = {text for texts in quoted for text in texts if " " in text}

    assert [message for message in messages - WRITTEN_BY_LAMBDA if message not in code] == []
