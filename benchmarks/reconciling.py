"""How fast the reconciler looks through the history when nothing is missing, on AWS's DynamoDB Local.

Run it by ``python -m benchmarks.reconciling --payments 20000``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger, Metrics

from contract.alert import AlertState
from contract.case import CaseKey, Judgement, owner_of, to_case_key
from contract.clock import time_text
from contract.flag_hour import FLAG_HOUR, flag_hour
from local.components.aws_api import make_client
from local.components.dynamodb_local import DynamoDbLocal
from local.provision import table_request
from ops.manifests import read_tables
from reconcile.stage import WORKERS, Reconciler
from reconcile.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

HOURS: Final = 2
"""Few, so that a part has as many payments as at a high rate: full pages and full requests."""
_BATCH: Final = 25
_ROW_BYTES: Final = 1500
_USERS: Final = 997


class NothingMissing:
    """A stage that is sent nothing, because nothing is missing."""

    def send(self, rows: Sequence[Mapping[str, Any]], _has_time: Callable[[], bool]) -> int:
        """Take no row."""
        if rows:
            raise ValueError(f"{len(rows)} payments of {HOURS} hours are missing, and none was lost")
        return 0


def _items(payments: int, now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give what is looked at of payments that were flagged, alerted on and put in cases, spread over the hours, in rows of the usual size."""
    for number in range(min(payments, _USERS)):
        yield "cases", {**to_case_key(CaseKey(owner_of(f"u-{number}"), 1)), "rest": {"B": bytes(_ROW_BYTES)}}
    for number in range(payments):
        at = now - timedelta(hours=HOURS) * (number + 1) / (payments + 1)
        event_key = f"{time_text(at)}#t-{number}"
        key = {"user_id": {"S": f"u-{number % _USERS}"}, "event_key": {"S": event_key}}
        rest = {"rest": {"B": bytes(_ROW_BYTES)}}
        yield "transaction_history", {**key, FLAG_HOUR: {"S": flag_hour(at, event_key)}, **rest}
        done = {
            "alert_state": {"S": AlertState.SENT.value},
            "case_id": {"S": CaseKey(owner_of(key["user_id"]["S"]), 1).case_id},
            "case_judgement": {"S": Judgement.UNDECIDED.value},
        }
        yield "flagged_transactions", {**key, **done, **rest}


def fill(client: Any, payments: int, now: datetime) -> None:
    """Store the rows of payments in both tables."""
    batch: dict[str, list[dict[str, Any]]] = {}
    for count, (table, item) in enumerate(_items(payments, now), 1):
        batch.setdefault(table, []).append({"PutRequest": {"Item": item}})
        if count % _BATCH == 0 or count == 2 * payments + min(payments, _USERS):
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
        for table in ("transaction_history", "flagged_transactions", "cases"):
            client.create_table(**table_request(table, read_tables()[table]))
            client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
        fill(client, options.payments, now)
        client.meta.events.register(
            "before-send.dynamodb", lambda **_: time.sleep(options.round_trip_ms / 1000)
        )
        tables = Tables(client, "transaction_history", "flagged_transactions", "cases", lambda _: None)
        reconciler = Reconciler(
            tables,
            NothingMissing(),
            NothingMissing(),
            NothingMissing(),
            timedelta(hours=HOURS),
            timedelta(0),
            Metrics(namespace="benchmarks", service="reconcile"),
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
