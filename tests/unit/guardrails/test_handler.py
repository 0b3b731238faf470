"""The Lambda as deployed: it reads function.yaml's environment, judges at an event of the schedule, and reports when asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from contract.rollout_rows import counts_item, part_key
from engine.rollout.stored import counts_to_bytes
from engine.rules.check import check_ruleset
from lab.function_answer import read_answer
from tests.support.appconfig_memory import MemoryAppConfig
from tests.support.cold_start import cold_start, declare_environment, emitted
from tests.support.payments import NOW, Context
from tests.support.tables import make_table
from tests.unit.guardrails.world import BAD, ROLLOUT

if TYPE_CHECKING:
    from collections.abc import Callable

EVENT = {"version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}


@pytest.fixture
def appconfig(aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> MemoryAppConfig:
    """AppConfig with a candidate that left its band, and the other services on moto."""
    declare_environment("guardrails", monkeypatch)
    monkeypatch.setenv("RULES_APPLICATION", "a")
    monkeypatch.setenv("RULES_ENVIRONMENT", "e")
    for table in ("rollout_counts", "ruleset_changes"):
        make_table(aws("dynamodb"), table)
    memory = MemoryAppConfig()
    memory.deploy(ROLLOUT)
    digest = check_ruleset(ROLLOUT, "test").digest
    item = counts_item(digest, part_key(NOW, "p1"), counts_to_bytes(BAD), NOW)
    aws("dynamodb").put_item(TableName="rollout_counts", Item=item)
    made = boto3.client
    monkeypatch.setattr(
        boto3, "client", lambda name, **other: memory if name == "appconfig" else made(name, **other)
    )
    return memory


def test_handler_withdraws_the_candidate_keeps_the_document_and_records_the_change(
    appconfig: MemoryAppConfig,
    aws: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    module = cold_start("guardrails", monkeypatch)
    aws("s3").create_bucket(Bucket=module.settings.rules_bucket)

    module.handler(EVENT, Context())

    digest = check_ruleset(appconfig.active, "after").digest
    kept = aws("s3").get_object(Bucket=module.settings.rules_bucket, Key=f"rulesets/{digest}")["Body"].read()
    assert kept == appconfig.active
    rows = aws("dynamodb").scan(TableName="ruleset_changes")["Items"]
    assert {row["kind"]["S"] for row in rows if "kind" in row} >= {"withdrawn"}
    assert [row["digest"]["S"] for row in rows if row["change_key"]["S"] == "active"] == [digest]
    assert emitted(capsys)["CandidatesWithdrawn"] == [1.0]


def test_handler_reports_when_it_is_asked_and_changes_nothing(
    appconfig: MemoryAppConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = cold_start("guardrails", monkeypatch).handler({"report": True}, Context())

    text = read_answer(json.dumps(answer).encode()).text
    assert "Candidate 2 beside 1" in text
    assert "6,400 payments" in text
    assert len(appconfig.deployments) == 1
