"""What must be true of an environment's whole life. All of these tests use the results of one life.

`life_cycle.py` runs it. `conftest.py` starts it before the other infrastructure tests and runs these tests last.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.terraform.iam import reference
from tests.terraform.life_cycle import LIFE_SECONDS, NEW_STAGE, actions, named, planned
from tests.terraform.workspace import ACCOUNT, Right

if TYPE_CHECKING:
    from pathlib import Path

    from tests.terraform.life_cycle import Life

pytestmark = [pytest.mark.life_cycle, pytest.mark.timeout(LIFE_SECONDS + 60)]

LOST_SETTING = 'module.functions["alert"].aws_sqs_queue.dead_letter'
"""The resource that is changed by hand: its setting is how long the alert stage's dead letters are kept."""

ON_ALL_RESOURCES = {
    "cloudwatch:DescribeAlarms",
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeVpcAttribute",
    "ec2:UnassignPrivateIpAddresses",
}
"""What AppConfig (its guide), Lambda and Glue (AWS's managed policies) ask for on all resources, although IAM knows narrower ones."""


def test_every_environments_file_is_planned(life: Life, repository: Path) -> None:
    folders = {file.parent.name for file in (repository / "terraform/environments").glob("*/*.tfvars")}

    assert {"dev", *life.plans} == folders
    assert [name for name, plan in life.plans.items() if planned(plan) < life.resources] == []


def test_a_second_plan_is_empty(life: Life) -> None:
    assert named(life.second_plan) == [], life.second_plan.output[-8000:]
    assert life.second_plan.code == 0
    assert "dev: no drift." in life.second_plan.output
    assert life.resources > 150


def test_a_change_outside_terraform_is_reported(life: Life) -> None:
    # make returns 2 for any failure; the line names the resource and the setting.
    assert life.drift.code == 2, life.drift.output[-4000:]
    assert f"drift: {LOST_SETTING} was changed in AWS" in life.drift.output
    assert "message_retention_seconds" in life.drift.output
    assert named(life.drift) == [LOST_SETTING]


def test_a_changed_stage_changes_that_function_and_no_other(life: Life) -> None:
    changed = {name for name, code in life.code_after.items() if life.code_before[name] != code}

    assert changed == {"fraud-dev-alert"}
    touched = actions(life.code_plan)
    assert touched
    assert {address.split(".aws_")[0] for address in touched} == {'module.functions["alert"]'}, touched


def test_a_new_folder_is_a_new_function_and_changes_no_other(life: Life) -> None:
    touched = actions(life.stage_plan)
    created = {address for address, action in touched.items() if action == "created"}

    own = f'module.functions["{NEW_STAGE}"].'
    alarms = {address for address in created if not address.startswith(own)}
    assert {f"{own}aws_lambda_function.this", f"{own}aws_lambda_alias.live"} <= created
    assert alarms
    assert [
        address
        for address in alarms
        if not re.fullmatch(
            rf'module\.observability\.aws_cloudwatch_metric_alarm\.symptom\["[a-z-]+-{NEW_STAGE}"\]', address
        )
    ] == []
    # The dashboard and the two composite alarms list all alarms.
    assert {address: action for address, action in touched.items() if address not in created} == {
        "module.observability.aws_cloudwatch_dashboard.this": "updated in-place",
        "module.observability.aws_cloudwatch_composite_alarm.page": "updated in-place",
        "module.observability.aws_cloudwatch_composite_alarm.ticket": "updated in-place",
    }


def test_only_a_saved_plan_is_applied(life: Life) -> None:
    assert life.second_apply_of_one_plan.code != 0
    assert "run `make plan ENV=dev` first" in life.second_apply_of_one_plan.output


def test_the_state_can_be_backed_up_on_this_machine(life: Life) -> None:
    assert life.backup.code == 0, life.backup.output
    assert re.search(r"build/state-backups/dev-\d+\.tfstate", life.backup.output)


def test_prod_is_destroyed_only_with_a_second_confirmation(life: Life) -> None:
    assert life.protected_destroy.code != 0
    assert "CONFIRM=with-all-its-payments" in life.protected_destroy.output


def test_nothing_is_destroyed_without_the_environments_name(life: Life) -> None:
    assert life.unanswered_destroy.code != 0
    assert "dev was not destroyed" in life.unanswered_destroy.output


def test_an_environment_that_does_not_run_all_the_time_is_started_by_one_command(life: Life) -> None:
    assert life.start.code == 0, life.start.output
    assert "The pollers of transaction_stream are started." in life.start.output
    assert "Job fraud-dev-stream-transactions is started." in life.start.output


def test_destroy_leaves_nothing(life: Life) -> None:
    assert life.left == set()


def test_destroy_removes_what_operators_left_before_terraform_meets_it(life: Life) -> None:
    # AppConfig keeps a profile with versions, and EC2 a subnet and a group with an interface in them.
    before_terraform = life.destroy.output.split("Terraform will perform")[0]

    assert "Version 2 of ruleset is deleted." in before_terraform
    assert "Job fraud-dev-stream-transactions is stopped." in before_terraform
    assert re.search(r"^Network interface eni-\w+ is deleted\.$", before_terraform, re.MULTILINE)


def test_the_boundary_allows_every_role_what_its_policies_allow(life: Life) -> None:
    # A right that the boundary lacks fails in AWS at the first call. No emulator checks boundaries.
    beyond = [
        f"{role}: {right.action} on {right.resource}"
        for role, rights in life.rights_by_role.items()
        for right in rights
        if not any(right.is_within(bound) for bound in life.bounds)
    ]

    assert len(life.rights_by_role) >= 7
    assert beyond == []


def test_a_role_has_an_action_on_all_resources_only_if_iam_knows_none_or_a_service_asks_for_it(
    life: Life,
) -> None:
    # checkov asks the same of the policies that it can evaluate: those without `for` and `concat`.
    broad = {
        right.action for rights in life.rights_by_role.values() for right in rights if right.resource == "*"
    }

    assert {action for action in broad if reference.action(action).resource_types} == ON_ALL_RESOURCES


def test_the_boundary_allows_no_change_of_rights(life: Life) -> None:
    over = [
        bound for bound in life.bounds if bound.action.startswith(("iam:", "sts:", "organizations:", "*"))
    ]

    # A state machine gives a training job its role.
    assert over == [Right("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/fraud-dev-training-job")]
