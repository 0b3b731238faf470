"""The whole life of an environment, by the make targets, with the real provider, on its own emulator.

``python -m tests.terraform.life_cycle FOLDER`` runs it in an empty folder, stores the results there for `test_life_cycle.py`, and
writes build/infra-report.json. It is a program because it mostly waits for the provider, so other tests can run beside it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from local.processes import ManagedProcess, free_port
from tests.terraform.workspace import ACCOUNT, Authorization, Result, Right, Workspace, allowed

if TYPE_CHECKING:
    from collections.abc import Callable

REPOSITORY = Path(__file__).resolve().parents[2]
INFRA_VENV = REPOSITORY / ".venv-infra"
REPORT = REPOSITORY / "build/infra-report.json"
LIFE_SECONDS = 1200.0
"""Limit of a life. It takes about five minutes, one of them only for S3's lifecycle rules, as in AWS."""

RESULTS = "life.json"
"""File in the folder; a `Life`."""

BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/fraud-dev-boundary"

OTHER_ENVIRONMENTS = ("staging", "prod")
"""Environments that are only planned."""

PLAN_ROLE, APPLY_ROLE = "fraud-dev-plan", "fraud-dev-apply"

REPOSITORY_NAME = "example/payment-fraud-detection"
"""The repository in the environments' files."""

WORKFLOW = f"{REPOSITORY_NAME}/.github/workflows/environment.yml@refs/heads/main"

TOKEN_OF_MAIN = {
    "aud": "sts.amazonaws.com",
    "sub": f"repo:{REPOSITORY_NAME}:ref:refs/heads/main",
    "repository": REPOSITORY_NAME,
    "ref": "refs/heads/main",
    "job_workflow_ref": WORKFLOW,
}
"""Claims of a job of the main branch. Source: GitHub's OpenID Connect reference."""


def token_of(environment: str) -> dict[str, str]:
    """Claims of a job of this GitHub environment, after its approval."""
    subject = f"repo:{REPOSITORY_NAME}:environment:{environment}"
    return TOKEN_OF_MAIN | {"sub": subject, "environment": environment}


TOKEN_OF_DEV = token_of("dev")
"""The apply job of dev has it."""

NEW_STAGE = "audit"
"""Folder of the stage that is added below functions/."""


Document = dict[str, Any]
"""A policy, as IAM stores it."""


class Life(msgspec.Struct):
    """The result of each step."""

    plans: dict[str, Result]
    """By environment: the plan of its file, other than dev's."""
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
    start: Result
    destroy: Result
    left: set[str]
    rights_by_role: dict[str, list[Right]]
    bounds: list[Right]
    policies_by_role: dict[str, list[Document]]
    trust_by_role: dict[str, Document]
    variables_shown: dict[str, dict[str, str]]
    authorizations: list[Authorization]
    resources: int
    seconds: dict[str, float]


def planned(result: Result) -> int:
    """How many resources a plan changes, from its last line."""
    found = re.search(r"^[a-z]+: (.+)\.$", result.output, re.MULTILINE)
    assert found is not None, result.output[-4000:]
    return sum(int(number) for number in re.findall(r"\d+", found[1]))


