"""axe finds nothing on a report, light or dark; it fits a phone and text of twice the size, loads nothing, and its style is in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lab.backtest.__main__ import main as backtest
from lab.pages.html import write_page
from lab.red_team.__main__ import main as red_team
from tests.support.report_pages import MADE_AT, page_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PHONE = {"width": 360, "height": 740}
REPORTS = ("backtest", "red-team", "every-block")


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a page of each kind."""
    folder = tmp_path_factory.mktemp("reports")
    page = str(folder / "backtest.html")
    backtest(["--transactions", "400", "--false-alarms", "--plot", str(folder / "plot.svg"), "--page", page])
    small = ["--thieves", "1", "--people", "1", "--tries", "3", "--tuned", "1", "--unseen", "2"]
    red_team([*small, "--out", str(folder / "figures.json"), "--page", str(folder / "red-team.html")])
    write_page(page_of("a word and another"), folder / "every-block.html", MADE_AT)
    return folder


@pytest.fixture
def opening(chromium: Any) -> Iterator[tuple[Any, list[str]]]:
    """A way to open a report; what the browser complains about, and what it loads beside the file, fails the test."""
    contexts: list[Any] = []
    found: list[str] = []

    def open_report(path: Path, **options: Any) -> Any:
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: found.append(message.text))
        page.on(
            "request", lambda request: found.append(request.url) if request.url != path.as_uri() else None
        )
        page.goto(path.as_uri())
        return page

    yield open_report, found
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", REPORTS)
def test_axe_finds_nothing_on_a_report(
    axe: str, reports: Path, opening: tuple[Any, list[str]], name: str, scheme: str
) -> None:
    open_report, complaints = opening
    page = open_report(reports / f"{name}.html", color_scheme=scheme)

    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]

    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
    assert complaints == []


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_fits_a_phone_and_twice_the_text(
    reports: Path, opening: tuple[Any, list[str]], name: str
) -> None:
    open_report, complaints = opening
    page = open_report(reports / f"{name}.html", viewport=PHONE)

    plain = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    page.set_viewport_size({"width": 720, "height": 900})
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    large = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")

    assert max(plain, large) <= 0
    assert complaints == []


def test_the_console_and_a_report_have_the_same_look(reports: Path, opening: tuple[Any, list[str]]) -> None:
    open_report, _ = opening
    light = open_report(reports / "backtest.html", color_scheme="light")
    dark = open_report(reports / "backtest.html", color_scheme="dark")

    grounds = [page.evaluate("getComputedStyle(document.body).backgroundColor") for page in (light, dark)]

    assert grounds == ["rgb(251, 251, 249)", "rgb(22, 24, 27)"]
