"""The workflows: valid, safe, pinned by commit, and they run the make targets that people use."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from ops.supersede import PLAN_JOB

if TYPE_CHECKING:
    from pathlib import Path

PINNED = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40}$")


def workflow_files(repository: Path) -> list[Path]:
    return sorted((repository / ".github/workflows").glob("*.yml"))


def jobs(repository: Path) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{file.name} {name}", job)
        for file in workflow_files(repository)
        for name, job in yaml.safe_load(file.read_text())["jobs"].items()
    ]


def steps(repository: Path) -> list[tuple[str, dict[str, Any]]]:
    action = yaml.safe_load((repository / ".github/actions/setup/action.yml").read_text())
    found = [("setup", step) for step in action["runs"]["steps"]]
    return found + [(place, step) for place, job in jobs(repository) for step in job.get("steps", [])]


@pytest.mark.parametrize(
    "arguments",
    [["jactionlint", "--shellcheck="], ["zizmor", "--offline", "--no-progress", ".github"]],
    ids=lambda a: a[0],
)
def test_linters_find_nothing(repository: Path, infra_tools: Path, arguments: list[str]) -> None:
    done = subprocess.run(
        [infra_tools / arguments[0], *arguments[1:]],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_linters_find_an_unsafe_workflow(infra_tools: Path, tmp_path: Path) -> None:
    folder = tmp_path / ".github/workflows"
    folder.mkdir(parents=True)
    (folder / "unsafe.yml").write_text(
        "on: pull_request_target\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n"
        "      - run: echo ${{ github.event.pull_request.title }}\n      - uses: actions/checkout@v5\n"
    )

    for arguments in (["jactionlint", "--shellcheck="], ["zizmor", "--offline", "--no-progress", ".github"]):
        done = subprocess.run(
            [infra_tools / arguments[0], *arguments[1:]], cwd=tmp_path, capture_output=True, check=False
        )
        assert done.returncode != 0, arguments


def test_every_action_is_pinned_by_commit_with_its_version_beside_it(repository: Path) -> None:
    used = [
        step["uses"] for _, step in steps(repository) if "uses" in step and not step["uses"].startswith("./")
    ]
    text = "".join(file.read_text() for file in (repository / ".github").rglob("*.yml"))

    assert used
    assert [action for action in used if not PINNED.match(action)] == []
    assert [action for action in used if not re.search(re.escape(action) + r" # v\d+\.\d+\.\d+", text)] == []


def test_one_action_has_one_commit(repository: Path) -> None:
    commits: dict[str, set[str]] = {}
    for _, step in steps(repository):
        if "@" in step.get("uses", ""):
            name, commit = step["uses"].split("@")
            commits.setdefault(name, set()).add(commit)

    assert {name: found for name, found in commits.items() if len(found) > 1} == {}


def test_workflows_have_no_rights_and_each_job_names_its_own(repository: Path) -> None:
    for file in workflow_files(repository):
        assert yaml.safe_load(file.read_text())["permissions"] == {}, file.name
    assert [place for place, job in jobs(repository) if "permissions" not in job] == []


def test_only_a_job_that_waits_for_an_approval_applies(repository: Path) -> None:
    applying = [
        (place, job)
        for place, job in jobs(repository)
        if any(
            re.search(r"make (apply|destroy|bootstrap|rules-deploy)", step.get("run", ""))
            for step in job.get("steps", [])
        )
    ]

    assert [place for place, _ in applying] == ["environment.yml apply"]
    assert applying[0][1]["environment"] == "${{ inputs.environment }}"


def workflow(repository: Path, name: str) -> dict[Any, Any]:  # YAML reads the key `on` as true
    document: dict[Any, Any] = yaml.safe_load((repository / ".github/workflows" / name).read_text())
    return document


def test_each_environment_is_applied_by_the_main_branch(repository: Path) -> None:
    main = workflow(repository, "main.yml")["jobs"]
    applied = [job["with"]["environment"] for job in main.values() if job["uses"].endswith("environment.yml")]
    folders = {file.parent.name for file in (repository / "terraform/environments").glob("*/backend.hcl")}

    assert len(applied) == len(folders)
    assert set(applied) == folders


def test_only_an_apply_waits_for_another_run_and_only_of_its_environment(repository: Path) -> None:
    main, environment = workflow(repository, "main.yml"), workflow(repository, "environment.yml")
    grouped = {name for name, job in environment["jobs"].items() if "concurrency" in job}

    assert "github.run_id" in main["concurrency"]["group"], "a push waits for the approver of another one"
    assert [name for name, job in main["jobs"].items() if "concurrency" in job] == []
    assert "concurrency" not in environment
    assert grouped == {"apply"}
    assert environment["jobs"]["apply"]["concurrency"] == {
        "group": "apply-${{ inputs.environment }}",
        "cancel-in-progress": False,
    }


def test_a_newer_plan_cancels_an_older_run_before_it_asks_for_an_approval(repository: Path) -> None:
    main, environment = (
        workflow(repository, "main.yml")["jobs"],
        workflow(repository, "environment.yml")["jobs"],
    )
    superseding = environment["supersede"]

    assert superseding["needs"] == "plan"
    assert "environment" not in superseding
    assert "is_empty" not in superseding["if"], "an older plan would change what the newer commit leaves"
    assert any("make supersede" in step.get("run", "") for step in superseding["steps"])
    assert "supersede" in environment["apply"]["needs"]
    # The job that may cancel runs has no role in AWS, and those that have a role cancel nothing.
    assert superseding["permissions"] == {"contents": "read", "actions": "write"}
    assert [n for n, job in environment.items() if "actions" in job["permissions"]] == ["supersede"]
    assert all(
        job["permissions"]["actions"] == "write"
        for job in main.values()
        if job["uses"].endswith("environment.yml")
    )


def test_older_runs_are_found_by_the_name_of_the_plan_job(repository: Path) -> None:
    main, environment = (
        workflow(repository, "main.yml")["jobs"],
        workflow(repository, "environment.yml")["jobs"],
    )

    assert environment["plan"]["name"] == PLAN_JOB
    assert all(job["name"] == job["with"]["environment"] for job in main.values() if "with" in job)


def test_nobody_is_asked_to_approve_an_empty_plan(repository: Path) -> None:
    environment = workflow(repository, "environment.yml")["jobs"]
    planning = [step for step in environment["plan"]["steps"] if step.get("id") == "plan"]

    assert environment["plan"]["outputs"] == {"is_empty": "${{ steps.plan.outputs.is_empty }}"}
    assert 'if [ -e "build/plans/$ENVIRONMENT.empty" ]' in planning[0]["run"]
    assert "needs.plan.outputs.is_empty != 'true'" in environment["apply"]["if"]


def test_an_environment_whose_plan_is_empty_does_not_stop_the_next_one(repository: Path) -> None:
    main, called = workflow(repository, "main.yml")["jobs"], workflow(repository, "environment.yml")
    settled = called["jobs"]["settled"]

    assert (
        called[True]["workflow_call"]["outputs"]["settled"]["value"] == "${{ jobs.settled.outputs.settled }}"
    )
    assert "needs.plan.outputs.is_empty == 'true'" in settled["if"]
    assert "needs.apply.result == 'success'" in settled["if"]
    for name, before in (("staging", "dev"), ("prod", "staging")):
        assert main[name]["needs"] == before
        assert main[name]["if"] == f"${{{{ !cancelled() && needs.{before}.outputs.settled == 'true' }}}}"


def test_a_deletion_in_ci_needs_the_reviewers_confirmation(repository: Path) -> None:
    (applying,) = [
        step
        for step in workflow(repository, "environment.yml")["jobs"]["apply"]["steps"]
        if "make apply" in step.get("run", "")
    ]

    assert applying["env"]["CONFIRM"] == "${{ vars.CONFIRM }}"


def test_workflows_have_no_long_lived_key(repository: Path) -> None:
    text = "".join(file.read_text() for file in (repository / ".github").rglob("*.yml"))

    assert re.findall(r"secrets\.\w+|aws-(?:access-key-id|secret-access-key)|AKIA[A-Z0-9]+", text) == []


def test_workflows_run_make_targets_that_exist(repository: Path) -> None:
    makefiles = (repository / "Makefile").read_text() + (repository / "ops/infra.mk").read_text()
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefiles, re.MULTILINE))
    called = {
        match
        for _, step in steps(repository)
        for match in re.findall(r"\bmake ([a-z-]+)", step.get("run", ""))
    }

    assert called - targets == set()
    assert {"lint", "test", "infra-test", "plan", "apply", "drift"} <= called


def test_the_workflow_that_assumes_the_apply_role_is_the_one_that_the_role_trusts(repository: Path) -> None:
    applying = {
        f".github/workflows/{file.name}"
        for file in (repository / ".github/workflows").glob("*.yml")
        if "vars.APPLY_ROLE_ARN" in file.read_text()
    }
    trust = (repository / "terraform/bootstrap/main.tf").read_text()

    assert applying == set(re.findall(r'apply_workflow = "([^"]+)"', trust))
