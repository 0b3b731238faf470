"""An environment's files, and the errors if one is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ops.environment import ROOT, known_environments, read_environment
from ops.errors import OpsError
from ops.tfvars import read_file

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "terraform/environments/dev"
    folder.mkdir(parents=True)
    (folder / "dev.tfvars").write_text('environment = "dev"\n')
    (folder / "backend.hcl").write_text(
        '# where\nbucket = "b"\nkey = "dev/terraform.tfstate"\nregion = "eu-central-1"\n'
        'use_lockfile = true\nallowed_account_ids = ["210987654321"] # ours\n'
    )
    return tmp_path


def test_an_environment_is_read_from_its_backend_file(repository: Path) -> None:
    environment = read_environment("dev", repository)

    assert (environment.account_id, environment.region, environment.bucket) == (
        "210987654321",
        "eu-central-1",
        "b",
    )
    assert environment.variables_file == repository / "terraform/environments/dev/dev.tfvars"
    assert not environment.is_protected


def test_no_environment_is_refused_with_the_known_ones(repository: Path) -> None:
    with pytest.raises(OpsError, match=r"^Name the environment: ENV=dev.$"):
        read_environment("", repository)


def test_an_unknown_environment_is_refused_with_the_known_ones(repository: Path) -> None:
    with pytest.raises(OpsError, match="no environment qa; terraform/environments has dev"):
        read_environment("qa", repository)


def test_an_environment_is_not_a_path(repository: Path) -> None:
    with pytest.raises(OpsError, match="no environment"):
        read_environment("../environments/dev", repository)


@pytest.mark.parametrize("setting", ["bucket", "key", "region", "allowed_account_ids"])
def test_a_backend_file_that_lacks_a_setting_is_named_with_it(repository: Path, setting: str) -> None:
    file = repository / "terraform/environments/dev/backend.hcl"
    file.write_text(
        "".join(line for line in file.read_text().splitlines(keepends=True) if not line.startswith(setting))
    )

    with pytest.raises(OpsError, match=f"terraform/environments/dev/backend.hcl does not set {setting}"):
        read_environment("dev", repository)


def test_the_repositorys_environments_are_complete_and_only_prod_is_protected() -> None:
    environments = [read_environment(name, ROOT) for name in known_environments(ROOT)]

    assert [environment.name for environment in environments] == ["dev", "prod", "staging"]
    assert [environment.name for environment in environments if environment.is_protected] == ["prod"]


def test_account_and_boundary_are_the_same_in_every_file_of_an_environment() -> None:
    for name in known_environments(ROOT):
        environment = read_environment(name, ROOT)
        variables, _ = read_file(environment.variables_file)
        bootstrap, _ = read_file(environment.folder / "bootstrap.tfvars")

        assert (variables["account_id"], variables["region"]) == (environment.account_id, environment.region)
        boundary = f"arn:aws:iam::{environment.account_id}:policy/fraud-{name}-boundary"
        assert variables["permissions_boundary_arn"] == boundary
        assert bootstrap["account_id"] == environment.account_id
        assert bootstrap["state_bucket_name"] == environment.bucket
        assert name in str(bootstrap["environments"])
