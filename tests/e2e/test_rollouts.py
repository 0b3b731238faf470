"""Planted bad rules and candidates on the running stack: each is taken out by the guardrails while payments go on.

One stream of payments goes through all of them: users get a past once, as fast as the stack scores, and then a payment comes every 17 ms. ``build/rollout-report.json`` says
how long each was there and which payments were harmed. A good candidate is judged in ``tests/unit/engine/rollout/test_guard.py``: no run of minutes would show that it stays.
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import yaml
from confluent_kafka import Producer

from contract.active_ruleset import ACTIVE
from contract.clock import TRUSTED_FEED_HEADER, TRUSTED_FEED_VALUE
from contract.items import from_item
from contract.ruleset_change import GUARDRAILS, RULESET_CHANGES_TABLE, ChangeKind, RulesetChange
from contract.scored import HISTORY_TABLE, Decision, from_history_item
from contract.side import Side
from local.deploy_ruleset import main as deploy
from local.event_sources.config import status_file
from local.event_sources.process import MappingProcess
from local.rulesets import Rulesets
from local.stack import Stack
from local.stack.parts import build_zips, mapping_config
from local.stack.state import StackFolder
from ops.manifests import ROOT, read_functions
from simulator import SimulationConfig, simulate
from tests.support.planted import BAD, TURNED, TURNED_SHA256

from .conftest import TOPIC, System

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from contract.scored import ScoredTransaction
    from contract.truth import SentPayment

RATE = 60
"""Payments a second, once users have a past."""
PAST = 13_000
"""Payments before, as fast as the stack scores them: three months in which most users make more than ten."""
MINUTES = 15
"""For which payments go on after that; a candidate that is still there then is a failure."""
USERS = 1_080
JUDGED_EVERY_SECONDS = 10.0
"""In the place of a minute."""
SHARE = 10
LIMITED = {"id": "limited", "points": 1, "reason": "r", "when": "amount_base > 60.0", "max_share": 5.0}
"""A rule of the champion that holds for a third of all payments, six times as often as it may."""
REPORT = ROOT / "build" / "rollout-report.json"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The stages that a rollout needs; the default rules and :data:`LIMITED` decide at first, and the guardrails judge more often than each minute."""
    build_dir = tmp_path_factory.mktemp("rollouts")
    document = yaml.safe_load((ROOT / "rules" / "default.yaml").read_text())
    document["rules"].append(LIMITED)
    first = build_dir / "first.yaml"
    first.write_text(json.dumps(document))
    with Stack(build_dir, first) as stack:
        stack.start(ingestion=False, functions=["score", "ruleset_deployer"])
        stack.client("s3").put_object(
            Bucket=stack.resources.buckets["rules"], Key=f"models/{TURNED_SHA256}", Body=TURNED
        )
        build_zips(["guardrails"], stack.log_dir)
        folder = StackFolder(build_dir)
        config = mapping_config(read_functions()["guardrails"], stack.resources, folder, stack.state)
        config = msgspec.structs.replace(config, schedule_seconds=JUDGED_EVERY_SECONDS)
        guardrails = MappingProcess(config, status_file(folder.run_dir / "guardrails.json", "guardrails"))
        guardrails.mapping.start()
        try:
            yield System(stack, build_dir)
        finally:
            guardrails.mapping.stop()
            guardrails.pool.stop()


