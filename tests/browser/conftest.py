"""The console in a real browser: Playwright drives the first of these that the machine has, and axe reads every page."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any, Final

import pytest

from local.stack import Stack
from ops.manifests import ROOT
from ops.packaging.npm import install_locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from local.identity import ConsoleSite

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")

MAX_WAIT_MS: Final = 30_000
"""For a page: a function's first request may wait until its process has started."""


@pytest.fixture(scope="package")
def browser_path() -> str:
    """Where the browser is."""
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"no browser: {', '.join(BROWSERS)}")
    return path


@pytest.fixture(scope="module")
def chromium(browser_path: str) -> Iterator[Any]:
    """A browser, ended with the module: until then, asyncio takes Playwright's loop for this thread's running one.

    No other test of the same process could run a loop of its own, as the console does for each request.
    """
    sync_api: Any = pytest.importorskip("playwright.sync_api")
    # Chromium's sandbox does not work for root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def axe() -> str:
    """The source of axe-core, of the version in the lock."""
    folder = install_locked(ROOT / "tests" / "browser" / "npm", ROOT / "build" / "npm")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="package")
def stack(browser_path: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that runs the console, and the stages that take what people decide about payments and rulesets.

    It asks for ``browser_path``, since without a browser none is needed.
    """
    build_dir: Path = tmp_path_factory.mktemp("browser")
    with Stack(build_dir) as running:
        running.start(functions=["console", "label", "ruleset_deployer"], ingestion=False)
        yield running


@pytest.fixture
def site(stack: Stack) -> ConsoleSite:
    """Where the console is, and who can sign in."""
    assert stack.resources.console is not None
    return stack.resources.console


@pytest.fixture
def signed_in(chromium: Any, site: ConsoleSite) -> Iterator[Callable[..., Any]]:
    """Sign somebody in, in a window of their own; gives its page.

    What the browser complains about, such as content that the policy forbids, fails the test.
    """
    contexts: list[Any] = []
    problems: list[str] = []

    def sign_in(name: str, **options: Any) -> Any:
        context = chromium.new_context(viewport=options.pop("viewport", None), **options)
        contexts.append(context)
        context.set_default_timeout(MAX_WAIT_MS)
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"{site.url}/sign-in/begin")
        page.fill("[name=username]", name)
        page.fill("[name=password]", site.passwords[name])
        page.click("button, [type=submit]")
        page.wait_for_url(f"{site.url}/**")
        problems.clear()  # the identity provider's page is not ours
        return page

    yield sign_in
    for context in contexts:
        context.close()
    # Refusals that a test asks for are answers, not complaints.
    assert [text for text in problems if "status of 4" not in text] == []
