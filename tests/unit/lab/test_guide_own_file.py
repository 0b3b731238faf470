"""The guide's own file and mapping give what the guide says, and its sentences are those of the code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from lab.backtest.__main__ import main
from ops.manifests import ROOT

if TYPE_CHECKING:
    from pathlib import Path

GUIDE = (ROOT / "docs" / "guide-own-file.md").read_text()
CODE = "\n".join(
    re.sub(r'" ?\n\s*f?"', "", path.read_text())
    for folder in ("functions/contract", "lab")
    for path in sorted((ROOT / folder).rglob("*.py"))
)


def block(kind: str) -> str:
    """The guide's only block of this kind."""
    (found,) = re.findall(rf"^```{kind}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    return str(found)


def run(folder: Path, *arguments: str) -> None:
    """Run the backtest on the guide's file."""
    (folder / "payments.csv").write_text(block("csv"))
    (folder / "payments.yaml").write_text(block("yaml"))
    main([f"--data={folder / 'payments.csv'}", f"--plot={folder / 'plot.svg'}", *arguments])


def test_the_mapping_of_the_guide_reads_its_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, f"--map={tmp_path / 'payments.yaml'}")

    printed = capsys.readouterr().out
    assert printed.startswith("2 decided, 1 fraud")
    assert block("text") in printed


def test_without_the_mapping_the_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no column for user_id, amount, timestamp") as stopped:
        run(tmp_path, "--limit=1000")

    assert "The file has: Ref, Kunde, Datum" in str(stopped.value.code)


@pytest.mark.parametrize("mapping", re.findall(r"lab/datasets/\w+\.yaml", GUIDE))
def test_every_mapping_that_is_named_exists(mapping: str) -> None:
    assert (ROOT / mapping).is_file()


def test_every_message_of_the_table_is_one_of_the_code() -> None:
    table = re.findall(r"^\| `(.+?)` \|", GUIDE.partition("## If it says something else")[2], re.MULTILINE)
    # What a message fills in is left out: the columns, the separators, the number of the line.
    fixed = [re.sub(r"( for user_id.*| '.*| \.\.\.| 812.*)$", "", message) for message in table]

    assert len(fixed) > 8
    assert [message for message in fixed if message not in CODE] == []
