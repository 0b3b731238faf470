"""Health and counts of the stack: sends each part a request, not only checks its process. ``python -m local.status``."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from local.components.aws_api import AwsApi, make_client
from local.components.broker import Broker, is_kafka_up
from local.components.cache import Cache, is_cache_up
from local.event_sources.config import MappingConfigError
from local.stack import StackError
from local.stack.parts import INGESTION, INGESTION_OUTPUT, mapping_process_name, read_ingestion
from local.stack.state import DEFAULT_BUILD_DIR, StackFolder
from local.stack_metrics import Snapshot, StackMetrics

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ANSWER_SECONDS: Final = 5.0
"""Time that a part may take to answer."""

MAPPING_AGE_SECONDS: Final = 10.0
"""Oldest status of a mapping that counts; it writes one twice a second."""


class Health(msgspec.Struct, frozen=True):
    """The health of one part."""

    part: str
    healthy: bool
    detail: str


def check(metrics: StackMetrics, build_dir: Path = DEFAULT_BUILD_DIR) -> list[Health]:
    """Check every part of a running stack.

    Parameters
    ----------
    metrics : StackMetrics
        Of the stack.
    build_dir : Path
        Its build folder.

    Returns
    -------
    list[Health]
        One for each part: the servers, the Glue job if it was started, the functions.
    """
    state = metrics.state
    asked: dict[str, Callable[[], Health]] = {
        Broker.name: lambda: _answered(Broker.name, is_kafka_up(state.bootstrap_servers, ANSWER_SECONDS)),
        Cache.name: lambda: _answered(Cache.name, is_cache_up(state.cache_endpoint, ANSWER_SECONDS)),
        AwsApi.name: lambda: _check_aws_api(state.aws_endpoint),
    }
    if state.ingestion:
        asked[INGESTION] = lambda: _check_ingestion(StackFolder(build_dir).log_dir)
    for function in state.functions:
        asked[mapping_process_name(function)] = lambda name=function: _check_mapping(metrics, name)  # type: ignore[misc]
    records = {record.name: record for record in state.processes}
    return [
        ask()
        if name in records and records[name].find() is not None
        else Health(name, False, "its process has ended")
        for name, ask in asked.items()
    ]


def _answered(part: str, is_up: bool) -> Health:
    return Health(
        part, is_up, "answers" if is_up else f"runs, but does not answer within {ANSWER_SECONDS:.0f} s"
    )


def _check_aws_api(endpoint: str) -> Health:
    try:
        tables = make_client("dynamodb", endpoint).list_tables()["TableNames"]
    except (BotoCoreError, ClientError) as error:
        return Health(AwsApi.name, False, str(error))
    return Health(AwsApi.name, True, f"answers; {len(tables)} tables")


def _check_ingestion(log_dir: Path) -> Health:
    progress = read_ingestion(log_dir)
    if not progress.ready:
        return Health(INGESTION, False, "its query does not run yet")
    if progress.labels.failure:
        return Health(INGESTION, False, f"its query of labels failed: {progress.labels.failure}")
    if not progress.batches:
        return Health(INGESTION, True, "its query runs; no file has arrived yet")
    age_seconds = time.time() - (log_dir / INGESTION_OUTPUT).stat().st_mtime
    return Health(
        INGESTION, True, f"its query runs; {progress.batches} batches, the last {age_seconds:.0f} s ago"
    )


def _check_mapping(metrics: StackMetrics, function: str) -> Health:
    part = mapping_process_name(function)
    try:
        status = metrics.mapping_status(function)
    except MappingConfigError as error:
        return Health(part, False, str(error))
    if status is None:
        return Health(part, False, "has not written a status yet")
    age_seconds = time.time() - status.at_ms / 1000
    if age_seconds > MAPPING_AGE_SECONDS:
        return Health(part, False, f"has written no status for {age_seconds:.0f} s")
    counters = status.counters
    detail = f"{status.state}; {counters.records} records in {counters.batches} batches, {counters.failures} failures"
    if status.last_error is not None:
        detail += f"; last: {status.last_error}"
    return Health(part, status.state == "running", detail)


def print_report(console: Console, parts: Sequence[Health], counts: Snapshot) -> None:
    """Print health and counts as tables."""
    health = Table(box=None, show_header=False, pad_edge=False)
    for part in parts:
        mark = "[green]healthy[/]" if part.healthy else "[bold red]NOT HEALTHY[/]"
        health.add_row(part.part, mark, escape(part.detail))
    console.print(health)
    numbers = {
        "published": counts.published,
        "history rows": counts.history,
        "flagged rows": counts.flagged,
        "alerts sent": counts.alerts,
        "suppressed": counts.suppressed,
        "digests": counts.digests,
        "bad rows in files": counts.landed_bad,
        "refunds in files": counts.refunds,
        "quarantined": counts.quarantined,
        "dead letters": counts.dead_letters,
        **{f"backlog of {name}": backlog for name, backlog in counts.backlog.items()},
    }
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, number in numbers.items():
        table.add_row(name, "unknown" if number is None else f"{number:,}")
    console.print(table)
    for problem in counts.problems:
        console.print(escape(problem), style="red")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print health and counts; 1 if a part is not healthy, or no stack is up."""
    parser = argparse.ArgumentParser(prog="python -m local.status", description=__doc__)
    parser.add_argument("--build-dir", type=Path, default=DEFAULT_BUILD_DIR)
    options = parser.parse_args(arguments)
    try:
        metrics = StackMetrics(options.build_dir)
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    parts = check(metrics, options.build_dir)
    print_report(Console(soft_wrap=True), parts, metrics.snapshot())
    return 0 if all(part.healthy for part in parts) else 1


if __name__ == "__main__":
    sys.exit(main())
