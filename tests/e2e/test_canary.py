"""The canary on the whole stack: its function from its zip at an interval, through Spark, Kafka and all stages, to its own queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from contract.canary import CANARY_RULE_ID, canary_users, is_canary, is_flagged_canary
from contract.flagged import CANARY, FLAGGED_TABLE, from_flagged_item
from contract.scored import Decision
from local.event_sources.config import status_file
from local.event_sources.process import MappingProcess
from local.resources import ALERT_INBOX
from local.runtime.function_metrics import sum_metrics
from local.stack.parts import build_zips, mapping_config
from local.stack.state import StackFolder
from ops.manifests import read_functions

if TYPE_CHECKING:
    from tests.e2e.conftest import System


def test_a_canary_comes_out_as_row_and_alert_and_nobody_else_gets_it(system: System) -> None:
    # A run every ten seconds looks for the payments of the minute before: with its own minute at hand, for those of the last run.
    build_zips(["canary"], system.stack.log_dir)
    folder = StackFolder(system.build_dir)
    config = mapping_config(read_functions()["canary"], system.stack.resources, folder, system.stack.state)
    config = msgspec.structs.replace(
        config, schedule_seconds=10.0, environment=config.environment | {"EVERY_MINUTES": "1"}
    )
    before = system.metrics.snapshot()
    process = MappingProcess(config, status_file(folder.run_dir / "canary.json", "canary"))
    process.mapping.start()
    try:
        log = system.stack.log_dir / "canary.log"
        system.wait_for(lambda: "CanaryLatencyMs" in sum_metrics(log), "an alert on the canary")
        runs = process.mapping.counters.batches
        system.wait_for(lambda: process.mapping.counters.batches > runs + 1, "one more run")
    finally:
        process.mapping.stop()
        process.pool.stop()

    metrics = sum_metrics(log)
    assert process.mapping.counters.failures == 0
    assert metrics["CanaryRowsMissing"] < process.mapping.counters.batches, "some run found the row"
    assert metrics["CanaryAlertsMissing"] < process.mapping.counters.batches, "some run found the alert"
    flagged = [from_flagged_item(item) for item in _scan(system, FLAGGED_TABLE)]
    canaries = [row for row in flagged if is_canary(row.user_id)]
    assert {row.status for row in canaries} == {CANARY}
    held = [row for row in canaries if is_flagged_canary(row.user_id)]
    assert held
    assert {(row.decision, row.rule_ids) for row in held} == {(Decision.REVIEW, (CANARY_RULE_ID,))}
    # Later ones of the same minute look like a test of cards; in AWS a user pays every twenty minutes.
    plain, _ = canary_users(held[0].occurred_at)
    assert system.history(plain)[0].decision is Decision.APPROVE
    after = system.metrics.snapshot()
    assert (after.alerts, after.quarantined) == (before.alerts, before.quarantined)
    assert after.landed_bad == before.landed_bad
    inbox = system.stack.client("sqs").receive_message(
        QueueUrl=system.stack.resources.queues[ALERT_INBOX], MaxNumberOfMessages=10, VisibilityTimeout=0
    )
    assert all("canary-" not in message["Body"] for message in inbox.get("Messages", []))


def _scan(system: System, table: str) -> list[dict[str, dict[str, str]]]:
    name = system.stack.resources.tables[table]
    items: list[dict[str, dict[str, str]]] = system.stack.client("dynamodb").scan(TableName=name)["Items"]
    return items
