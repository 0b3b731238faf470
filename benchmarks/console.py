"""How long a page of the console takes at the function, beside a steady rate of payments: ``python -m benchmarks.console``.

Somebody who is signed in follows the links of the queue, of its cases, of their payments and of what they share, for as long as the load lasts. Each request
is an event of API Gateway's, handed to the function's own zip under Lambda's runtime; what is measured is the time from the event to the answer.
Cold starts are measured by :mod:`benchmarks`, beside those of an empty function.
"""

from __future__ import annotations

import argparse
import logging
import re
import secrets
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from email.message import Message
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from rich.console import Console

from benchmarks.load import Load, LoadError, payments, seed_profiles
from benchmarks.report import Figure, Machine, figure_table, now, this_machine, write_json
from benchmarks.stats import percentile
from console.rights import Group
from console.routes import ROUTES
from console.session_store import SessionStore
from console.sessions import SESSIONS_TABLE, TOKEN_BYTES, begin_session
from local.configured_pool import configured_pool
from local.event_sources.config import read_config
from local.event_sources.http_gateway import Answer, rest_event
from local.processes import ProcessError
from local.stack import Stack, StackError, StackRunningError
from local.stack.state import StackFolder
from ops.manifests import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from local.runtime.pool import FunctionPool

REPORT_FILE: Final = ROOT / "build" / "console.json"
STACK_DIR: Final = ROOT / "build" / "console-bench"
FUNCTIONS: Final = ("score", "persist", "alert", "case", "label", "console")
PAGE_P95_MS: Final = 150.0

_NAMES: Final = tuple(
    (re.compile(re.sub(r"\{\w+\}", "[^/]+", route.path) + "$"), route.name) for route in ROUTES
)


class PageTimes(msgspec.Struct, frozen=True):
    """What a kind of page took at the function, ms."""

    requests: int
    median_ms: float
    p95_ms: float


class ConsoleReport(msgspec.Struct, frozen=True):
    """The benchmark's results."""

    at: datetime
    machine: Machine
    tps: float
    pages: dict[str, PageTimes]
    """By the name of the route."""
    figures: tuple[Figure, ...]


class ConsoleError(Exception):
    """A page that is no page."""


class Reader:
    """Somebody who reads page after page.

    Parameters
    ----------
    pool : FunctionPool
        Of the console.
    console_url : str
        Where the console says that it is.
    token : str
        Of the session.
    """

    def __init__(self, pool: FunctionPool, console_url: str, token: str) -> None:
        self._pool = pool
        self._headers = Message()
        self._headers["Host"] = console_url.partition("//")[2]
        self._headers["Cookie"] = f"console_session={token}"
        self._headers["Accept"] = "text/html"
        self.took_ms: dict[str, list[float]] = defaultdict(list)
        """By the name of the route."""

    def open(self, path: str) -> list[str]:
        """Open a page, and give the pages that it links to; ConsoleError unless it is one."""
        event = rest_event("GET", path, self._headers, b"", "127.0.0.1", time.time())
        result = self._pool.invoke(event)
        if result.error is not None:
            raise ConsoleError(f"{route_of(path)}: {result.error.type}: {result.error.message}")
        answer = msgspec.json.decode(result.payload, type=Answer)
        if answer.status != 200:
            raise ConsoleError(f"{route_of(path)}: status {answer.status}")
        if result.init_duration_ms is None:  # a cold start is another figure
            self.took_ms[route_of(path)].append(result.duration_ms)
        links = (unescape(link) for link in re.findall(r'href="(/[^"#]*)"', answer.content.decode()))
        return [link for link in dict.fromkeys(links) if not link.startswith(("/static/", "/queue?"))]


def route_of(path: str) -> str:
    """Name of the route that serves a path."""
    return next((name for pattern, name in _NAMES if pattern.match(path)), path)


def wait_for_cases(reader: Reader, is_on: Callable[[], bool]) -> None:
    """Open the queue until it has a case; ConsoleError if none comes while the load lasts. What that took is forgotten."""
    while "case" not in map(route_of, reader.open("/queue")):
        if not is_on():
            raise ConsoleError("no case was opened")
        time.sleep(0.5)
    reader.took_ms.clear()


