"""The running stack as a live table: rates and backlog per stage, quarantined records and dead letters, the latest alerts.

``python -m local.watch`` shows it until Ctrl-C. Without a terminal it prints a line every few seconds instead.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from contract.alert import Severity
from local.stack import StackError
from local.stack.state import DEFAULT_BUILD_DIR
from local.stack_metrics import Snapshot, StackMetrics

if TYPE_CHECKING:
    from collections.abc import Sequence

REFRESH_SECONDS: Final = 1.0
LINE_SECONDS: Final = 5.0
"""Time between two lines without a terminal."""

RATE_SNAPSHOTS: Final = 6
"""Rates are over this many of the latest snapshots: steady enough to read, and still current."""

_COLOURS: Final = {Severity.MEDIUM: "yellow", Severity.HIGH: "red", Severity.CRITICAL: "bold red"}
_STAGES: Final = (
    # What the stage made, the field of its count, and the function whose backlog is in front of it.
    ("published to Kafka", "published", None),
    ("scored", "history", "score"),
    ("flagged", "flagged", "persist"),
    ("alerts sent", "alerts", "alert"),
)


def rate(history: Sequence[Snapshot], count: str) -> float | None:
    """Return how fast a count grew.

    Parameters
    ----------
    history : Sequence[Snapshot]
        Oldest first.
    count : str
        A count's field, such as ``published``.

    Returns
    -------
    float | None
        Per second over the given snapshots, at least 0; None if fewer than two of them have the count.
    """
    known: list[tuple[float, int]] = [
        (snapshot.monotonic_seconds, value)
        for snapshot in history
        if (value := getattr(snapshot, count)) is not None
    ]
    if len(known) < 2 or known[-1][0] <= known[0][0]:
        return None
    # Rows expire, and a queue can be emptied: a count that fell is a rate of 0.
    return max(0.0, (known[-1][1] - known[0][1]) / (known[-1][0] - known[0][0]))


def render(history: Sequence[Snapshot]) -> RenderableType:
    """Draw the stack as it is now.

    Parameters
    ----------
    history : Sequence[Snapshot]
        Oldest first, at least one; rates are over the latest :data:`RATE_SNAPSHOTS`.

    Returns
    -------
    RenderableType
        For rich's console or live display.
    """
    latest = history[-1]
    recent = list(history)[-RATE_SNAPSHOTS:]
    stages = Table(title=f"fraud detection, {latest.at:%H:%M:%S} UTC", title_justify="left", expand=True)
    stages.add_column("stage")
    for heading in ("count", "per second", "backlog"):
        stages.add_column(heading, justify="right")
    for name, count, function in _STAGES:
        backlog = latest.backlog.get(function) if function is not None else None
        stages.add_row(name, _whole(getattr(latest, count)), _decimal(rate(recent, count)), _whole(backlog))
    set_apart = Text.assemble(
        *_labelled("suppressed", latest.suppressed, ""),
        *_labelled("digests", latest.digests, ""),
        *_labelled("bad rows in files", latest.landed_bad, "yellow"),
        *_labelled("refunds in files", latest.refunds, ""),
        *_labelled("quarantined", latest.quarantined, "yellow"),
        *_labelled("dead letters", latest.dead_letters, "bold red"),
    )
    parts: list[RenderableType] = [stages, set_apart]
    if latest.latest_alerts:
        parts.append(_alerts(latest))
    parts += [Text(problem, style="red") for problem in latest.problems]
    return Group(*parts)


def line(history: Sequence[Snapshot]) -> str:
    """Describe the stack as it is now in one line, for a log; ``history`` as in :func:`render`."""
    latest = history[-1]
    recent = list(history)[-RATE_SNAPSHOTS:]
    said = [f"{latest.at:%H:%M:%S}"]
    for name, count, function in _STAGES:
        backlog = "" if function is None else f", backlog {_whole(latest.backlog.get(function))}"
        said.append(f"{name} {_whole(getattr(latest, count))} ({_decimal(rate(recent, count))}/s{backlog})")
    said += [f"quarantined {_whole(latest.quarantined)}", f"dead letters {_whole(latest.dead_letters)}"]
    said += latest.problems
    return "  ".join(said)


def _alerts(latest: Snapshot) -> Table:
    alerts = Table(title="latest alerts", title_justify="left", expand=True, show_header=False)
    alerts.add_column("at", no_wrap=True)
    alerts.add_column("score", justify="right", no_wrap=True)
    alerts.add_column("user", no_wrap=True, max_width=20)
    alerts.add_column("amount", justify="right", no_wrap=True)
    alerts.add_column("why", ratio=1)
    for alert in latest.latest_alerts:
        colour = _COLOURS[alert.severity]
        score = f"[{colour}]{alert.risk_score}[/]"
        # Ids and sentences come from input: a bracket in them must not be read as markup.
        why = escape(alert.sentence)
        alerts.add_row(f"{alert.alerted_at:%H:%M:%S}", score, escape(alert.user_id), alert.amount, why)
    return alerts


def _labelled(label: str, count: int | None, colour: str) -> list[tuple[str, str]]:
    return [(f" {label} ", "dim"), (_whole(count), colour if count else ""), ("  ", "")]


def _whole(count: int | None) -> str:
    return "–" if count is None else f"{count:,}"  # noqa: RUF001 (a dash, as tables have it)


def _decimal(count: float | None) -> str:
    return "–" if count is None else f"{count:,.1f}"  # noqa: RUF001


def main(arguments: Sequence[str] | None = None) -> int:
    """Show the stack until Ctrl-C; 1 if none is up."""
    parser = argparse.ArgumentParser(prog="python -m local.watch", description=__doc__)
    parser.add_argument("--build-dir", type=Path, default=DEFAULT_BUILD_DIR)
    options = parser.parse_args(arguments)
    # A shell that starts this in the background makes it ignore SIGINT.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        metrics = StackMetrics(options.build_dir)
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    history = deque([metrics.snapshot()], maxlen=RATE_SNAPSHOTS)
    console = Console()
    try:
        if not console.is_terminal:
            while True:
                print(line(history), flush=True)
                time.sleep(LINE_SECONDS)
                history.append(metrics.snapshot())
        with Live(render(history), console=console, auto_refresh=False, screen=True) as live:
            while True:
                time.sleep(REFRESH_SECONDS)
                history.append(metrics.snapshot())
                live.update(render(history), refresh=True)
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