class Payments:
    """Simulated payments: a past at once, and then :data:`RATE` a second until they are stopped; each has the time at which it is made in the simulation."""

    def __init__(self, bootstrap_servers: str, seed: int) -> None:
        self._config = SimulationConfig(
            seed=seed,
            users=USERS,
            transactions=PAST + RATE * MINUTES * 60,
            ends_at=datetime.now(UTC),
            span=timedelta(days=480),
        )
        self._producer = Producer({"bootstrap.servers": bootstrap_servers})
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._send_all)
        self.sent: dict[str, SentPayment] = {}

    def __enter__(self) -> Payments:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def newest_users(self) -> list[str]:
        """Users of the dozen payments that were sent last."""
        return [str(payment.record["user_id"]) for payment in list(self.sent.values())[-12:]]

    def last_of_past(self) -> tuple[str, str] | None:
        """User and id of the payment with which the past ends; None until it is sent."""
        sent = list(self.sent.items())[PAST - 1 : PAST]
        return (str(sent[0][1].record["user_id"]), sent[0][0]) if sent else None

    def _send_all(self) -> None:
        begin = time.monotonic()
        for number, payment in enumerate(simulate(self._config)):
            if self._stopped.is_set():
                return
            self.sent[str(payment.record["transaction_id"])] = payment
            self._producer.produce(
                TOPIC,
                msgspec.json.encode(payment.record),
                key=str(payment.record["user_id"]),
                headers={TRUSTED_FEED_HEADER: TRUSTED_FEED_VALUE},
            )
            if number < PAST:
                begin = time.monotonic()
            if number % RATE == 0:
                self._producer.flush(30)
                self._stopped.wait(max(begin + (number - PAST) / RATE - time.monotonic(), 0))


def _changes(site: System) -> list[RulesetChange]:
    items = site.stack.client("dynamodb").scan(TableName=RULESET_CHANGES_TABLE)["Items"]
    changes = [
        from_item(RULESET_CHANGES_TABLE, item, RulesetChange)
        for item in items
        if item["change_key"]["S"] != ACTIVE
    ]
    return sorted(changes, key=lambda change: change.change_key)


def _rows_by_ruleset(site: System) -> dict[str, list[ScoredTransaction]]:
    """All rows, by the digest of the document that decided."""
    rows: dict[str, list[ScoredTransaction]] = defaultdict(list)
    for page in site.stack.client("dynamodb").get_paginator("scan").paginate(TableName=HISTORY_TABLE):
        for item in page["Items"]:
            row = from_history_item(item)
            rows[_digest_of(row)].append(row)
    return rows


def _digest_of(row: ScoredTransaction) -> str:
    return row.ruleset_version.rpartition("+")[2]


def _newest_row(site: System, user_id: str) -> ScoredTransaction | None:
    items = site.stack.client("dynamodb").query(
        TableName=HISTORY_TABLE,
        KeyConditionExpression="user_id = :user",
        ExpressionAttributeValues={":user": {"S": user_id}},
        ScanIndexForward=False,
        Limit=1,
    )["Items"]
    return from_history_item(items[0]) if items else None


def _deploy(site: System, change: Callable[[dict[str, Any]], None], version: str, folder: Path) -> None:
    document = yaml.safe_load((ROOT / "rules" / "default.yaml").read_text())
    change(document)
    document["version"] = version
    file = folder / f"{version}.yaml"
    file.write_text(json.dumps(document))
    arguments = [str(file), "--build-dir", str(site.build_dir), "--share", str(SHARE), "--reason", "a test"]
    assert deploy(arguments) == 0


def _harm(rows: list[ScoredTransaction], sent: dict[str, SentPayment]) -> dict[str, int]:
    """Payments of the candidate's users that it decided worse than the champion would have."""
    decided = [row for row in rows if row.side is Side.CANDIDATE and row.other is not None]
    frauds = {key for key, payment in sent.items() if payment.truth.is_fraud}
    stopped = [
        row
        for row in decided
        if row.transaction.transaction_id not in frauds
        and row.decision is not Decision.APPROVE
        and row.other is not None
        and row.other.decision is Decision.APPROVE
    ]
    let_through = [
        row
        for row in decided
        if row.transaction.transaction_id in frauds
        and row.decision is Decision.APPROVE
        and row.other is not None
        and row.other.decision is not Decision.APPROVE
    ]
    return {
        "payments_scored": len(rows),
        "decided_by_the_candidate": len(decided),
        "honest_payments_stopped": len(stopped),
        "frauds_let_through": len(let_through),
    }


