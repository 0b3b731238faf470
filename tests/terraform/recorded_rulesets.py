"""Runs of the functions that change the ruleset, or judge its model."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from common.ruleset_bucket import LAST_GOOD, kept_ruleset
from contract.rollout_rows import ROLLOUT_COUNTS_TABLE, counts_item, part_key
from contract.ruleset_change import RULESET_CHANGES_TABLE, ChangeKind, ChangeState, RulesetChange
from contract.ruleset_draft import Draft
from engine.rollout.counts import RolloutCounts
from engine.rollout.edits import with_share
from engine.rollout.settled import SettledCounts
from engine.rollout.start import with_candidate
from engine.rollout.stored import counts_to_bytes
from local.components.aws_api import make_client
from local.rulesets import Rulesets
from ops import rules
from ops.manifests import ROOT
from rules_validator.drafts import DraftChecker
from tests.support.planted import TURNED, TURNED_SHA256

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.terraform.recorded_functions import Functions


def run_guardrails(functions: Functions, dynamodb: Any) -> None:
    """A run that withdraws a candidate whose deployment is under way, and a report."""
    appconfig, rules = make_client("appconfig", functions.aws), functions.resources.rules
    default = (ROOT / "rules" / "default.yaml").read_text()
    bad = default.replace('version: "', 'version: "bad-') + f"\nmodel: {{sha256: {TURNED_SHA256}}}\n"
    document = with_candidate(default, bad, 10)
    bucket = functions.resources.buckets["rules"]
    make_client("s3", functions.aws).put_object(Bucket=bucket, Key=f"models/{TURNED_SHA256}", Body=TURNED)
    place = {"ApplicationId": rules.application, "EnvironmentId": rules.environment}
    active = appconfig.list_deployments(**place)["Items"][0]["DeploymentNumber"]
    profile = appconfig.get_deployment(**place, DeploymentNumber=active)["ConfigurationProfileId"]
    # Its share grows by the second one: the run stops that, and withdraws the candidate from the first.
    Rulesets(functions.aws, rules).deploy(document)
    growing = with_share(document, 20)
    version = appconfig.create_hosted_configuration_version(
        ApplicationId=rules.application,
        ConfigurationProfileId=profile,
        Content=growing.encode(),
        ContentType="application/json",
    )["VersionNumber"]
    appconfig.start_deployment(
        **place,
        DeploymentStrategyId="AppConfig.Linear20PercentEvery6Minutes",
        ConfigurationProfileId=profile,
        ConfigurationVersion=str(version),
    )
    alerts = {group: [0, 1, 30 + group % 3] for group in range(64)}
    users = dict.fromkeys(range(64), 100)
    _count(dynamodb, growing, RolloutCounts(users, alerts, settled=SettledCounts(users, alerts)))
    sentence = functions.invoke("guardrails", {})
    assert "allowed is at most" in sentence, sentence
    report = functions.invoke("guardrails", {"report": True})
    assert any("withdrawn" in change for change in report["changes"]), report


def run_deployer(functions: Functions) -> None:
    """A run that begins to deploy a candidate with a model that does not ship, and one that stops this and withdraws the candidate."""
    default = (ROOT / "rules" / "default.yaml").read_text()
    other = default.replace('version: "', 'version: "other-') + f"\nmodel: {{sha256: {TURNED_SHA256}}}\n"
    candidate = _approve(functions, ChangeKind.SHADOW, other)
    functions.invoke_changed(
        "ruleset_deployer", {}, RULES_GRADUAL_STRATEGY="AppConfig.Linear20PercentEvery6Minutes"
    )
    assert candidate().state is ChangeState.DEPLOYING, candidate().failure
    withdrawal = _approve(functions, ChangeKind.WITHDRAWN, "")
    functions.invoke("ruleset_deployer", {})
    assert withdrawal().state is ChangeState.DEPLOYED, withdrawal().failure


def _approve(functions: Functions, kind: ChangeKind, document: str) -> Callable[[], RulesetChange]:
    """Propose a change, and approve it; give what reads it again."""
    dynamodb, s3 = (make_client(service, functions.aws) for service in ("dynamodb", "s3"))
    where = rules.Place(RULESET_CHANGES_TABLE, functions.resources.buckets["rules"], "none")
    desk = rules.make_desk(dynamodb, s3, where)
    active = desk.active()
    assert active is not None
    bucket = functions.resources.buckets["rules"]
    checker = DraftChecker(partial(kept_ruleset, s3, bucket), lambda _: TURNED, lambda: datetime.now(UTC))
    draft = Draft(kind=kind, digest_before=active.digest, document=document)
    checked = checker.check(draft)
    assert checked.problems == (), checked.problems
    change = desk.propose(draft, checked, "ann", "recorded", datetime.now(UTC))
    assert isinstance(change, RulesetChange), change
    desk.approve(change.change_id, "bob", None, datetime.now(UTC))

    def stored() -> RulesetChange:
        found = desk.change(change.change_id)
        assert found is not None
        return found

    return stored


def run_drift(functions: Functions, dynamodb: Any) -> None:
    """A run with labels, and with a model that does not ship: the bucket has it since the guardrails' run."""
    document = f"{(ROOT / 'rules' / 'default.yaml').read_text()}\nmodel: {{sha256: {TURNED_SHA256}}}\n"
    bucket = functions.resources.buckets["rules"]
    make_client("s3", functions.aws).put_object(Bucket=bucket, Key=LAST_GOOD, Body=document.encode())
    _count(dynamodb, document, RolloutCounts({1: 1}))
    report = functions.invoke("drift", {})
    assert "labels of the last 30 days were read" in report, report


def _count(dynamodb: Any, document: str, counts: RolloutCounts) -> None:
    """What a process counted of a ruleset, now and two hours ago."""
    digest = hashlib.sha256(document.encode()).hexdigest()[:12]
    for hours in (0, 2):
        at = datetime.now(UTC) - timedelta(hours=hours)
        item = counts_item(digest, part_key(at, "p1"), counts_to_bytes(counts), at + timedelta(days=3))
        dynamodb.put_item(TableName=ROLLOUT_COUNTS_TABLE, Item=item)
