"""The whole life of an environment, by the make targets, with the real provider, on an emulator of its own.

``python -m tests.terraform.life_cycle FOLDER`` lives it in an empty folder, leaves what happened there for
`test_life_cycle.py` to judge, and writes build/infra-report.json. It is a program because it mostly waits, as the provider does
for AWS: other tests go on beside it.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path

import msgspec

from local.processes import ManagedProcess, free_port
from tests.terraform.workspace import ACCOUNT, Result, Right, Workspace, allowed

REPOSITORY = Path(__file__).resolve().parents[2]
INFRA_VENV = REPOSITORY / ".venv-infra"
REPORT = REPOSITORY / "build/infra-report.json"
FOUND = "life.json"
"""File in the folder; a `Life`."""

BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/fraud-dev-boundary"


NEW_STAGE = "audit"
"""A folder that somebody adds below functions/."""


class Life(msgspec.Struct):
    """What happened, step by step."""

    second_plan: Result
    drift: Result
    code_before: dict[str, str]
    code_plan: Result
    stage_plan: Result
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


def planned(result: Result) -> int:
    """How many resources a plan changes, by its own last line."""
    found = re.search(r"^dev: (.+)\.$", result.output, re.MULTILINE)
    assert found is not None, result.output[-4000:]
    return sum(int(number) for number in re.findall(r"\d+", found[1]))


def actions(result: Result) -> dict[str, str]:
    """What a plan says that it does, by address: ``created``, ``updated in-place``."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", result.output)
    return dict(re.findall(r"^  # (\S+) (?:will|must) be (.+)$", plain, re.MULTILINE))


def named(result: Result) -> list[str]:
    """What `make drift` names, drifted or not applied yet."""
    return re.findall(r"^(?:drift: |not applied yet: \w+ )(\S+)", result.output, re.MULTILINE)


def live(workspace: Workspace) -> Life:
    """Live it once: bootstrap, plan, apply, a plan again, a change behind Terraform's back, a changed stage, a new
    one, destroy.
    """
    seconds: dict[str, float] = {}

    def timed(name: str, target: str, answer: str = "", **variables: str) -> Result:
        started = time.monotonic()
        result = workspace.expect(target, answer, **variables)
        seconds[name] = round(time.monotonic() - started, 1)
        return result

    timed("bootstrap", "bootstrap", "yes", ENV="dev")
    before = workspace.standing()
    resources = planned(timed("plan", "plan", ENV="dev"))
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

    workspace.add_stage(NEW_STAGE, like="persist")
    stage_plan = timed("stage_plan", "plan", ENV="dev")

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

    return Life(
        second_plan,
        drift,
        code_before,
        code_plan,
        stage_plan,
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


def report(life: Life) -> dict[str, object]:
    """Sum a life up for people."""
    return {
        "resources": life.resources,
        "seconds": life.seconds | {"total": round(sum(life.seconds.values()), 1)},
        "second_plan_changes": len(named(life.second_plan)),
        "drift_found": named(life.drift),
        "left_after_destroy": sorted(life.left),
    }


def read(folder: Path) -> Life:
    """Read what a life in this folder left."""
    return msgspec.json.decode((folder / FOUND).read_bytes(), type=Life)


def emulator(log: Path, port: int) -> ManagedProcess:
    """Make the process of an empty emulator."""
    return ManagedProcess(
        name="AWS emulator",
        argv=[str(INFRA_VENV / "bin/python"), "-m", "tests.terraform.emulator", "--port", str(port)],
        log=log,
        environment=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        folder=REPOSITORY,
    )


def main(folder: Path) -> int:
    """Live in an empty folder and tell of it; AssertionError, with its output, where a step fails that must not."""
    port = free_port()
    aws = emulator(folder / "emulator.log", port)
    aws.start()
    try:
        aws.wait_until_listening(port)
        life = live(Workspace(REPOSITORY, folder / "workspace", f"http://127.0.0.1:{port}"))
    finally:
        aws.stop()
    REPORT.write_text(json.dumps(report(life), indent=2) + "\n")
    (folder / FOUND).write_bytes(msgspec.json.encode(life))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
