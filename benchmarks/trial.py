"""How many payments a second a trial of a proposed ruleset compares, as the replay function works on it, on AWS's DynamoDB Local.

Run it by ``python -m benchmarks.trial --payments 10000``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aws_lambda_powertools import Logger

from common.trial_rows import TrialRows
from contract.ruleset_change import document_digest, document_sha256
from contract.scored import to_history_item
from contract.trial_row import TrialState, asked
from contract.tried import TryJob, TryRequest
from engine.rules.ruleset import parse_ruleset
from lab.models import kept_model
from lab.simulated_rows import ENDS_AT, EXPIRES_AT_S, simulated_rows
from local.components.aws_api import make_client
from local.components.dynamodb_local import DynamoDbLocal
from local.provision import table_request
from ops.manifests import ROOT, read_tables
from replay.known_verdicts import KnownVerdictsTables
from replay.sample import HistorySample
from replay.trial import Bounds, Trial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contract.trial_row import TrialRow
    from engine.rules.ruleset import Ruleset

DAYS: Final = 90
_SEED: Final = 7
_BATCH: Final = 25
_TABLES: Final = ("transaction_history", "flagged_transactions", "entity_risk", "rollout_counts")


class Both:
    """The default ruleset, and a proposed one that differs by its version alone: it has as much to evaluate."""

    def __init__(self) -> None:
        text = (ROOT / "rules" / "default.yaml").read_text()
        after = text.replace('\nversion: "', '\nversion: "proposed-', 1)
        self.before, self._after = (
            parse_ruleset(text, "before", kept_model),
            parse_ruleset(after, "after", kept_model),
        )
        self.request = TryRequest(
            proposal=document_sha256(after.encode()),
            digest_before=document_digest(text.encode()),
            is_candidate=False,
            days=DAYS,
        )

    def ruleset(self, digest: str) -> Ruleset:
        """Give the ruleset that decides."""
        if digest != self.request.digest_before:
            raise ValueError(f"{digest} is not the default ruleset, {self.request.digest_before}")
        return self.before

    def proposed(self, sha256: str) -> Ruleset:
        """Give the proposed ruleset."""
        if sha256 != self.request.proposal:
            raise ValueError(f"{sha256} is not the proposed ruleset, {self.request.proposal}")
        return self._after


def fill(client: Any, payments: int, ruleset: Ruleset) -> int:
    """Store the rows of simulated payments; give how many there are."""
    batch: list[dict[str, Any]] = []
    rows = 0

    def send() -> None:
        left: Any = {"transaction_history": batch} if batch else {}
        while left:
            left = client.batch_write_item(RequestItems=left)["UnprocessedItems"]
        batch.clear()

    for each in simulated_rows(payments, _SEED, ruleset):
        item: dict[str, Any] = to_history_item(each.row, EXPIRES_AT_S)
        item["features"] = {"B": each.row.features}  # boto3 encodes it
        batch.append({"PutRequest": {"Item": item}})
        rows += 1
        if len(batch) == _BATCH:
            send()
    send()
    return rows


def run(client: Any, both: Both, payments: int) -> TrialRow:
    """Work on one trial as the function does; give its row at the end."""
    rows = TrialRows(client, "rollout_counts")
    row = asked(both.request, "benchmark", ENDS_AT)
    rows.replace(row, None)
    begun = time.monotonic()
    Trial(
        rows,
        HistorySample(client, "transaction_history"),
        KnownVerdictsTables(client, "entity_risk", "flagged_transactions", lambda _: None),
        both,
        Bounds(2 * payments, timedelta(minutes=9)),
        lambda: ENDS_AT + timedelta(seconds=time.monotonic() - begun),
        Logger(service="replay", level="ERROR"),
    ).handle(msgspec.to_builtins(TryJob(job_id=row.job_id, request=both.request)), timedelta(minutes=10))
    return rows.row(both.request.trial_id) or row


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill the history, try a ruleset on it, and print what it took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trial", description=__doc__)
    parser.add_argument("--payments", type=int, default=10_000, help="that are simulated")
    parser.add_argument("--round-trip-ms", type=float, default=5.0, help="added to each request, ms")
    options = parser.parse_args(arguments)
    both = Both()
    with tempfile.TemporaryDirectory() as folder, DynamoDbLocal(Path(folder), Path(folder)) as server:
        client: Any = make_client("dynamodb", server.endpoint)
        for table in _TABLES:
            client.create_table(**table_request(table, read_tables()[table]))
            client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
        rows = fill(client, options.payments, both.before)
        client.meta.events.register("before-send.dynamodb", partial(_wait, options.round_trip_ms / 1000))
        begun, cpu = time.perf_counter(), time.process_time()
        row = run(client, both, options.payments)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    found = row.found
    if row.state is not TrialState.DONE or found is None or not found.payments or found.share_read < 1:
        print(f"the trial is {row.state} {row.problem}: {found}", file=sys.stderr)
        return 1
    print(
        f"{found.payments} of {rows} payments in {seconds:.1f} s, {found.payments / seconds:.0f} a second; "
        f"{cpu / found.payments * 1e6:.0f} µs of CPU each"
    )
    return 0


def _wait(seconds: float, **_: object) -> None:
    time.sleep(seconds)


if __name__ == "__main__":
    sys.exit(main())