def _made(site: System, kind: ChangeKind, withdrawn_version: str | None = None) -> RulesetChange:
    """Wait for a change that the guardrails make."""

    def found() -> RulesetChange | None:
        mine = [each for each in _changes(site) if each.changed_by == GUARDRAILS and each.kind is kind]
        return next(
            (each for each in mine if each.was_deployed and each.withdrawn_version == withdrawn_version), None
        )

    return site.wait_for(found, f"a change of the guardrails: {kind}", seconds=MINUTES * 60)


def _wait_until_all_decide_by(site: System, payments: Payments, digest: str) -> None:
    """Wait until the newest payments of a dozen users were decided by a document: then each process has it."""

    def has() -> bool:
        rows = [_newest_row(site, user_id) for user_id in payments.newest_users()]
        return all(row is not None and _digest_of(row) == digest for row in rows)

    site.wait_for(has, f"all processes to decide by {digest}")


def _wait_until_past_is_scored(site: System, payments: Payments) -> None:
    def is_scored() -> bool:
        last = payments.last_of_past()
        rows = [] if last is None else site.history(last[0])
        return any(last is not None and row.transaction.transaction_id == last[1] for row in rows)

    site.wait_for(is_scored, "the past to be scored", seconds=300)


@pytest.mark.timeout(3_600)
def test_a_rule_that_holds_too_often_is_suspended_and_planted_candidates_are_withdrawn_within_minutes(
    site: System, tmp_path: Path
) -> None:
    withdrawals: dict[str, RulesetChange] = {}
    with Payments(site.stack.bootstrap_servers, seed=1) as payments:
        suspension = _made(site, ChangeKind.SUSPENDED)
        _wait_until_past_is_scored(site, payments)
        for number, (name, change) in enumerate(BAD.items(), 1):
            version = f"planted-{number}"
            _deploy(site, change, version, tmp_path)
            withdrawals[name] = _made(site, ChangeKind.WITHDRAWN, version)
        _wait_until_all_decide_by(site, payments, withdrawals[name].digest_after)
    rows = _rows_by_ruleset(site)
    of_candidate = {
        each.candidate_version: each for each in _changes(site) if each.kind is ChangeKind.CANDIDATE
    }
    trials = []
    for name, withdrawal in withdrawals.items():
        deployed = of_candidate[withdrawal.withdrawn_version]
        deployed_at = deployed.ended_at or deployed.changed_at
        decided = rows[deployed.deployed_digest]
        last = max(row.scored_at for row in decided if row.side is Side.CANDIDATE)
        trials.append(
            {
                "candidate": name,
                "where": "local stack",
                "payments_a_second": RATE,
                "share_percent": SHARE,
                "judged_every_seconds": JUDGED_EVERY_SECONDS,
                "seconds_to_withdrawal": round((withdrawal.changed_at - deployed_at).total_seconds()),
                "seconds_to_its_last_decision": round((last - deployed_at).total_seconds()),
                "reason": withdrawal.reason,
                **_harm(decided, payments.sent),
            }
        )
        assert last - withdrawal.changed_at < timedelta(seconds=90)
    held = [
        (row.scored_at, digest)
        for digest, some in rows.items()
        for row in some
        if any(reason.rule_id == LIMITED["id"] for reason in row.reasons)
    ]
    suspended = {
        "rule": LIMITED["when"],
        "reason": suspension.reason,
        "payments_for_which_it_held": len(held),
    }
    REPORT.write_text(json.dumps({"withdrawn": trials, "suspended": suspended}, indent=1))

    assert suspension.suspended_rule_ids == (LIMITED["id"],)
    assert {digest for _, digest in held} == {suspension.digest_before}
    assert max(at for at, _ in held) - suspension.changed_at < timedelta(seconds=90)
    active = yaml.safe_load(Rulesets(site.stack.aws_endpoint, site.stack.resources.rules).active())
    assert "candidate" not in active
    assert [rule["mode"] for rule in active["rules"] if rule["id"] == LIMITED["id"]] == ["suspended"]