def read_pages(reader: Reader, is_on: Callable[[], bool], max_cases: int = 20) -> None:
    """Read the queue, and what is reached from its first cases, again and again."""
    while is_on():
        cases = [link for link in reader.open("/queue") if route_of(link) == "case"][:max_cases]
        reader.open("/watch")
        reader.open("/search")
        for case in cases:
            if not is_on():
                return
            below = [link for link in reader.open(case) if link.startswith(f"{case}/")]
            for link in below[:3]:
                entities = [each for each in reader.open(link) if route_of(each) == "entity"]
                for entity in entities[:2]:
                    reader.open(entity)


def run(tps: float, seconds: float, progress: Callable[[str], None]) -> ConsoleReport:
    """Run the benchmark once.

    Parameters
    ----------
    tps : float
        Payments a second.
    seconds : float
        How long pages are read.
    progress : Callable
        Gets each step as a line.
    """
    at, machine = now(), this_machine()
    with Stack(STACK_DIR) as stack:
        stack.start(progress, functions=FUNCTIONS, ingestion=False)
        seed_profiles(stack.cache_endpoint)
        site = stack.resources.console
        if site is None:
            raise ConsoleError("the stack runs no console")
        token = secrets.token_urlsafe(TOKEN_BYTES)
        session = begin_session(token, "bench", "bench", (Group.LEAD,), datetime.now(UTC), timedelta(hours=2))
        table, log = stack.resources.tables[SESSIONS_TABLE], logging.getLogger(__name__)
        SessionStore(stack.client("dynamodb"), table, log).insert(session)
        pool = configured_pool(read_config(StackFolder(STACK_DIR).run_dir / "console.json"))
        try:
            reader = Reader(pool, site.url, token)
            load = Load(stack.bootstrap_servers, tps, seconds, payments("console"))
            load.start()
            progress(f"{tps:g} payments a second for {seconds:g} s")
            wait_for_cases(reader, lambda: load.is_running)
            read_pages(reader, lambda: load.is_running)
            load.finish()
        finally:
            pool.stop()
    return ConsoleReport(at, machine, tps, _times(reader.took_ms), (_page_figure(reader.took_ms, tps),))


def _times(took_ms: dict[str, list[float]]) -> dict[str, PageTimes]:
    return {
        name: PageTimes(len(each), percentile(each, 0.5), percentile(each, 0.95))
        for name, each in sorted(took_ms.items())
    }


def _page_figure(took_ms: dict[str, list[float]], tps: float) -> Figure:
    return Figure(
        key="console_page_p95",
        text=f"a page of the console at the function, beside {tps:g} payments a second, 95th percentile",
        value=percentile([each for every in took_ms.values() for each in every], 0.95),
        unit="ms",
        target=PAGE_P95_MS,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 0 if the target is reached, 1 if not, 2 if it could not be run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.console", description=__doc__)
    parser.add_argument("--tps", type=float, default=100.0, help="payments a second (default %(default)g)")
    parser.add_argument("--seconds", type=float, default=120.0, help="how long (default %(default)g)")
    parser.add_argument("--output", type=Path, default=REPORT_FILE, help="JSON (default %(default)s)")
    options = parser.parse_args(arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
    try:
        report = run(options.tps, options.seconds, lambda step: console.print(f"[dim]{step}[/]"))
    except (ConsoleError, LoadError, ProcessError, StackError, StackRunningError) as error:
        print(f"console: {error}", file=sys.stderr)
        return 2
    write_json(options.output, report)
    for name, each in report.pages.items():
        console.print(
            f"{name}: {each.requests} requests, median {each.median_ms:.0f} ms, p95 {each.p95_ms:.0f} ms"
        )
    console.print(figure_table("Console", report.figures))
    return 0 if all(figure.passed for figure in report.figures) else 1


if __name__ == "__main__":
    sys.exit(main())
