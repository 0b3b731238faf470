"""`make rules-deploy`: with a share the file becomes the candidate of the active ruleset, and either way the deployment has its row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from contract.items import from_item
from contract.ruleset_change import RULESET_CHANGES_TABLE, RulesetChange
from engine.rules.check import check_ruleset
from ops import __main__ as ops
from ops import account, commands
from ops.environment import read_environment
from ops.errors import OpsError
from ops.manifests import ROOT
from tests.support.appconfig_memory import MemoryAppConfig
from tests.support.rule_samples import HEAD, RULE

if TYPE_CHECKING:
    from collections.abc import Callable

ACTIVE = msgspec.json.encode(msgspec.yaml.decode(f"{HEAD}rules: {json.dumps([RULE])}\n"))
OTHER = f"{HEAD}rules: {json.dumps([RULE])}\n".replace('version: "1"', 'version: "2"')
OUTPUTS = {
    "rules": {
        "application_id": "a",
        "environment_id": "e",
        "profile_id": "p",
        "deployment_strategy_id": "s",
        "bucket": "rules",
    },
    "table_names": {"ruleset_changes": "fraud-dev-ruleset_changes"},
    "function_names": {"guardrails": "fraud-dev-guardrails"},
}


class _Account:
    """The services of an account, in memory."""

    def __init__(self) -> None:
        self.appconfig = MemoryAppConfig()
        self.appconfig.deploy(ACTIVE)
        self.rows: list[RulesetChange] = []

    def client(self, service: str, *_: object, **__: object) -> Any:
        return self.appconfig if service == "appconfig" else self

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": "arn:aws:iam::1:user/me"}

    def put_item(self, *, TableName: str, Item: dict[str, Any]) -> None:  # noqa: N803 - DynamoDB's names
        assert TableName == "fraud-dev-ruleset_changes"
        self.rows.append(from_item(RULESET_CHANGES_TABLE, Item, RulesetChange))

    def outputs(self) -> dict[str, Any]:
        return OUTPUTS


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> _Account:
    made = _Account()
    monkeypatch.setattr(commands, "ready", lambda _: made)
    monkeypatch.setattr(account, "client", made.client)
    monkeypatch.setattr(MemoryAppConfig, "list_deployments", lambda self, **_: {"Items": self.deployments})
    return made


@pytest.fixture
def deploy(tmp_path: Path) -> Callable[[float | None], int]:
    file = tmp_path / "other.yaml"
    file.write_text(OTHER)
    environment = read_environment("dev", ROOT)
    return lambda share: ops.rules_deploy(environment, file, share, "a try")


def test_with_a_share_the_file_becomes_the_candidate_of_the_active_ruleset(
    site: _Account, deploy: Callable[[float | None], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy(10.0) == 0

    active = check_ruleset(site.appconfig.active, "active")
    assert active.candidate is not None
    assert (active.version, active.candidate.ruleset.version) == ("1", "2")
    (row,) = site.rows
    assert (row.changed_by, row.reason, row.deployment) == ("arn:aws:iam::1:user/me", "a try", 2)
    assert (row.digest_before, row.digest_after) == (check_ruleset(ACTIVE, "before").digest, active.digest)
    assert (row.candidate_version, row.candidate_share) == ("2", 10.0)
    assert "is the candidate for 10% of the users in dev as version 2." in capsys.readouterr().out


def test_without_a_share_the_file_takes_the_place_of_the_active_ruleset_and_its_candidate(
    site: _Account, deploy: Callable[[float | None], int]
) -> None:
    deploy(10.0)

    assert deploy(None) == 0

    active = check_ruleset(site.appconfig.active, "active")
    assert (active.version, active.candidate) == ("2", None)
    assert [row.candidate_version for row in site.rows] == ["2", None]


def test_a_file_that_does_not_exist_is_said(site: _Account) -> None:
    with pytest.raises(OpsError, match=r"There is no file nowhere\.yaml; name the ruleset: RULES="):
        ops.rules_deploy(read_environment("dev", ROOT), Path("nowhere.yaml"), None, "r")
    assert site.rows == []


def test_a_function_that_is_not_there_yet_has_no_report(site: _Account) -> None:
    assert site.rows == []
    with pytest.raises(OpsError, match="dev has no function drift yet; apply it first"):
        ops.report(read_environment("dev", ROOT), "drift")
