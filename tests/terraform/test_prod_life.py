"""The file of prod is applied and destroyed on an emulator of its own. It takes as long as dev's whole life, so it needs LONG=1.

prod differs from dev in what blocks a destroy: tables and buckets are protected, the cache keeps a last snapshot, and rules start the
Glue job again whenever a run ends. Bootstrap is the administrator's, the rest is the plan role's and the apply role's. Audit, scan and backup are
left out: the emulator has not all of their calls.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import msgspec
import pytest

from local.processes import free_port
from ops.commands import SECOND_CONFIRMATION
from tests.terraform.life_cycle import (
    REPOSITORY,
    TOKEN_OF_MAIN,
    emulator,
    left_behind,
    named,
    planned,
    token_of,
    use,
)
from tests.terraform.workspace import Authorization, Result, Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.timeout(2400),
    pytest.mark.slow,
    pytest.mark.skipif("LONG" not in os.environ, reason="LONG=1 applies and destroys prod, too"),
]

PROTECTION = re.compile(r"^(enable_audit|enable_malware_scan|backup) .*\n", re.MULTILINE)
"""Settings of prod's file that the emulator cannot apply."""


class ProdLife(msgspec.Struct):
    """The result of each step."""

    resources: int
    second_plan: Result
    destroy: Result
    left: set[str]
    authorizations: list[Authorization]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProdLife]:
    folder = tmp_path_factory.mktemp("prod")
    port = free_port()
    aws = emulator(folder / "emulator.log", port)
    aws.start()
    try:
        aws.wait_until_listening(port)
        workspace = Workspace(REPOSITORY, folder / "workspace", f"http://127.0.0.1:{port}")
        file = workspace.folder / "terraform/environments/prod/prod.tfvars"
        variables, count = PROTECTION.subn("", file.read_text())
        assert count == 3, variables
        file.write_text(variables)
        workspace.expect("bootstrap", "yes", ENV="prod")
        before = workspace.existing()
        workspace.act_as("fraud-prod-plan", TOKEN_OF_MAIN)
        resources = planned(workspace.expect("plan", ENV="prod"))
        workspace.act_as("fraud-prod-apply", token_of("prod"))
        workspace.expect("apply", ENV="prod")
        workspace.act_as("fraud-prod-plan", TOKEN_OF_MAIN)
        second_plan = workspace.make("drift", ENV="prod")
        workspace.act_as("fraud-prod-apply", token_of("prod"))
        use(workspace, "prod")
        workspace.client("glue").start_job_run(JobName="fraud-prod-stream-transactions")
        landing = "fraud-prod-landing-123456789012"
        workspace.client("s3").put_object(Bucket=landing, Key="transactions/a.json", Body=b"{}")
        destroy = workspace.expect("destroy", "prod", ENV="prod", CONFIRM=SECOND_CONFIRMATION)
        left = left_behind(workspace, before)
        yield ProdLife(resources, second_plan, destroy, left, workspace.authorizations())
    finally:
        aws.stop()


def test_prod_is_applied_as_planned(life: ProdLife) -> None:
    assert named(life.second_plan) == [], life.second_plan.output[-8000:]
    assert life.resources > 150


def test_prod_is_destroyed_with_its_payments(life: ProdLife) -> None:
    said = life.destroy.output.split("Terraform will perform")[0]

    assert "Rule fraud-prod-keep-ingestion-running-ended is disabled." in said
    assert "Table fraud-prod-transaction_history can be deleted." in said
    assert "Bucket fraud-prod-landing-123456789012 is empty; it had 1 versions of objects." in said
    assert life.left == set()


def test_every_call_of_prods_life_was_allowed_by_the_role_that_made_it(life: ProdLife) -> None:
    refused = {(call.role, call.action, call.resource) for call in life.authorizations if not call.is_allowed}
    made = {call.action for call in life.authorizations if call.role == "fraud-prod-apply"}

    assert refused == set()
    # What an environment without protection never asks for.
    assert {
        "dynamodb:UpdateTable",
        "events:DisableRule",
        "s3:DeleteObjectVersion",
        "states:ListExecutions",
    } <= made
