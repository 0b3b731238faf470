"""Writes a page as one HTML file that loads nothing and runs nothing. Its look is the console's stylesheet."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

if TYPE_CHECKING:
    from datetime import datetime

    from jinja2 import Template

    from lab.pages.page import Page

_HERE: Final = Path(__file__).resolve().parent
STYLESHEETS: Final = (
    _HERE.parent.parent / "functions" / "console" / "static" / "console.css",
    _HERE / "report.css",
)
"""The console's, and what a report has beside it."""


def as_html(page: Page, made_at: datetime) -> str:
    """Write a page as HTML; whatever is in it is text, never markup.

    Parameters
    ----------
    page : Page
        What it holds.
    made_at : datetime
        When it was made, aware; the page says so.
    """
    style = _style()
    digest = b64encode(sha256(style.encode()).digest()).decode()
    at = made_at.astimezone(UTC)
    return _template().render(
        page=page,
        made_at=f"{at.day} {at:%b %Y, %H:%M} UTC",
        style=style,
        style_source=f"sha256-{digest}",
    )


def write_page(page: Page, path: Path, made_at: datetime) -> None:
    """Write a page to a file, whose folder is made if it is missing; a reader sees the old page or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}")
    temporary.write_text(as_html(page, made_at), encoding="utf-8")
    temporary.replace(path)


@cache
def _style() -> str:
    return "\n".join(file.read_text(encoding="utf-8") for file in STYLESHEETS)


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")
