"""The file of prod is applied and destroyed on an emulator of its own. It takes as long as dev's whole life, so it needs LONG=1.

prod differs from dev in what blocks a destroy: tables and buckets are protected, the cache keeps a last snapshot, and rules start the
Glue job again whenever a run ends.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec
import pytest

from local.processes import free_port
from ops.commands import SECOND_CONFIRMATION
from tests.terraform.life_cycle import REPOSITORY, emulator, named, planned, use
from tests.terraform.workspace import Result, Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.timeout(2400),
    pytest.mark.slow,
    pytest.mark.skipif("LONG" not in os.environ, reason="LONG=1 applies and destroys prod, too"),
]

LEFT_ON_PURPOSE = ("s3.buckets/fraud-terraform-state",)


class ProdLife(msgspec.Struct):
    """The result of each step."""

    resources: int
    second_plan: Result
    destroy: Result
    left: set[str]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProdLife]:
    folder = tmp_path_factory.mktemp("prod")
    port = free_port()
    aws = emulator(folder / "emulator.log", port)
    aws.start()
    try:
        aws.wait_until_listening(port)
        workspace = Workspace(REPOSITORY, folder / "workspace", f"http://127.0.0.1:{port}")
        workspace.expect("bootstrap", "yes", ENV="prod")
        before = workspace.existing()
        resources = planned(workspace.expect("plan", ENV="prod"))
        workspace.expect("apply", ENV="prod")
        second_plan = workspace.make("drift", ENV="prod")
        use(workspace, "prod")
        workspace.client("glue").start_job_run(JobName="fraud-prod-stream-transactions")
        landing = "fraud-prod-landing-123456789012"
        workspace.client("s3").put_object(Bucket=landing, Key="transactions/a.json", Body=b"{}")
        destroy = workspace.expect("destroy", "prod", ENV="prod", CONFIRM=SECOND_CONFIRMATION)
        left = {name for name in workspace.existing() - before if not name.startswith(LEFT_ON_PURPOSE)}
        yield ProdLife(resources, second_plan, destroy, left)
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
