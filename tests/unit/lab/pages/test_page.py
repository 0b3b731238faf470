"""A page loads nothing and runs nothing; whatever a sender wrote is text on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.pages.drawing import Axis, Line, bar_plot, grid_plot, line_plot, step_plot
from lab.pages.html import as_html, write_page
from lab.pages.page import Code, Fact, Listing, Page, Plot, Plots, Section, Table, Text, figures, table, words
from tests.support.report_pages import HOSTILE, MADE_AT, ReadPage, problems, read_page

if TYPE_CHECKING:
    from pathlib import Path


def page_of(text: str) -> Page:
    """A page with every kind of block, and a text in each place."""
    bars = bar_plot([(text, 2.0, text), ("b", 0.0, "0")], text)
    lines = line_plot(
        Axis(text, 0, 10), Axis(text, 0, 1), [Line(text, [(0, 1), (10, 0)]), Line("b", [(0, 0)])], [(5, text)]
    )
    grid = grid_plot((text, [text, "2"]), (text, [text, "2"]), [[1.0, -1.0], [0.0, 0.5]])
    steps = step_plot([text, "2"], [-1.0, 1.0], text)
    blocks = (
        Text(text, is_grave=True),
        table(text, (*words(text), *figures(text)), [(text, text)], text),
        Listing(text, (text,)),
        Plot(bars, text, text),
        Plots((Plot(lines, text, text), Plot(grid, text, text), Plot(steps, text, text))),
        Code(text, text),
    )
    return Page(text, text, (Fact(text, text),), (Section(text, blocks),), text)


def test_a_page_is_well_formed_and_loads_nothing() -> None:
    assert problems(page_of("text")) == []


def test_what_a_sender_wrote_is_text_wherever_it_stands() -> None:
    html = as_html(page_of(HOSTILE), MADE_AT)

    assert ReadPage(html).problems == []
    assert "<script" not in html
    assert "<img" not in html
    assert HOSTILE in read_page(page_of(HOSTILE)).text


def test_a_page_that_is_written_again_replaces_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.html"

    write_page(page_of("old"), path, MADE_AT)
    write_page(page_of("new"), path, MADE_AT)

    assert path.read_text(encoding="utf-8") == as_html(page_of("new"), MADE_AT)
    assert [each.name for each in path.parent.iterdir()] == ["report.html"]


def test_a_page_says_when_it_was_made() -> None:
    assert "text 1 Mar 2026, 12:00 UTC." in read_page(page_of("text")).text


def test_a_row_with_a_cell_too_few_is_refused() -> None:
    with pytest.raises(ValueError, match="table 'rules', row 2: 1 cells for 2 columns"):
        table("rules", (*words("rule"), *figures("number")), [("a", "1"), ("b",)])


def test_the_first_cell_names_its_row_for_a_screen_reader() -> None:
    rows = Table("c", words("x", "y"), (("one", "two"),))

    html = as_html(Page("t", "a", (), (Section("s", (rows,)),), "m"), MADE_AT)

    assert '<th scope="row">one</th><td>two</td>' in html
