"""The workflows: valid, safe, pinned by commit, and they run the make targets that people use."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

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


def test_each_environment_is_applied_by_one_run_at_a_time(repository: Path) -> None:
    main = yaml.safe_load((repository / ".github/workflows/main.yml").read_text())["jobs"]
    applied = {
        job["with"]["environment"]: job for job in main.values() if job["uses"].endswith("environment.yml")
    }
    folders = {file.parent.name for file in (repository / "terraform/environments").glob("*/backend.hcl")}

    assert set(applied) == folders
    for environment, job in applied.items():
        assert job["concurrency"] == {"group": f"environment-{environment}", "cancel-in-progress": False}


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