def actions(result: Result) -> dict[str, str]:
    """What a plan does, by address: ``created``, ``updated in-place``."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", result.output)
    return dict(re.findall(r"^  # (\S+) (?:will|must) be (.+)$", plain, re.MULTILINE))


def named(result: Result) -> list[str]:
    """Addresses that `make drift` lists, drifted or not applied yet."""
    return re.findall(r"^(?:drift: |not applied yet: \w+ )(\S+)", result.output, re.MULTILINE)


class Timer:
    """Runs make targets of a workspace for ``dev`` and notes the seconds that each step takes."""

    def __init__(self, workspace: Workspace) -> None:
        self.seconds: dict[str, float] = {}
        self._workspace = workspace

    def expect(self, step: str, target: str, answer: str = "", environment: str = "dev") -> Result:
        """Run a target that must succeed."""
        return self._timed(step, lambda: self._workspace.expect(target, answer, ENV=environment))

    def make(self, step: str, target: str) -> Result:
        """Run a target that may fail."""
        return self._timed(step, lambda: self._workspace.make(target, ENV="dev"))

    def _timed(self, step: str, run: Callable[[], Result]) -> Result:
        started = time.monotonic()
        result = run()
        self.seconds[step] = round(time.monotonic() - started, 1)
        return result


def as_planner(workspace: Workspace) -> None:
    """Go on as the plan role, from a job of the main branch."""
    workspace.act_as(PLAN_ROLE, TOKEN_OF_MAIN)


def as_applier(workspace: Workspace) -> None:
    """Go on as the apply role, from a job of the GitHub environment."""
    workspace.act_as(APPLY_ROLE, TOKEN_OF_DEV)


def live(workspace: Workspace) -> Life:
    """Run the whole life once: bootstrap, a plan of every environment, then dev: apply, a second plan, a change made outside Terraform, a
    changed stage, a new stage, a deployed ruleset and a running job, destroy. Bootstrap is the administrator's; plans and drift are the plan
    roles', the rest the apply role's, all evaluated.
    """
    timer = Timer(workspace)
    timer.expect("bootstrap", "bootstrap", "yes")
    policies = {name: workspace.policies(name) for name in (PLAN_ROLE, APPLY_ROLE)}
    trust = {name: workspace.trust(name) for name in (PLAN_ROLE, APPLY_ROLE)}
    shown = variables_shown(workspace)
    before = workspace.existing()
    plans = {}
    for name in OTHER_ENVIRONMENTS:
        workspace.act_as(f"fraud-{name}-plan", TOKEN_OF_MAIN)
        plans[name] = timer.expect(f"plan_{name}", "plan", environment=name)
    as_planner(workspace)
    resources = planned(timer.expect("plan", "plan"))
    as_applier(workspace)
    timer.expect("apply", "apply")
    as_planner(workspace)
    second_plan = timer.make("second_plan", "drift")  # plans everything and lists whatever differs
    as_applier(workspace)
    second_apply = workspace.make("apply", ENV="dev")
    drift = drift_of_changed_queue(workspace)

    code_before = workspace.code_by_function()
    code_plan = apply_changed_stage(workspace, timer)
    workspace.add_stage(NEW_STAGE, like="persist")
    as_planner(workspace)
    stage_plan = timer.expect("stage_plan", "plan")

    rights_by_role, bounds = workspace.rights_by_role(BOUNDARY), allowed(workspace.policy(BOUNDARY))
    as_applier(workspace)
    backup = workspace.make("state-backup", ENV="dev")
    protected_destroy = workspace.make("destroy", "prod", ENV="prod")
    unanswered_destroy = workspace.make("destroy", "no", ENV="dev")
    code_after = workspace.code_by_function()
    use(workspace, "dev")
    start = workspace.make("start", ENV="dev")
    destroy = timer.expect("destroy", "destroy", "dev")
    return Life(
        plans=plans,
        second_plan=second_plan,
        drift=drift,
        code_before=code_before,
        code_plan=code_plan,
        stage_plan=stage_plan,
        code_after=code_after,
        second_apply_of_one_plan=second_apply,
        backup=backup,
        protected_destroy=protected_destroy,
        unanswered_destroy=unanswered_destroy,
        start=start,
        destroy=destroy,
        left=left_behind(workspace, before),
        rights_by_role=rights_by_role,
        bounds=bounds,
        policies_by_role=policies,
        trust_by_role=trust,
        variables_shown=shown,
        authorizations=workspace.authorizations(),
        resources=resources,
        seconds=timer.seconds,
    )


def left_behind(workspace: Workspace, before: set[str]) -> set[str]:
    """What exists and did not before, without states, keys of roles' sessions, which begin with ASIA, and the emulator's marks in lists."""
    kept = ("s3.buckets/fraud-terraform-state", "iam.access_keys/ASIA", "s3._pagination_tokens/")
    return {name for name in workspace.existing() - before if not name.startswith(kept)}


def variables_shown(workspace: Workspace) -> dict[str, dict[str, str]]:
    """Which variables of a function with a customer key the administrator and the plan role see; the function is removed again."""
    key = workspace.client("kms").create_key()["KeyMetadata"]
    functions = workspace.client("lambda")
    functions.create_function(
        FunctionName="encrypted",
        Runtime="python3.11",
        Handler="handler.handler",
        Role=f"arn:aws:iam::{ACCOUNT}:role/{PLAN_ROLE}",
        Code={"ZipFile": b"not run"},
        Environment={"Variables": {"SIZE": "1"}},
        KMSKeyArn=key["Arn"],
    )
    callers = {
        "administrator": functions,
        PLAN_ROLE: workspace.client("lambda", workspace.session(PLAN_ROLE, TOKEN_OF_MAIN)),
    }
    shown = {
        caller: client.get_function_configuration(FunctionName="encrypted")["Environment"].get(
            "Variables", {}
        )
        for caller, client in callers.items()
    }
    functions.delete_function(FunctionName="encrypted")
    workspace.client("kms").schedule_key_deletion(KeyId=key["KeyId"])
    return shown


def drift_of_changed_queue(workspace: Workspace) -> Result:
    """Change a queue's setting outside Terraform, check for drift, and change it back."""
    sqs = workspace.client("sqs")
    queue = sqs.get_queue_url(QueueName="fraud-dev-alert-dead-letter")["QueueUrl"]
    was = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["MessageRetentionPeriod"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"MessageRetentionPeriod": "3600"})
    as_planner(workspace)
    drift = workspace.make("drift", ENV="dev")
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=was)
    return drift


