"""Terraform's own checks: format, validity, and the tests of every module with a mocked provider."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.terraform.mocked import run_tests, terraform

if TYPE_CHECKING:
    from pathlib import Path

# A hundred plans and applies, while an environment's life runs, on a machine that may have other load.
pytestmark = pytest.mark.timeout(900)

ROOTS = ("terraform", "terraform/bootstrap")

VARIABLE = re.compile(r'^variable "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module", params=ROOTS)
def root(
    request: pytest.FixtureRequest, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """A root module, and its data folder after `init`."""
    folder = repository / request.param
    data_dir = tmp_path_factory.mktemp("data") / ".terraform"
    done = terraform(folder, data_dir, "init", "-backend=false", "-input=false", "-lockfile=readonly")
    assert done.returncode == 0, done.stderr
    return folder, data_dir


def test_every_root_module_is_valid(root: tuple[Path, Path]) -> None:
    done = terraform(*root, "validate")

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_terraforms_own_tests_pass(root: tuple[Path, Path]) -> None:
    done = run_tests(*root)

    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    passed = re.search(r"(\d+) passed, 0 failed", done.stdout)
    assert passed is not None, done.stdout[-2000:]
    assert int(passed[1]) >= 5


def test_everything_is_formatted(repository: Path, tmp_path: Path) -> None:
    done = terraform(repository / "terraform", tmp_path, "fmt", "-check", "-recursive")

    assert done.stdout == ""
    assert done.returncode == 0


def test_every_module_has_its_tests(repository: Path) -> None:
    modules = {folder.name for folder in (repository / "terraform/modules").iterdir() if folder.is_dir()}
    tested = {file.name.split(".")[0] for file in (repository / "terraform/tests").glob("*.tftest.hcl")}

    assert modules - tested == set()


def test_every_variable_has_a_description_and_a_type(repository: Path) -> None:
    silent = [
        f"{file.relative_to(repository)} {name}"
        for file in (repository / "terraform").rglob("variables*.tf")
        if ".terraform" not in file.parts and "fixtures" not in file.parts
        for name, body in VARIABLE.findall(file.read_text())
        if "description" not in body or "type " not in body.replace("type=", "type ")
    ]

    assert silent == []


def test_one_version_of_terraform_and_of_the_provider_is_named_everywhere(repository: Path) -> None:
    named = (repository / "terraform/.terraform-version").read_text().strip()
    files = {
        str(file.parent.relative_to(repository)): file
        for file in (repository / "terraform").rglob(".terraform.lock.hcl")
    }
    locks = {file.read_text() for file in files.values()}

    assert set(files) == set(ROOTS)
    assert len(locks) == 1
    assert 'version     = "5.100.0"' in locks.pop()
    for root in ROOTS:
        assert (
            f'required_version = "~> {named.rsplit(".", 1)[0]}.0"'
            in (repository / root / "versions.tf").read_text()
        )


def test_the_folder_has_files_of_terraform_only(repository: Path) -> None:
    folder = repository / "terraform"
    other = [
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.is_file()
        and not {".terraform", "fixtures"} & {*file.parts}
        and not file.name.endswith((".tf", ".hcl", ".tfvars", ".terraform-version"))
    ]

    assert other == []
