"""Run the demo: ``python -m local.demo [--transactions N] [--data FILE [--map FILE]]``."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from rich.console import Console
from rich.live import Live

from contract.errors import MappingError
from engine.rules.ruleset import parse_ruleset
from lab.datasets import DatasetError
from lab.pages.html import write_page
from local.demo import feed as feeds
from local.demo.final_state import read_final_state
from local.demo.page import demo_page
from local.demo.printing import print_report
from local.demo.report import make_report
from local.processes import ProcessError
from local.resources import LANDING_PREFIX
from local.stack import Stack, StackError, StackRunningError
from local.stack.stack import DEFAULT_RULESET
from local.stack_metrics import Snapshot, StackMetrics
from local.watch import line, render
from ops.manifests import ROOT
from simulator.landing import BACKFILL_FOLDER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from local.demo.feed import Feed
    from local.event_sources.config import MappingStatus

BUILD_DIR: Final = ROOT / "build"
STACK_FOLDER: Final = "demo"
"""Below the build folder, so that the demo does not touch a stack of `make up`."""

REPORT_FILE: Final = "demo-report.json"
PAGE_FILE: Final = "reports/demo.html"
SNAPSHOT_SECONDS: Final = 1.0
LINE_SECONDS: Final = 5.0
"""Time between two lines of progress when the output is not a terminal."""

IDLE_MS: Final = 2_000
"""A function that had no work for this long is idle, if everything before it is: streams are polled every few milliseconds."""

STALL_SECONDS: Final = 60.0
"""If no count changes for this long, the run ends even though payments are missing; the report names them."""


class CompletionCheck:
    """Decides when a run is over: everything has arrived, or nothing changes any more."""

    def __init__(self, feed: Feed, metrics: StackMetrics) -> None:
        self._rows = feed.transactions + feed.bad_rows
        self._metrics = metrics
        self._last: tuple[object, ...] = ()
        self._changed_at = time.monotonic()

    def is_over(self, snapshot: Snapshot) -> bool:
        """Whether every row has been processed, or no count has changed for ``STALL_SECONDS``."""
        statuses = [self._metrics.mapping_status(name) for name in self._metrics.state.functions]
        counts = (
            snapshot.published,
            snapshot.landed_bad,
            snapshot.refunds,
            snapshot.history,
            snapshot.flagged,
            snapshot.alerts,
            snapshot.suppressed,
        )
        now = time.monotonic()
        if counts != self._last:
            self._last, self._changed_at = counts, now
        landed = (snapshot.published, snapshot.landed_bad, snapshot.refunds)
        arrived = sum(count or 0 for count in landed) >= self._rows
        all_idle = all(status is not None and _is_idle(status) for status in statuses)
        unchanged_s = now - self._changed_at
        return (arrived and all_idle and unchanged_s * 1000 > IDLE_MS) or unchanged_s > STALL_SECONDS


def _is_idle(status: MappingStatus) -> bool:
    return status.idle and status.idle_since_ms is not None and status.at_ms - status.idle_since_ms > IDLE_MS


def run(feed: Feed, tps: float, build_dir: Path, console: Console) -> bool:
    """Run the feed through a stack of its own; True if every transaction is accounted for."""
    stack_dir = build_dir / STACK_FOLDER
    with Stack(stack_dir) as stack:
        # The report accounts for every record; the canary's are none of the demo's.
        stack.start(lambda step: console.print(f"[dim]{step}[/]"), disabled_schedules=["canary"])
        s3, bucket = stack.client("s3"), stack.resources.buckets["landing"]

        def put_object(name: str, data: bytes) -> None:
            s3.put_object(Bucket=bucket, Key=f"{LANDING_PREFIX}{BACKFILL_FOLDER}/{name}", Body=data)

        console.print(
            f"dropping {feed.transactions:,} transactions in {len(feed.files)} files ({feed.source})"
        )
        stops = threading.Event()
        began_at = datetime.now(UTC)
        dropping = threading.Thread(
            target=feeds.drop, args=(feed, tps, put_object, stops.wait, time.monotonic), daemon=True
        )
        dropping.start()
        try:
            _watch(feed, StackMetrics(stack_dir), console)
        finally:
            stops.set()
            dropping.join()
        final_state = read_final_state(stack)
        console.print("[dim]stopping everything[/]")
    report = make_report(feed, final_state, began_at)
    report_file = build_dir / REPORT_FILE
    report_file.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    page_file = build_dir / PAGE_FILE
    write_page(demo_page(report, final_state), page_file, datetime.now(UTC))
    print_report(report, final_state, console)
    console.print(
        f"[dim]report: {page_file}, figures: {report_file}, logs: {stack.log_dir}[/]", soft_wrap=True
    )
    return report.reconciled


def _watch(feed: Feed, metrics: StackMetrics, console: Console) -> None:
    history = [metrics.snapshot()]
    check = CompletionCheck(feed, metrics)
    if console.is_terminal:
        with Live(render(history), console=console, auto_refresh=False, transient=True) as live:
            while not check.is_over(history[-1]):
                time.sleep(SNAPSHOT_SECONDS)
                history.append(metrics.snapshot())
                live.update(render(history), refresh=True)
        return
    next_line_at = 0.0
    while not check.is_over(history[-1]):
        if time.monotonic() >= next_line_at:
            print(line(history), flush=True)
            next_line_at = time.monotonic() + LINE_SECONDS
        time.sleep(SNAPSHOT_SECONDS)
        history.append(metrics.snapshot())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the whole system on this machine, and check that every transaction arrives exactly once; if one does not, exit with 1."""
    options = _parser().parse_args(arguments)
    console = Console()
    # SIGTERM cleans up as Ctrl-C does. SIGINT is set too: a shell that starts the demo in the background makes it ignore SIGINT.
    interrupted = threading.Event()

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        interrupted.set()
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, interrupt)
    try:
        feed = _feed(options, datetime.now(UTC))
        return 0 if run(feed, options.tps, options.build_dir, console) else 1
    except KeyboardInterrupt:
        pass
    # Interrupted in the middle of a call, a library may raise an error of its own: Kafka's client has made it a TypeError.
    except (DatasetError, MappingError, ProcessError, StackError, StackRunningError) as error:
        if not interrupted.is_set():
            print(f"demo: {error}", file=sys.stderr)
            return 1
    except Exception:
        if not interrupted.is_set():
            raise
    print("demo: stopped; everything it started has ended", file=sys.stderr)
    return 130


def _feed(options: argparse.Namespace, now: datetime) -> Feed:
    if options.data is None:
        return feeds.simulated(options.transactions, options.users, options.seed, now)
    ruleset = parse_ruleset(DEFAULT_RULESET.read_text(), str(DEFAULT_RULESET))
    return feeds.own(options.data, options.map, ruleset.exchange.by_currency, now, options.limit)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=main.__doc__)
    parser.add_argument("--transactions", type=int, default=12_000, help="how many to simulate")
    parser.add_argument("--users", type=int, default=300, help="how many people pay")
    parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same people")
    parser.add_argument("--tps", type=float, default=400.0, help="transactions dropped a second")
    parser.add_argument("--data", type=Path, help="instead: your own transactions, a file or a folder")
    parser.add_argument("--map", type=Path, help="which of its columns is which field, YAML")
    parser.add_argument("--limit", type=int, help="use at most this many of its rows")
    parser.add_argument(
        "--build-dir", type=Path, default=BUILD_DIR, help="folder for the report and the logs"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
