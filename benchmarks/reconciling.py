"""How fast the reconciler looks through the history when nothing is missing, on AWS's DynamoDB Local.

Run it by::

python -m benchmarks.reconciling --payments 20000
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aws_lambda_powertools import Logger

from contract.alert import AlertState
from contract.flagged import flag, to_flagged_item
from contract.scored import to_history_item
from local.components.aws_api import make_client
from local.components.dynamodb_local import DynamoDbLocal
from reconcile.stage import WORKERS, Reconciler
from reconcile.tables import Tables
from tests.support.payments import Metrics, make_scored, make_transaction
from tests.support.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

HOURS: Final = 2
"""Few, so that a part has as many payments as at a high rate: full pages and full requests."""
_BATCH: Final = 25


class NothingMissing:
    """A stage that is sent nothing, because nothing is missing."""

    def send(self, rows: Sequence[Mapping[str, Any]], _has_time: Callable[[], bool]) -> int:
        """Take no row."""
        if rows:
            raise ValueError(f"{len(rows)} payments of {HOURS} hours are missing, and none was lost")
        return 0


def _requests(payments: int, now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the rows of payments that were flagged and alerted on, spread over the hours."""
    for number in range(payments):
        at = now - timedelta(hours=HOURS) * (number + 1) / (payments + 1)
        scored = make_scored(
            make_transaction(user_id=f"u-{number % 997}", transaction_id=f"t-{number}"), scored_at=at
        )
        yield (
            "transaction_history",
            {**to_history_item(scored, 1_900_000_000), "features": {"B": scored.features}},
        )
        row = msgspec.structs.replace(flag(scored, at, timedelta(days=90)), alert_state=AlertState.SENT)
        yield "flagged_transactions", to_flagged_item(row)


def fill(client: Any, payments: int, now: datetime) -> None:
    """Store the rows of payments in both tables."""
    batch: dict[str, list[dict[str, Any]]] = {}
    for count, (table, item) in enumerate(_requests(payments, now), 1):
        batch.setdefault(table, []).append({"PutRequest": {"Item": item}})
        if count % _BATCH == 0 or count == 2 * payments:
            while batch:
                batch = client.batch_write_item(RequestItems=batch)["UnprocessedItems"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill the tables, look through them, and print what it took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reconciling", description=__doc__)
    parser.add_argument(
        "--payments", type=int, default=20_000, help=f"that are to be flagged, in {HOURS} hours"
    )
    parser.add_argument("--round-trip-ms", type=float, default=10.0, help="added to each request, ms")
    options = parser.parse_args(arguments)
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder, DynamoDbLocal(Path(folder), Path(folder)) as server:
        client: Any = make_client("dynamodb", server.endpoint)
        for table in ("transaction_history", "flagged_transactions"):
            make_table(client, table)
        fill(client, options.payments, now)
        client.meta.events.register(
            "before-send.dynamodb", lambda **_: time.sleep(options.round_trip_ms / 1000)
        )
        tables = Tables(client, "transaction_history", "flagged_transactions", lambda _: None)
        reconciler = Reconciler(
            tables,
            NothingMissing(),
            NothingMissing(),
            timedelta(hours=HOURS),
            timedelta(0),
            Metrics(),
            Logger(service="reconcile", level="ERROR"),
            lambda: now,
        )
        begun, cpu = time.perf_counter(), time.process_time()
        found = reconciler.run({}, lambda: True)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    if found["checked"] != options.payments:
        print(f"{found['checked']} of {options.payments} payments were looked at", file=sys.stderr)
        return 1
    print(
        f"{WORKERS} parts at a time: {options.payments} payments in {seconds:.1f} s, {options.payments / seconds:.0f} a second; "
        f"{cpu / options.payments * 1e6:.0f} µs of CPU each"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
