"""A candidate is made from the active document, its models are put into the bucket, and its row says who deployed it."""

from __future__ import annotations

import argparse
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError

import lab.models
from contract.items import from_item
from contract.ruleset_change import RULESET_CHANGES_TABLE, ChangeKind, RulesetChange
from engine.rules.check import check_ruleset
from ops import rollout
from ops.errors import OpsError
from tests.support.rule_samples import HEAD, RULE
from tests.support.two_models import rules_naming, two_models

WHERE = {"application_id": "a", "environment_id": "e", "profile_id": "p"}
AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
ACTIVE = f"{HEAD}rules: {json.dumps([RULE])}\n".encode()
OTHER = ACTIVE.replace(b'version: "1"', b'version: "2"')


class FakeAppConfig:
    def __init__(self, *states: str) -> None:
        self.states = states

    def list_deployments(self, **_: Any) -> dict[str, Any]:
        numbered = enumerate(self.states, 1)
        return {
            "Items": [
                {"DeploymentNumber": n, "State": s, "ConfigurationVersion": str(10 + n)} for n, s in numbered
            ]
        }

    def get_hosted_configuration_version(self, **asked: Any) -> dict[str, Any]:
        return {"Content": io.BytesIO(f"version {asked['VersionNumber']}".encode())}


@pytest.mark.parametrize(
    ("states", "version"), [(("COMPLETE", "COMPLETE"), 12), (("COMPLETE", "ROLLED_BACK"), 11)]
)
def test_the_active_document_is_the_last_that_is_not_undone(states: tuple[str, ...], version: int) -> None:
    assert rollout.active_document(FakeAppConfig(*states), WHERE) == f"version {version}".encode()


def test_a_deployment_that_is_under_way_is_waited_for() -> None:
    with pytest.raises(OpsError, match="A deployment is baking; wait"):
        rollout.active_document(FakeAppConfig("COMPLETE", "BAKING"), WHERE)


def test_a_candidate_needs_an_active_ruleset() -> None:
    assert rollout.active_document(FakeAppConfig("ROLLED_BACK"), WHERE) is None
    with pytest.raises(OpsError, match="No ruleset is active yet"):
        rollout.make_candidate(None, OTHER, 10)


def test_a_candidate_is_made_and_its_row_says_who_deployed_what() -> None:
    document = rollout.make_candidate(ACTIVE, OTHER, 10)

    change = rollout.deployed(ACTIVE, document, by="arn:me", reason="a try", deployment=4, at=AT)

    assert (change.kind, change.changed_by, change.reason) == (ChangeKind.DEPLOYED, "arn:me", "a try")
    assert (change.version_after, change.candidate_version, change.candidate_share) == ("1", "2", 10.0)
    assert change.digest_before == check_ruleset(ACTIVE, "before").digest
    assert change.digest_after == check_ruleset(document, "after").digest
    assert change.deployment == 4


def test_a_ruleset_of_another_currency_cannot_be_a_candidate() -> None:
    with pytest.raises(OpsError, match="The ruleset cannot be a candidate: the candidate's base_currency"):
        rollout.make_candidate(ACTIVE, OTHER.replace(b"USD", b"GBP"), 10)


def test_the_models_that_the_tree_has_are_put_into_the_bucket_with_their_training_windows() -> None:
    model = Path("models/default.json").read_bytes()
    sha256 = json.loads(model)["sha256"]
    put: dict[str, bytes] = {}

    class Bucket:
        def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803 - S3's names
            put[f"{Bucket}/{Key}"] = Body

    document = {"model": {"sha256": sha256}, "candidate": {"model": {"sha256": "0" * 64}}}

    assert rollout.put_models(Bucket(), "rules", json.dumps(document).encode()) == [sha256]
    baseline = Path("models/default.baseline").read_bytes()
    assert put == {f"rules/models/{sha256}": model, f"rules/models/{sha256}.baseline": baseline}


def test_a_model_without_a_baseline_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Bucket:
        def put_object(self, **_: Any) -> None:
            pass

    models, said = two_models(tmp_path / "models"), list[str]()
    monkeypatch.setattr(lab.models, "MODELS", tmp_path / "models")

    rollout.put_models(Bucket(), "rules", rules_naming(*models).encode(), said.append)

    assert said == [
        f"model {sha256[:12]} has no baseline in models/: without one its drift is not measured"
        for sha256 in models
    ]


def test_a_row_that_may_not_be_written_is_said_and_does_not_stop_the_deployment() -> None:
    class Table:
        def __init__(self, *, is_refused: bool) -> None:
            self.is_refused = is_refused
            self.items: list[dict[str, Any]] = []

        def put_item(self, *, TableName: str, Item: dict[str, Any]) -> None:  # noqa: N803 - DynamoDB's names
            if self.is_refused:
                raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "PutItem")
            self.items.append({TableName: Item})

    change = rollout.deployed(None, ACTIVE, by="me", reason="r", deployment=1, at=AT)
    taken, refused, said = Table(is_refused=False), Table(is_refused=True), list[str]()

    rollout.record(taken, "changes", change, said.append)
    rollout.record(refused, "changes", change, said.append)

    assert from_item(RULESET_CHANGES_TABLE, taken.items[0]["changes"], RulesetChange) == change
    assert len(said) == 1
    assert "AccessDeniedException" in said[0]


def test_the_report_is_the_functions_text_and_its_failure_an_error() -> None:
    class Function:
        def __init__(self, answer: dict[str, Any]) -> None:
            self.answer = answer

        def invoke(self, **sent: Any) -> dict[str, Any]:
            assert msgspec.json.decode(sent["Payload"]) == {"report": True}
            return self.answer

    good = Function({"Payload": io.BytesIO(b'"two\\nlines"')})
    bad = Function({"Payload": io.BytesIO(b"why"), "FunctionError": "Unhandled"})

    assert rollout.report_of(good, "f:live") == ("two\nlines", None)
    with pytest.raises(OpsError, match="f:live failed: why"):
        rollout.report_of(bad, "f:live")


@pytest.mark.parametrize(("text", "share"), [("0", 0.0), ("12.5", 12.5), ("50", 50.0)])
def test_a_share_is_a_percentage_up_to_half(text: str, share: float) -> None:
    parser = argparse.ArgumentParser()
    rollout.add_options(parser)

    assert parser.parse_args(["--share", text]).share == share
    with pytest.raises(SystemExit):
        parser.parse_args(["--share", "51"])
