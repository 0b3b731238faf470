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
from local.demo import feed as feeds
from local.demo.account import take_account
from local.demo.outcome import show_report
from local.demo.report import make_report
from local.metrics import Snapshot, StackMetrics
from local.processes import ProcessError
from local.provision import LANDING_PREFIX
from local.stack import Stack, StackError, StackRunningError
from local.stack.stack import DEFAULT_RULESET
from local.watch import line, render
from ops.manifests import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.demo.feed import Feed
    from local.event_sources.config import MappingStatus

BUILD_DIR: Final = ROOT / "build"
STACK_FOLDER: Final = "demo"
"""Below the build folder, so that a stack of `make up` is left alone."""

REPORT_FILE: Final = "demo-report.json"
SNAPSHOT_SECONDS: Final = 1.0
LINE_SECONDS: Final = 5.0
"""Between two lines where there is no terminal."""

REST_MS: Final = 2_000
"""A function without work for so long has come to rest, if what feeds it has: streams are asked every few milliseconds."""

STALL_SECONDS: Final = 60.0
"""Nothing moves for so long, and not all is done: then something is missing, and the account tells what."""


class Progress:
    """Whether a run is done, or has stalled."""

    def __init__(self, feed: Feed, metrics: StackMetrics) -> None:
        self._rows = feed.transactions + feed.bad_rows
        self._metrics = metrics
        self._last: tuple[object, ...] = ()
        self._moved_at = time.monotonic()

    def is_over(self, snapshot: Snapshot) -> bool:
        """Whether everything that was dropped came through; or nothing has moved for a long time."""
        statuses = [self._metrics.mapping_status(name) for name in self._metrics.state.functions]
        counts = (
            snapshot.published,
            snapshot.landed_bad,
            snapshot.history,
            snapshot.flagged,
            snapshot.alerts,
            snapshot.suppressed,
        )
        now = time.monotonic()
        if counts != self._last:
            self._last, self._moved_at = counts, now
        arrived = (snapshot.published or 0) + (snapshot.landed_bad or 0) >= self._rows
        at_rest = all(status is not None and _rests(status) for status in statuses)
        quiet_s = now - self._moved_at
        return (arrived and at_rest and quiet_s * 1000 > REST_MS) or quiet_s > STALL_SECONDS


def _rests(status: MappingStatus) -> bool:
    return status.idle and status.idle_since_ms is not None and status.at_ms - status.idle_since_ms > REST_MS


def run(feed: Feed, tps: float, build_dir: Path, console: Console) -> bool:
    """Run the feed through a stack of its own; returns whether all is accounted for."""
    stack_dir = build_dir / STACK_FOLDER
    with Stack(stack_dir) as stack:
        stack.start(lambda step: console.print(f"[dim]{step}[/]"))
        s3, bucket = stack.client("s3"), stack.resources.buckets["landing"]

        def put_object(name: str, data: bytes) -> None:
            s3.put_object(Bucket=bucket, Key=f"{LANDING_PREFIX}{name}", Body=data)

        console.print(
            f"dropping {feed.transactions:,} transactions in {len(feed.files)} files ({feed.source})"
        )
        ends = threading.Event()
        began_at = datetime.now(UTC)
        dropping = threading.Thread(
            target=feeds.drop, args=(feed, tps, put_object, ends.wait, time.monotonic), daemon=True
        )
        dropping.start()
        try:
            _watch(feed, StackMetrics(stack_dir), console)
        finally:
            ends.set()
            dropping.join()
        account = take_account(stack)
        console.print("[dim]stopping everything[/]")
    report = make_report(feed, account, began_at)
    report_file = build_dir / REPORT_FILE
    report_file.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    show_report(report, account, console)
    console.print(f"[dim]report: {report_file}, logs: {stack.log_dir}[/]", soft_wrap=True)
    return report.reconciled


def _watch(feed: Feed, metrics: StackMetrics, console: Console) -> None:
    history = [metrics.snapshot()]
    progress = Progress(feed, metrics)
    if console.is_terminal:
        with Live(render(history), console=console, auto_refresh=False, transient=True) as live:
            while not progress.is_over(history[-1]):
                time.sleep(SNAPSHOT_SECONDS)
                history.append(metrics.snapshot())
                live.update(render(history), refresh=True)
        return
    next_line_at = 0.0
    while not progress.is_over(history[-1]):
        if time.monotonic() >= next_line_at:
            print(line(history), flush=True)
            next_line_at = time.monotonic() + LINE_SECONDS
        time.sleep(SNAPSHOT_SECONDS)
        history.append(metrics.snapshot())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; 0 where every transaction is accounted for."""
    options = _parser().parse_args(arguments)
    console = Console()
    # Stopped from outside it cleans up as on Ctrl-C, which a shell that starts it in the background has it ignore.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    now = datetime.now(UTC)
    try:
        if options.data is None:
            feed = feeds.simulated(options.transactions, options.users, options.seed, now)
        else:
            ruleset = parse_ruleset(DEFAULT_RULESET.read_text(), str(DEFAULT_RULESET))
            rates = ruleset.exchange.by_currency
            feed = feeds.own(options.data, options.map, rates, now, options.limit)
        return 0 if run(feed, options.tps, options.build_dir, console) else 1
    except (DatasetError, MappingError, ProcessError, StackError, StackRunningError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo: stopped; everything it started has ended", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument("--transactions", type=int, default=12_000, help="how many to simulate")
    parser.add_argument("--users", type=int, default=300, help="how many people pay")
    parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same people")
    parser.add_argument("--tps", type=float, default=400.0, help="transactions dropped a second")
    parser.add_argument("--data", type=Path, help="transactions of one's own: a file or a folder")
    parser.add_argument("--map", type=Path, help="YAML mapping of its columns")
    parser.add_argument("--limit", type=int, help="use only so many of its rows")
    parser.add_argument("--build-dir", type=Path, default=BUILD_DIR, help="where the report and the logs go")
    return parser


if __name__ == "__main__":
    sys.exit(main())
