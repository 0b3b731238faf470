"""Planted bad candidates on the running stack: each is deployed as people deploy it, and taken out by the guardrails while payments go on.

``build/rollout-report.json`` says how long that took and which payments were harmed.
"""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import yaml
from confluent_kafka import Producer

from contract.active_ruleset import ACTIVE
from contract.clock import TRUSTED_FEED_HEADER, TRUSTED_FEED_VALUE
from contract.items import from_item
from contract.ruleset_change import RULESET_CHANGES_TABLE, ChangeKind, RulesetChange
from contract.scored import HISTORY_TABLE, Decision, from_history_item
from contract.side import Side
from engine.rollout.guard import Action
from local.deploy_ruleset import main as deploy
from local.rulesets import Rulesets
from local.stack import Stack
from ops.manifests import ROOT
from simulator import SimulationConfig, simulate
from tests.support.planted import BAD, TURNED, TURNED_SHA256, with_the_default_model
from tests.support.rollouts import counted, first_finding, rollout

from .conftest import TOPIC, System

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from contract.scored import ScoredTransaction
    from contract.truth import SentPayment

RATE = 60
"""Payments a second."""
MINUTES = 12
"""For which payments go on; a candidate that is still there then is a failure."""
SHARE = 10
GOOD_RUNS = 20
REPORT = ROOT / "build" / "rollout-report.json"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The stages that a rollout needs."""
    build_dir = tmp_path_factory.mktemp("rollouts")
    with Stack(build_dir) as stack:
        stack.start(ingestion=False, functions=["score", "guardrails", "ruleset_deployer"])
        stack.client("s3").put_object(
            Bucket=stack.resources.buckets["rules"], Key=f"models/{TURNED_SHA256}", Body=TURNED
        )
        yield System(stack, build_dir)


class Payments:
    """Simulated payments that go on until they are stopped; each is sent with the time at which it is made."""

    def __init__(self, bootstrap_servers: str, seed: int) -> None:
        count = RATE * MINUTES * 60
        self._config = SimulationConfig(
            seed=seed,
            users=count // 40,
            transactions=count,
            ends_at=datetime.now(UTC),
            span=timedelta(
                days=360
            ),  # users have a past of 60 days after two minutes, and ten payments after three
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
            if number % RATE == 0:
                self._producer.flush(30)
                self._stopped.wait(max(begin + number / RATE - time.monotonic(), 0))


def _changes(site: System) -> list[RulesetChange]:
    items = site.stack.client("dynamodb").scan(TableName=RULESET_CHANGES_TABLE)["Items"]
    changes = [
        from_item(RULESET_CHANGES_TABLE, item, RulesetChange)
        for item in items
        if item["change_key"]["S"] != ACTIVE
    ]
    return sorted(changes, key=lambda change: change.change_key)


def _rows(site: System) -> list[ScoredTransaction]:
    pages = site.stack.client("dynamodb").get_paginator("scan").paginate(TableName=HISTORY_TABLE)
    return [from_history_item(item) for page in pages for item in page["Items"]]


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


@pytest.mark.timeout(3_600)
def test_planted_candidates_are_withdrawn_within_minutes_and_a_good_one_is_not(
    site: System, tmp_path: Path
) -> None:
    trials = []
    for seed, (name, change) in enumerate(BAD.items(), 1):
        version = f"planted-{seed}"
        with Payments(site.stack.bootstrap_servers, seed) as payments:
            _deploy(site, change, version, tmp_path)

            def withdrawn(version: str = version) -> RulesetChange | None:
                found = [each for each in _changes(site) if each.withdrawn_version == version]
                return found[0] if found else None

            withdrawal = site.wait_for(withdrawn, f"the withdrawal of {name}", seconds=MINUTES * 60)
            time.sleep(20)  # until processes have polled the new version
        deployed = next(each for each in _changes(site) if each.candidate_version == version)
        rows = [row for row in _rows(site) if row.transaction.transaction_id in payments.sent]
        deployed_at = deployed.ended_at or deployed.changed_at
        of_candidate = [row.scored_at for row in rows if row.side is Side.CANDIDATE]
        last = max(of_candidate, default=withdrawal.changed_at)
        trials.append(
            {
                "candidate": name,
                "where": "local stack",
                "payments_a_second": RATE,
                "share_percent": SHARE,
                "seconds_to_withdrawal": round((withdrawal.changed_at - deployed_at).total_seconds()),
                "seconds_to_its_last_decision": round((last - deployed_at).total_seconds()),
                "reason": withdrawal.reason,
                **_harm(rows, payments.sent),
            }
        )
        assert withdrawal.kind is ChangeKind.WITHDRAWN
        assert last - withdrawal.changed_at < timedelta(seconds=90)
    REPORT.write_text(json.dumps({"withdrawn": trials, "kept": _good_runs()}, indent=1))

    active = Rulesets(site.stack.aws_endpoint, site.stack.resources.rules).active()
    assert "candidate" not in yaml.safe_load(active)


def _good_runs() -> dict[str, Any]:
    """The good candidate on twenty simulations, judged each minute as the guardrails do; in this process."""
    rules = rollout(with_the_default_model)
    found = [first_finding(rules, counted(rules, seed, payments=1_500))[1] for seed in range(GOOD_RUNS)]
    withdrawn = sum(each.action is not Action.KEEP for each in found)
    assert withdrawn == 0
    return {
        "candidate": "the default rules with the default model",
        "runs": GOOD_RUNS,
        "withdrawn": withdrawn,
        "where": "engine",
    }
