"""What a command needs before it starts, and what it refuses."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from ops import __main__ as command_line
from ops import commands
from ops.environment import ROOT, Environment
from ops.errors import OpsError
from ops.tool import check_installed

if TYPE_CHECKING:
    from pathlib import Path


def environment(root: Path, name: str = "dev") -> Environment:
    return Environment(name, root, "123456789012", "us-east-1", "bucket")


def no_question(text: str) -> str:
    raise AssertionError(f"asked: {text}")


def test_a_plan_needs_every_stages_package(tmp_path: Path) -> None:
    for name in ("alert", "score"):
        (tmp_path / f"functions/{name}").mkdir(parents=True)
        (tmp_path / f"functions/{name}/function.yaml").touch()
    (tmp_path / "build/functions/arm64").mkdir(parents=True)
    (tmp_path / "build/functions/arm64/score.zip").touch()

    with pytest.raises(OpsError, match=r"^Not built yet: alert; run `make build ARCH=arm64`.$"):
        commands.check_packages(tmp_path)


def test_an_apply_needs_a_saved_plan(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="no saved plan for dev; run `make plan ENV=dev` first"):
        commands.apply(environment(tmp_path))


class SavedPlan:
    """Stands in for Terraform where a plan was saved; notes what is run."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.ran: list[str] = []

    def show(self, plan_file: Path) -> dict[str, Any]:
        assert plan_file.is_file()
        return self.document

    def run(self, *arguments: str) -> int:
        self.ran.append(arguments[0])
        return 0


def saved_plan(
    root: Path, monkeypatch: pytest.MonkeyPatch, *actions: str, made: datetime | None = None
) -> SavedPlan:
    change = {
        "address": 'module.tables.aws_dynamodb_table.this["labels"]',
        "mode": "managed",
        "type": "aws_dynamodb_table",
        "change": {"actions": list(actions), "before": {}, "after": {}},
    }
    made = made or datetime.now(UTC)
    terraform = SavedPlan(
        {"applyable": True, "timestamp": made.isoformat(timespec="seconds"), "resource_changes": [change]}
    )
    file = environment(root).plan_file
    file.parent.mkdir(parents=True)
    file.touch()
    monkeypatch.setattr(commands, "ready", lambda _: terraform)
    return terraform


def test_an_apply_refuses_to_delete_a_table_that_is_not_confirmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terraform = saved_plan(tmp_path, monkeypatch, "delete", "create")

    with pytest.raises(
        OpsError, match=r"repeat with CONFIRM='module.tables.aws_dynamodb_table.this\[labels\]'"
    ):
        commands.apply(environment(tmp_path))
    assert terraform.ran == []
    assert environment(tmp_path).plan_file.exists()

    assert commands.apply(environment(tmp_path), "module.tables.aws_dynamodb_table.this[labels]") == 0
    assert terraform.ran == ["apply"]


def test_an_apply_refuses_a_plan_of_the_day_before_yesterday(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terraform = saved_plan(tmp_path, monkeypatch, "update", made=datetime.now(UTC) - timedelta(days=2))

    with pytest.raises(OpsError, match="more than a day ago; make a new one with `make plan ENV=dev`"):
        commands.apply(environment(tmp_path))
    assert terraform.ran == []


@pytest.mark.parametrize("applyable", [True, False])
def test_a_plan_leaves_a_mark_if_it_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, applyable: bool
) -> None:
    terraform = saved_plan(tmp_path, monkeypatch, "no-op")
    terraform.document["applyable"] = applyable
    monkeypatch.setattr(commands, "check_packages", lambda _: None)
    monkeypatch.setattr(commands, "check_site", lambda _: None)
    environment(tmp_path).empty_file.touch()  # of the plan before

    assert commands.plan(environment(tmp_path)) == 0
    assert environment(tmp_path).empty_file.exists() is not applyable


def test_make_passes_a_confirmation_on_as_it_was_typed(tmp_path: Path) -> None:
    (tmp_path / ".dev").touch()
    typed = 'module.tables.aws_dynamodb_table.this["labels"] aws_msk_cluster.this[0]'

    done = subprocess.run(
        [
            "make",
            "--no-print-directory",
            "-f",
            "ops/infra.mk",
            "apply",
            "ENV=dev",
            f"CONFIRM={typed}",
            f"VENV={tmp_path}",
            "OPS=printf '%s\\n'",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines() == ["apply", "--env", "dev", "--confirm", typed]


def test_prod_is_not_destroyed_without_the_second_confirmation(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match=f"CONFIRM={commands.SECOND_CONFIRMATION}"):
        commands.destroy(environment(tmp_path, "prod"), "", no_question)


def test_the_second_confirmation_does_not_replace_the_question(tmp_path: Path) -> None:
    asked = []

    def answer(text: str) -> str:
        asked.append(text)
        return "yes"

    with pytest.raises(OpsError, match="prod was not destroyed"):
        commands.destroy(environment(tmp_path, "prod"), commands.SECOND_CONFIRMATION, answer)
    assert "every resource of prod in account 123456789012" in asked[0]


def test_a_missing_terraform_is_reported_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "terraform").mkdir()
    (tmp_path / "terraform/.terraform-version").write_text("1.11.4\n")
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(OpsError, match=r"^Terraform is not on the path; install 1.11.4.$"):
        check_installed(tmp_path)


def test_a_terraform_of_another_minor_version_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "terraform").mkdir()
    (tmp_path / "terraform/.terraform-version").write_text("1.11.4\n")
    stand_in = tmp_path / "bin/terraform"
    stand_in.parent.mkdir()
    stand_in.write_text('#!/bin/sh\necho \'{"terraform_version": "1.12.0"}\'\n')
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{stand_in.parent}:/usr/bin:/bin")

    with pytest.raises(OpsError, match=r"Terraform on the path is 1.12.0; install 1.11.4."):
        check_installed(tmp_path)


def test_the_command_line_says_what_is_missing_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    code = command_line.main(["plan", "--env", ""])

    assert code == 1
    assert capsys.readouterr().err == "Name the environment: ENV=dev or ENV=prod or ENV=staging.\n"
