from __future__ import annotations

from typing import TYPE_CHECKING

from lab.rules_check import main
from tests.support.rule_samples import document

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def _file(folder: Path, name: str, data: bytes) -> str:
    path = folder / name
    path.write_bytes(data)
    return str(path)


def test_a_good_file_is_summed_up_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = _file(tmp_path, "good.yaml", document().encode())

    assert main([path]) == 0

    out = capsys.readouterr().out
    assert out.startswith(f"{path}: version 1 (")
    assert out.endswith(
        "0 rules (0 live, 0 shadow), 0 lists, 2 currencies to USD, review from 50, block from 80\n"
    )


def test_a_rule_that_can_never_hold_is_said_to_be_so_and_accepted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = "rules:\n  - {id: shops, when: channel == 'pos', points: 1, reason: r}"
    path = _file(tmp_path, "old.yaml", document(rules).encode())

    assert main([path]) == 0

    assert capsys.readouterr().err.startswith(f"{path}: rule 'shops': channel is never 'pos'")


def test_a_refused_file_shows_rule_place_and_caret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = "rules:\n  - {id: fast, when: amuont > 1.0, points: 1, reason: r}"
    path = _file(tmp_path, "bad.yaml", document(rules).encode())

    assert main([path]) == 1

    assert capsys.readouterr().err.splitlines() == [
        f"{path}:6:22: rule 'fast': when: unknown feature 'amuont'; did you mean 'amount'?",
        "      - {id: fast, when: amuont > 1.0, points: 1, reason: r}",
        "                         ^",
        f"{path}: refused, 1 problem",
    ]


def test_every_file_is_checked_and_the_worst_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = _file(tmp_path, "good.yaml", document().encode())
    bad = _file(tmp_path, "bad.yaml", b"a: 1")

    assert main([bad, good]) == 1
    assert main([bad, str(tmp_path / "none.yaml"), good]) == 2

    assert "none.yaml: No such file or directory" in capsys.readouterr().err


def test_a_file_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2

    assert "Which file?" in capsys.readouterr().err
