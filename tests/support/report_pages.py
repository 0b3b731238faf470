"""What every report's page must be, found by reading its HTML: well formed, with nothing to run or to load, and usable without eyes."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from html.parser import HTMLParser
from typing import Final

from lab.pages.drawing import Axis, Line, bar_plot, grid_plot, line_plot, step_plot
from lab.pages.html import as_html
from lab.pages.page import Code, Fact, Listing, Page, Plot, Plots, Section, Text, figures, table, words

VOID: Final = frozenset({"meta", "br", "hr", "img", "input", "link"})
LOADING: Final = frozenset(
    {
        "a",
        "audio",
        "base",
        "embed",
        "form",
        "iframe",
        "img",
        "image",
        "link",
        "object",
        "script",
        "source",
        "use",
        "video",
    }
)
"""Elements that load something, run something or lead elsewhere; a report has none."""

MADE_AT: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)

FORBIDDEN: Final = frozenset({"action", "href", "src", "srcset", "style", "xlink:href"})

HOSTILE: Final = """<script>alert(1)</script>"'><img src=https://evil.example/x onerror=alert(1)>"""
"""What a sender may have written."""

_FIGURE: Final = re.compile(r"[-+]?\d+(?:,\d{3})*(?:\.\d+)?%?")


class ReadPage(HTMLParser):
    """A page, read once; ``problems`` names what is wrong with it."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []
        self.titles: list[str] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self._seen: list[str] = []
        self._policy = self._style = ""
        self.feed(html)
        self.close()
        if self._open:
            self.problems.append(f"not closed: {self._open}")
        if not html.lstrip().lower().startswith("<!doctype html>"):
            self.problems.append("no doctype")
        for name in ("html", "head", "title", "body", "main", "h1"):
            if self._seen.count(name) != 1:
                self.problems.append(f"{self._seen.count(name)} elements {name}")
        if self._seen.count("table") != self._seen.count("caption"):
            self.problems.append("a table without a caption")
        digest = b64encode(sha256(self._style.encode()).digest()).decode()
        if self._policy != f"default-src 'none'; style-src 'sha256-{digest}'":
            self.problems.append(f"the policy does not fit the stylesheet: {self._policy}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self._seen += [] if "svg" in self._open else [tag]  # a shape has a title too
        self.problems += self._tag_problems(tag, values)
        if tag == "meta" and values.get("http-equiv") == "Content-Security-Policy":
            self._policy = values.get("content") or ""
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.problems.append(f"closed and not open: {tag}")

    def handle_data(self, data: str) -> None:
        within = self._open[-1] if self._open else ""
        if within == "style":
            self._style += data
        elif data.strip():
            self.text.append(" ".join(data.split()))
            if within in {"h1", "h2"}:
                self.titles.append(data)

    def _tag_problems(self, tag: str, values: dict[str, str | None]) -> list[str]:
        found = []
        if tag in LOADING:
            found.append(f"element {tag}")
        found += [f"{tag} has {name}" for name in values if name.startswith("on") or name in FORBIDDEN]
        if tag == "th" and "scope" not in values:
            found.append("th without scope")
        if tag == "svg" and not (values.get("aria-label") and values.get("role") == "img"):
            # A sample of a line in a legend, which is hidden from readers.
            found += [] if values.get("class") == "sample" else ["svg without a text in its place"]
        if tag == "html" and values.get("lang") != "en":
            found.append("no language")
        return found


def read_page(page: Page) -> ReadPage:
    """Write a page, and read it."""
    return ReadPage(as_html(page, MADE_AT))


def problems(page: Page) -> list[str]:
    """What is wrong with a page."""
    read = read_page(page)
    loads = re.findall(r"url\([^)]*\)|@import[^;]*", as_html(page, MADE_AT))
    return [*read.problems, *loads]


def missing_figures(text: str, page: Page) -> list[str]:
    """Figures of a text that are not on a page, whatever is around them."""
    shown = set(_FIGURE.findall(" ".join(read_page(page).text)))
    return sorted({each for each in _FIGURE.findall(text) if each not in shown})


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
