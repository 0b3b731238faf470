"""`make rules-deploy` and its neighbours: one identity proposes, another one approves, and the names are those of the callers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from common.ruleset_desk import DeskRefusal
from contract.ruleset_change import ChangeKind, ChangeState, RulesetChange
from ops import __main__ as ops
from ops import account, commands, rules
from ops.environment import read_environment
from ops.errors import OpsError
from ops.manifests import ROOT
from tests.support.deployer_world import FIRST, SECOND, DeployerWorld
from tests.support.moto_aws import aws
from tests.support.rules_environment import OUTPUTS, Validator
from tests.support.ruleset_world import BUCKET

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["aws"]

ANN, BOB = ("arn:aws:iam::1:user/ann", "arn:aws:sts::1:assumed-role/AWSReservedSSO_Rules_0a/bob")


class _Account:
    """The services of an account, and who calls."""

    def __init__(self, world: DeployerWorld) -> None:
        self.world = world
        self.caller = ANN
        self.validator: Any = Validator(world)

    def client(self, service: str, *_: object, **__: object) -> Any:
        return {
            "dynamodb": self.world.dynamodb,
            "s3": self.world.s3,
            "lambda": self,
            "sts": self,
        }[service]

    def invoke(self, *, FunctionName: str, Payload: bytes) -> Any:  # noqa: N803 - Lambda's names
        assert FunctionName == "fraud-dev-rules_validator:live"
        return self.validator.invoke(FunctionName="validator", Payload=Payload)

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": self.caller}

    def outputs(self) -> dict[str, Any]:
        return OUTPUTS


@pytest.fixture
def site(aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> _Account:
    made = _Account(DeployerWorld(aws("dynamodb"), aws("s3")))
    monkeypatch.setattr(commands, "ready", lambda _: made)
    monkeypatch.setattr(account, "client", made.client)
    return made


def _ops(*arguments: str) -> int:
    return ops.main([arguments[0], "--env", "dev", *arguments[1:]])


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "other.yaml"
    path.write_text(SECOND)
    return str(path)


def _waiting(site: _Account) -> RulesetChange:
    (change,) = site.world.desk.open_changes()
    return change


@pytest.mark.parametrize(
    ("options", "kind", "share"),
    [((), ChangeKind.TO_ALL, None), (("--share", "10"), ChangeKind.CANDIDATE, 10), (("--share", "0"), ChangeKind.SHADOW, 0)],
)  # fmt: skip
def test_a_file_is_proposed_under_the_name_of_the_caller_and_nothing_is_deployed(
    site: _Account,
    file: str,
    options: tuple[str, ...],
    kind: ChangeKind,
    share: float | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert _ops("rules-deploy", "--rules", file, "--reason", "a try", *options) == 0

    change = _waiting(site)
    assert (change.state, change.kind, change.candidate_share) == (ChangeState.PROPOSED, kind, share)
    assert (change.changed_by, change.reason) == (ANN, "a try")
    assert site.world.deployed() == [FIRST.encode()]
    assert f"make rules-approve ENV=dev CHANGE={change.change_id}" in capsys.readouterr().out


def test_another_caller_approves_it_and_waits_until_it_is_deployed(
    site: _Account, file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _ops("rules-deploy", "--rules", file)
    change_id = _waiting(site).change_id

    own = _ops("rules-approve", "--change", change_id)
    site.caller = BOB
    follow = rules.follow

    def deployed_meanwhile(desk: Any, change: str) -> RulesetChange:
        site.world.deployer.run()
        return follow(desk, change)

    monkeypatch.setattr(rules, "follow", deployed_meanwhile)
    other = _ops("rules-approve", "--change", change_id, "--note", "fine")

    assert (own, other) == (1, 0)
    printed = capsys.readouterr()
    assert "neither approves nor rejects it" in printed.err
    assert f"{change_id} is deployed in dev." in printed.out
    done = site.world.desk.change(change_id)
    assert done is not None
    assert (done.decided_by, done.decision_note) == (BOB, "fine")
    assert site.world.appconfig.active == SECOND.encode()


@pytest.fixture
def denying(site: _Account, tmp_path: Path) -> str:
    """The id of a change that puts a device on a list; pages mask it."""
    path = tmp_path / "denying.yaml"
    path.write_text(SECOND.replace("entries: []", "entries: [{value: device-7, note: stolen}]"))
    _ops("rules-deploy", "--rules", str(path))
    return _waiting(site).change_id


def test_entries_that_pages_mask_are_approved_by_who_has_seen_them(
    site: _Account, denying: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rules, "follow", lambda desk, change_id: desk.change(change_id))
    site.caller = BOB

    first, state, shown = (
        _ops("rules-approve", "--change", denying),
        _waiting(site).state,
        capsys.readouterr(),
    )
    second = _ops("rules-approve", "--change", denying)

    assert (first, state, second) == (1, ChangeState.PROPOSED, 0)
    assert "It concerns these entries of lists:\n  denied: device-7, listed for ever\n" in shown.out
    assert "device-7" not in capsys.readouterr().out
    approved = _waiting(site)
    assert (approved.state, approved.decided_by, approved.revealed_to) == (ChangeState.APPROVED, BOB, (BOB,))


@pytest.mark.parametrize(("caller", "decided", "refusal"), [(ANN, False, DeskRefusal.OWN_CHANGE), ("arn:aws:iam::1:user/eve", True, DeskRefusal.DECIDED)])  # fmt: skip
def test_who_may_not_approve_is_refused_at_once_and_sees_no_entry(
    site: _Account,
    denying: str,
    caller: str,
    decided: bool,
    refusal: DeskRefusal,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if decided:
        site.world.desk.reveal(denying, BOB)
        site.world.desk.approve(denying, BOB, None, site.world.now)
    site.caller = caller

    assert _ops("rules-approve", "--change", denying) == 1

    printed = capsys.readouterr()
    assert rules.REFUSALS[refusal] in printed.err
    assert "device-7" not in printed.out
    assert caller not in _waiting(site).revealed_to


def test_entries_that_cannot_be_read_were_seen_by_nobody(
    site: _Account, denying: str, capsys: pytest.CaptureFixture[str]
) -> None:
    site.caller = BOB
    for stored in site.world.s3.list_objects_v2(Bucket=BUCKET, Prefix="proposals/")["Contents"]:
        site.world.s3.delete_object(Bucket=BUCKET, Key=stored["Key"])

    assert _ops("rules-approve", "--change", denying) == 1

    assert "cannot be shown" in capsys.readouterr().err
    assert _waiting(site).revealed_to == ()


@pytest.mark.parametrize(("command", "caller", "state"), [("rules-reject", BOB, "rejected"), ("rules-retract", ANN, "retracted")])  # fmt: skip
def test_a_change_is_rejected_by_another_and_retracted_by_its_author(
    site: _Account, file: str, command: str, caller: str, state: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _ops("rules-deploy", "--rules", file)
    change_id = _waiting(site).change_id
    site.caller = caller

    assert _ops(command, "--change", change_id) == 0

    assert f"{change_id} is {state} in dev." in capsys.readouterr().out
    assert site.world.desk.open_changes() == []


def test_a_withdrawal_is_proposed_like_any_change(site: _Account, file: str) -> None:
    _ops("rules-deploy", "--rules", file, "--share", "10")
    site.world.desk.approve(_waiting(site).change_id, BOB, None, site.world.now)
    site.world.deployer.run()

    assert _ops("rules-withdraw", "--reason", "too many alerts") == 0

    change = _waiting(site)
    assert (change.kind, change.withdrawn_version) == (ChangeKind.WITHDRAWN, "2")


def test_the_changes_are_listed(site: _Account, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    _ops("rules-deploy", "--rules", file, "--reason", "a try")
    capsys.readouterr()

    assert _ops("rules-changes") == 0

    assert "proposed to_all: version 2; arn:aws:iam::1:user/ann: a try" in capsys.readouterr().out


def test_the_models_that_the_tree_has_go_into_the_bucket_first(site: _Account, tmp_path: Path) -> None:
    sha256 = json.loads((ROOT / "models" / "default.json").read_bytes())["sha256"]
    path = tmp_path / "with-model.yaml"
    path.write_text(f"{SECOND}model: {{sha256: {sha256}}}\n")

    _ops("rules-deploy", "--rules", str(path))

    keys = [
        each["Key"] for each in site.world.s3.list_objects_v2(Bucket=BUCKET, Prefix="models/")["Contents"]
    ]
    assert f"models/{sha256}" in keys


def test_a_file_that_does_not_exist_is_said(site: _Account, capsys: pytest.CaptureFixture[str]) -> None:
    assert _ops("rules-deploy", "--rules", "nowhere.yaml") == 1
    assert "There is no file nowhere.yaml; name the ruleset: RULES=." in capsys.readouterr().err
    assert _ops("rules-approve", "--change", "") == 1
    assert "Name the change: CHANGE=" in capsys.readouterr().err
    assert site.world.desk.open_changes() == []


def test_a_function_that_is_not_there_yet_has_no_report(site: _Account) -> None:
    assert site.caller
    with pytest.raises(OpsError, match="dev has no function drift yet; apply it first"):
        ops.report(read_environment("dev", ROOT), "drift")
