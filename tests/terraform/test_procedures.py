"""Runbooks of procedures: every command, option, output and resource in them exists."""

from __future__ import annotations

import re
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

ROOT = Path(__file__).resolve().parents[2]
RUNBOOKS = ROOT / "docs/runbooks"
PROCEDURES = sorted(
    file
    for file in RUNBOOKS.glob("*.md")
    if not file.read_text().startswith("# Alarm: ") and file.name != "README.md"
)

COMMON_OPTIONS = {"query", "output", "max-items", "cli-binary-format", "cli-read-timeout"}
NOT_BOTOCORES = {"s3"}
"""Commands of the CLI that are not API operations: `aws s3 cp`."""

NEEDED = {
    "first-installation",
    "upgrade",
    "restore-cache",
    "restore-table",
    "redrive-kafka",
    "rotate-keys",
    "add-subscriber",
    "lose-zone",
    "rogue-deployment",
}


def commands(text: str) -> list[tuple[str, str, str]]:
    """Service, operation and remaining text of each `aws` command."""
    return re.findall(r"\baws ([a-z0-9-]+) ([a-z0-9-]+)([^\n`]*)", text)


def test_every_procedure_exists_and_is_in_the_index() -> None:
    index = (RUNBOOKS / "README.md").read_text()

    assert {file.stem for file in PROCEDURES} >= NEEDED
    assert [file.name for file in PROCEDURES if file.stem in NEEDED and f"({file.name})" not in index] == []


def test_githubs_environments_have_their_reviewers_before_the_roles_that_trust_them_exist() -> None:
    # GitHub makes an environment that a job names by itself, unprotected; the apply role trusts any job in it.
    text = (RUNBOOKS / "first-installation.md").read_text()

    before, roles, _ = text.partition("make bootstrap")

    assert roles
    protected = re.search(
        r'gh api --method PUT "repos/\S+/environments/\w+".*?^ *END$', before, re.DOTALL | re.MULTILINE
    )
    assert protected, "no environment is made before the roles"
    assert '"reviewers"' in protected[0]
    assert '"custom_branch_policies": true' in protected[0]
    assert re.search(r"deployment-branch-policies\S* -f name=main", before)


@pytest.mark.parametrize("file", PROCEDURES, ids=lambda file: str(file.stem))
def test_aws_commands_exist_with_their_options(file: Path) -> None:
    session = botocore.session.get_session()
    for service, operation, rest in commands(file.read_text()):
        if service in NOT_BOTOCORES:
            continue
        model = session.get_service_model(service)
        arguments = re.sub(r"\"\$\([^)]*\)\"|'[^']*'|\"[^\"]*\"", "_", rest)
        options = {
            option.removeprefix("no-") for option in re.findall(r" --([a-z0-9-]+)", arguments)
        } - COMMON_OPTIONS
        if operation == "wait":
            waiters = {xform_name(name, "-") for name in session.get_waiter_model(service).waiter_names}
            assert arguments.split()[0] in waiters, f"{service} {operation}{rest}"
            continue
        names = {xform_name(name, "-"): name for name in model.operation_names}
        assert operation in names, f"aws {service} {operation}"
        shape = model.operation_model(names[operation]).input_shape
        members = {} if shape is None else {xform_name(name, "-"): name for name in shape.members}
        required = set() if shape is None else {xform_name(name, "-") for name in shape.required_members}
        assert options <= set(members), f"aws {service} {operation}: {options - set(members)}"
        assert required <= options, f"aws {service} {operation} needs {required - options}"


@pytest.mark.parametrize("file", PROCEDURES, ids=lambda file: str(file.stem))
def test_outputs_resources_and_settings_that_are_named_exist(file: Path) -> None:
    text = file.read_text()
    outputs = set(re.findall(r'^output "(\w+)"', (ROOT / "terraform/outputs.tf").read_text(), re.MULTILINE))
    modules = {
        path.name: "".join(f.read_text() for f in path.glob("*.tf"))
        for path in (ROOT / "terraform/modules").iterdir()
    }

    assert set(re.findall(r"\bNAME=(\w+)", text)) <= outputs
    for module, kind, name in re.findall(r"-replace=module\.(\w+)\.(\w+)\.(\w+)", text):
        assert f'resource "{kind}" "{name}"' in modules[module]