def apply_changed_stage(workspace: Workspace, timer: Timer) -> Result:
    """Change the code of the alert stage, plan and apply; give the plan."""
    with (workspace.folder / "functions/alert/handler.py").open("a") as handler:
        handler.write('\nCHANGED_BY_A_TEST = "yes"\n')
    as_planner(workspace)
    code_plan = timer.expect("code_plan", "plan")
    as_applier(workspace)
    timer.expect("code_apply", "apply")
    return code_plan


def use(workspace: Workspace, environment: str) -> None:
    """Do what the system does to an environment and Terraform does not know: deploy a ruleset, as the function that does so."""
    rules = json.loads(workspace.expect("output", ENV=environment).output)["rules"]
    session = workspace.session(f"fraud-{environment}-apply", token_of(environment))
    appconfig = workspace.client("appconfig", session)
    place = {"ApplicationId": rules["application_id"], "ConfigurationProfileId": rules["profile_id"]}
    version = appconfig.create_hosted_configuration_version(
        **place,
        Content=(workspace.folder / "rules/default.yaml").read_bytes(),
        ContentType="application/x-yaml",
    )["VersionNumber"]
    started = appconfig.start_deployment(
        **place,
        EnvironmentId=rules["environment_id"],
        DeploymentStrategyId=rules["deployment_strategy_id"],
        ConfigurationVersion=str(version),
    )
    assert started["DeploymentNumber"] == 2, started


def report(life: Life) -> dict[str, object]:
    """Summarise a life for people."""
    return {
        "resources": life.resources,
        "seconds": life.seconds | {"total": round(sum(life.seconds.values()), 1)},
        "second_plan_changes": len(named(life.second_plan)),
        "drift_found": named(life.drift),
        "left_after_destroy": sorted(life.left),
        "refused": sorted(
            {
                f"{call.role} {call.action} {call.resource}"
                for call in life.authorizations
                if not call.is_allowed
            }
        ),
        "evaluated": len(life.authorizations),
    }


def read(folder: Path) -> Life:
    """Read the results of a life in this folder."""
    return msgspec.json.decode((folder / RESULTS).read_bytes(), type=Life)


def emulator(log: Path, port: int) -> ManagedProcess:
    """The process of an empty emulator; not started."""
    return ManagedProcess(
        name="AWS emulator",
        argv=[str(INFRA_VENV / "bin/python"), "-m", "tests.terraform.emulator", "--port", str(port)],
        log=log,
        environment=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        folder=REPOSITORY,
    )


def main(folder: Path) -> int:
    """Run a life in an empty folder and store its results; AssertionError, with the output, if a step fails that must not."""
    port = free_port()
    aws = emulator(folder / "emulator.log", port)
    aws.start()
    try:
        aws.wait_until_listening(port)
        life = live(Workspace(REPOSITORY, folder / "workspace", f"http://127.0.0.1:{port}"))
    finally:
        aws.stop()
    REPORT.write_text(json.dumps(report(life), indent=2) + "\n")
    (folder / RESULTS).write_bytes(msgspec.json.encode(life))
    shutil.rmtree(folder / "workspace")  # 0.3 GB, which would stay until the whole run of tests ends
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
