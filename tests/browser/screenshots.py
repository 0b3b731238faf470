"""Takes the README's pictures of the console, on a stack of its own with simulated payments: ``python -m tests.browser.screenshots``."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from confluent_kafka import Producer
from PIL import Image
from playwright.sync_api import sync_playwright

from contract.clock import TRUSTED_FEED_HEADER, TRUSTED_FEED_VALUE
from local.stack import Stack
from local.stack_metrics import StackMetrics
from simulator import SimulationConfig, simulate
from tests.browser.conftest import BROWSERS, MAX_WAIT_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.identity import ConsoleSite

DOCS: Final = Path("docs")
FUNCTIONS: Final = ("score", "persist", "case", "console")
PAYMENTS: Final = 6_000
USERS: Final = 150
SEED: Final = 7
WIDTH: Final = 1180
MAX_HEIGHT: Final = 1150
"""Of a picture, in pixels; a longer page is cut off."""

MANY: Final = re.compile(r"^([3-9]|\d\d+) payments")
"""In a row of the queue: a case that has something to show."""

COLOURS: Final = 128
"""Of a picture; with so few it is small, and text stays sharp."""

MAX_BYTES: Final = 150_000
SECONDS: Final = 600.0
"""To decide on all payments."""
QUIET_SECONDS: Final = 5.0
"""If nothing changes for so long, all is decided."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Take both pictures; 1 where a browser is missing, or a picture is too large."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.screenshots", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=DOCS, help="gets console-queue.png and console-case.png"
    )
    options = parser.parse_args(arguments)
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        return _failed(f"no browser: {', '.join(BROWSERS)}")
    with tempfile.TemporaryDirectory() as build_dir, Stack(Path(build_dir)) as stack:
        stack.start(_say, functions=FUNCTIONS, ingestion=False)
        metrics = StackMetrics(Path(build_dir))
        _pay(stack)
        _wait_until_decided(metrics)
        assert stack.resources.console is not None
        for name, picture in _pictures(browser, stack.resources.console).items():
            file = options.folder / f"{name}.png"
            picture.save(file, optimize=True)
            _say(f"{file}: {file.stat().st_size:,} bytes")
            if file.stat().st_size > MAX_BYTES:
                return _failed(f"{file} is larger than {MAX_BYTES:,} bytes")
    return 0


def _pay(stack: Stack) -> None:
    """Send 90 days of payments as the ingestion job would: their times are believed."""
    config = SimulationConfig(seed=SEED, users=USERS, transactions=PAYMENTS, ends_at=datetime.now(UTC))
    producer = Producer({"bootstrap.servers": stack.bootstrap_servers})
    (topic,) = stack.resources.kafka_topics
    for payment in simulate(config):
        producer.produce(
            topic,
            key=str(payment.record["user_id"]),
            value=msgspec.json.encode(payment.record),
            headers=[(TRUSTED_FEED_HEADER, TRUSTED_FEED_VALUE)],
        )
        producer.poll(0)
    producer.flush()


def _wait_until_decided(metrics: StackMetrics) -> None:
    deadline, seen, since = time.monotonic() + SECONDS, None, time.monotonic()
    while time.monotonic() < deadline:
        snapshot = metrics.snapshot()
        counts = (snapshot.history, snapshot.flagged, tuple(sorted(snapshot.backlog.items())))
        if counts != seen:
            seen, since = counts, time.monotonic()
            _say(f"{snapshot.history} payments decided, {snapshot.flagged} flagged")
        if not any(snapshot.backlog.values()) and time.monotonic() - since > QUIET_SECONDS:
            return
        time.sleep(1)
    raise TimeoutError(f"after {SECONDS:.0f} s not all of {PAYMENTS:,} payments were decided")


def _pictures(browser_path: str, site: ConsoleSite) -> dict[str, Image.Image]:
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=arguments)
        page = browser.new_context(
            viewport={"width": WIDTH, "height": MAX_HEIGHT}, color_scheme="light"
        ).new_page()
        page.set_default_timeout(MAX_WAIT_MS)
        page.goto(f"{site.url}/sign-in/begin")
        page.fill("[name=username]", "analyst")
        page.fill("[name=password]", site.passwords["analyst"])
        page.click("button, [type=submit]")
        page.wait_for_url(f"{site.url}/**")
        page.goto(f"{site.url}/queue")
        queue = _picture(page)
        page.locator("main tbody tr", has=page.locator("td", has_text=MANY)).first.locator("a").click()
        page.click("main button:has-text('Take this case')")
        page.wait_for_selector("text=Probably fraud")
        case = _picture(page)
        browser.close()
    return {"console-queue": queue, "console-case": case}


def _picture(page: Any) -> Image.Image:
    height = page.evaluate("document.body.scrollHeight")
    page.set_viewport_size({"width": WIDTH, "height": min(height, MAX_HEIGHT)})
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        page.screenshot(path=file.name)
        picture = Image.open(file.name).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    page.set_viewport_size({"width": WIDTH, "height": MAX_HEIGHT})
    return picture


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - for who runs it


def _failed(text: str) -> int:
    print(text, file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    sys.exit(main())
