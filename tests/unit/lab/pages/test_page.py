"""A page loads nothing and runs nothing; whatever a sender wrote is text on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.pages.html import as_html, write_page
from lab.pages.page import Page, Section, Table, figures, table, words
from tests.support.report_pages import HOSTILE, MADE_AT, ReadPage, page_of, problems, read_page

if TYPE_CHECKING:
    from pathlib import Path


def test_a_page_is_well_formed_and_loads_nothing() -> None:
    assert problems(page_of("text")) == []


def test_what_a_sender_wrote_is_text_wherever_it_is_shown() -> None:
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
