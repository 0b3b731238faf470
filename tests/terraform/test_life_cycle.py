"""The whole life of an environment, by the make targets, with the real provider, on the emulator.

One run serves all tests: bootstrap, plan, apply, a plan again, a change behind Terraform's back, a changed stage, destroy.
It writes build/infra-report.json.
"""

import json
import re
import time
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.terraform.workspace import ACCOUNT, Result, Right, Workspace, allowed

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.life_cycle,
    pytest.mark.timeout(1200),
]  # a minute of it is S3's lifecycle alone, as in AWS

BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/fraud-dev-boundary"

LOST_SETTING = 'module.functions["alert"].aws_sqs_queue.dead_letter'
"""What somebody changes by hand: how long the alert stage's dead letters are kept."""


class Life(msgspec.Struct):
    """What happened, step by step."""

    second_plan: Result
    drift: Result
    code_before: dict[str, str]
    code_plan: Result
    code_after: dict[str, str]
    second_apply_of_one_plan: Result
    backup: Result
    protected_destroy: Result
    unanswered_destroy: Result
    left: set[str]
    rights_by_role: dict[str, list[Right]]
    bounds: list[Right]
    resources: int
    seconds: dict[str, float]


def _planned(result: Result) -> int:
    """How many resources a plan changes, by its own last line."""
    found = re.search(r"^dev: (.+)\.$", result.output, re.MULTILINE)
    assert found is not None, result.output[-4000:]
    return sum(int(number) for number in re.findall(r"\d+", found[1]))


def _named(result: Result) -> list[str]:
    """What `make drift` names, drifted or not applied yet."""
    return re.findall(r"^(?:drift: |not applied yet: \w+ )(\S+)", result.output, re.MULTILINE)


@pytest.fixture(scope="module")
def life(repository: "Path", tmp_path_factory: pytest.TempPathFactory, emulator: str) -> Life:
    workspace = Workspace(repository, tmp_path_factory.mktemp("life"), emulator)
    seconds: dict[str, float] = {}

    def timed(name: str, target: str, answer: str = "", **variables: str) -> Result:
        started = time.monotonic()
        result = workspace.expect(target, answer, **variables)
        seconds[name] = round(time.monotonic() - started, 1)
        return result

    timed("bootstrap", "bootstrap", "yes", ENV="dev")
    before = workspace.standing()
    resources = _planned(timed("plan", "plan", ENV="dev"))
    timed("apply", "apply", ENV="dev")
    started = time.monotonic()
    second_plan = workspace.make("drift", ENV="dev")  # a whole plan, which names whatever is in it
    seconds["second_plan"] = round(time.monotonic() - started, 1)
    again = workspace.make("apply", ENV="dev")

    sqs = workspace.client("sqs")
    queue = sqs.get_queue_url(QueueName="fraud-dev-alert-dead-letter")["QueueUrl"]
    was = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["MessageRetentionPeriod"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"MessageRetentionPeriod": "3600"})
    drift = workspace.make("drift", ENV="dev")
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=was)

    code_before = workspace.code_by_function()
    with (workspace.folder / "functions/alert/handler.py").open("a") as handler:
        handler.write('\nCHANGED_BY_A_TEST = "yes"\n')
    code_plan = timed("code_plan", "plan", ENV="dev")
    timed("code_apply", "apply", ENV="dev")

    rights_by_role = workspace.rights_by_role(BOUNDARY)
    bounds = allowed(workspace.policy(BOUNDARY))
    backup = workspace.make("state-backup", ENV="dev")
    protected = workspace.make("destroy", "prod", ENV="prod")
    unanswered = workspace.make("destroy", "no", ENV="dev")
    code_after = workspace.code_by_function()
    timed("destroy", "destroy", "dev", ENV="dev")
    left = {
        name
        for name in workspace.standing() - before
        if not name.startswith("s3.buckets/fraud-terraform-state")
    }

    found = Life(
        second_plan,
        drift,
        code_before,
        code_plan,
        code_after,
        again,
        backup,
        protected,
        unanswered,
        left,
        rights_by_role,
        bounds,
        resources,
        seconds,
    )
    report = {
        "resources": resources,
        "seconds": seconds | {"total": round(sum(seconds.values()), 1)},
        "second_plan_changes": len(_named(second_plan)),
        "drift_found": _named(drift),
        "left_after_destroy": sorted(left),
    }
    (repository / "build/infra-report.json").write_text(json.dumps(report, indent=2) + "\n")
    return found


def test_a_second_plan_is_empty(life: Life) -> None:
    assert _named(life.second_plan) == [], life.second_plan.output[-8000:]
    assert life.second_plan.code == 0
    assert "dev: no drift." in life.second_plan.output
    assert life.resources > 150


def test_a_change_behind_terraforms_back_is_named(life: Life) -> None:
    # make itself answers 2 for any failure; the line says which resource and which setting.
    assert life.drift.code == 2, life.drift.output[-4000:]
    assert f"drift: {LOST_SETTING} was changed in AWS" in life.drift.output
    assert "message_retention_seconds" in life.drift.output
    assert _named(life.drift) == [LOST_SETTING]


def test_a_changed_stage_changes_that_function_and_no_other(life: Life) -> None:
    changed = {name for name, code in life.code_after.items() if life.code_before[name] != code}

    assert changed == {"fraud-dev-alert"}
    touched = set(re.findall(r"# (module\.\S+|aws_\S+) (?:will be|must be)", life.code_plan.output))
    assert touched
    assert {address.split(".aws_")[0] for address in touched} == {'module.functions["alert"]'}, touched


def test_only_a_saved_plan_is_applied(life: Life) -> None:
    assert life.second_apply_of_one_plan.code != 0
    assert "run `make plan ENV=dev` first" in life.second_apply_of_one_plan.output


def test_the_state_can_be_kept_on_this_machine(life: Life) -> None:
    assert life.backup.code == 0, life.backup.output
    assert re.search(r"build/state-backups/dev-\d+\.tfstate", life.backup.output)


def test_prod_is_destroyed_only_with_a_second_word(life: Life) -> None:
    assert life.protected_destroy.code != 0
    assert "CONFIRM=with-all-its-payments" in life.protected_destroy.output


def test_nothing_is_destroyed_without_the_environments_name(life: Life) -> None:
    assert life.unanswered_destroy.code != 0
    assert "dev stays" in life.unanswered_destroy.output


def test_destroy_leaves_nothing(life: Life) -> None:
    assert life.left == set()


def test_the_boundary_lets_every_role_do_what_its_policies_say(life: Life) -> None:
    # What a boundary leaves out fails in AWS at the first call, and on no emulator.
    beyond = [
        f"{role}: {right.action} on {right.resource}"
        for role, rights in life.rights_by_role.items()
        for right in rights
        if not any(right.is_within(bound) for bound in life.bounds)
    ]

    assert len(life.rights_by_role) >= 7
    assert beyond == []


def test_the_boundary_hands_out_no_right_over_rights(life: Life) -> None:
    over = [
        bound for bound in life.bounds if bound.action.startswith(("iam:", "sts:", "organizations:", "*"))
    ]

    assert over == []
