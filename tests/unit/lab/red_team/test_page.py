"""The page of a red team has every figure of the text, and what rules are called is text on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.red_team.__main__ import main
from lab.red_team.page import red_team_page
from lab.red_team.report import Burden, Group, Report, Takings, as_text
from tests.support.report_pages import HOSTILE, missing_figures, problems, read_page

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def group(*seeds: int, taken: float = 1234.5, undecided: float = 0.0) -> Group:
    takings = Takings(16, taken, taken + 17, taken + 4321, 98765.4, 31.5, 3.5, None, 0.0625, undecided)
    burden = Burden(40, 1.25, 0.5, 321, 0.017, {HOSTILE: 12, "other_rule": 3})
    none = Burden(60, 0.75, 0.0, 0, None, {})
    return Group(seeds, {"patient": takings, "all": takings}, {"sale": burden, "all": none})


def test_every_figure_of_the_text_is_on_the_page() -> None:
    report = Report("rules r.yaml", {"tuned": group(1, 2), "unseen": group(501, taken=87.1, undecided=654)})

    page = red_team_page(report)

    assert missing_figures(as_text(report), page) == []
    assert problems(page) == []
    assert f"{HOSTILE} 12, other_rule 3" in read_page(page).text


def test_the_page_says_how_much_a_thief_takes_before_anything_else() -> None:
    page = red_team_page(Report("rules r.yaml", {"tuned": group(1), "unseen": group(2, taken=200)}))

    assert "a thief takes on average 1,252 USD on tuned seeds and 217 USD on unseen seeds" in page.answer


def test_a_run_without_seeds_has_a_page_that_says_so() -> None:
    page = red_team_page(Report("rules r.yaml", {}))

    assert page.answer == "No seeds, no rounds."
    assert problems(page) == []


def test_the_command_writes_the_page_and_prints_its_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = ["--thieves", "1", "--people", "1", "--tries", "2", "--tuned", "1", "--unseen", ""]
    path = tmp_path / "reports" / "red-team.html"

    main([*small, "--out", str(tmp_path / "figures.json"), "--page", str(path)])

    assert "<h1>What do thieves take" in path.read_text(encoding="utf-8")
    assert capsys.readouterr().out.splitlines()[-1] == f"report: {path}"
