"""An environment: its folder, its variables file, its backend file, and where its plans are saved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from ops.errors import OpsError
from ops.tfvars import read_tfvars

if TYPE_CHECKING:
    from ops.tfvars import Value

ROOT: Final = Path(__file__).resolve().parent.parent
"""The repository."""

ENVIRONMENTS: Final = Path("terraform/environments")


class Environment(msgspec.Struct, frozen=True):
    """One environment of the repository at `root`."""

    name: str
    root: Path
    """The repository."""
    account_id: str
    """The account that its backend file allows; 12 digits."""
    region: str
    bucket: str
    """The bucket of the state."""

    @property
    def folder(self) -> Path:
        """The folder of its files."""
        return self.root / ENVIRONMENTS / self.name

    @property
    def variables_file(self) -> Path:
        """Its settings: what differs from other environments."""
        return self.folder / f"{self.name}.tfvars"

    @property
    def backend_file(self) -> Path:
        """Says where its state is."""
        return self.folder / "backend.hcl"

    @property
    def plan_file(self) -> Path:
        """The saved plan, which `apply` applies."""
        return self.root / f"build/plans/{self.name}.tfplan"

    @property
    def report_file(self) -> Path:
        """The saved plan as Markdown, for a pull request."""
        return self.root / f"build/plans/{self.name}.md"

    @property
    def empty_file(self) -> Path:
        """Exists if the saved plan changes nothing, so that CI asks for nobody's approval."""
        return self.root / f"build/plans/{self.name}.empty"

    @property
    def drift_file(self) -> Path:
        """What the last check for drift found, as Markdown, for an issue; absent if it found nothing."""
        return self.root / f"build/plans/{self.name}-drift.md"

    @property
    def data_dir(self) -> Path:
        """Terraform's own files; one folder for each environment, so that no command uses the backend of another."""
        return self.root / f"build/.terraform/{self.name}"

    @property
    def is_protected(self) -> bool:
        """Whether destroying it needs a second confirmation."""
        return self.name == "prod"


def known_environments(root: Path) -> list[str]:
    """Names of the environments that have a variables file, sorted."""
    return sorted(
        file.parent.name for file in (root / ENVIRONMENTS).glob("*/*.tfvars") if file.stem == file.parent.name
    )


def read_environment(name: str, root: Path = ROOT) -> Environment:
    """Read an environment's files.

    Parameters
    ----------
    name : str
        The name of its folder.
    root : Path
        The repository.

    Raises
    ------
    OpsError
        If there is no such environment, or its backend file lacks a setting.
    """
    known = known_environments(root)
    if not name:
        raise OpsError(f"Name the environment: ENV={' or ENV='.join(known)}.")
    if name not in known:
        raise OpsError(f"There is no environment {name}; terraform/environments has {', '.join(known)}.")
    backend = root / ENVIRONMENTS / name / "backend.hcl"
    if not backend.is_file():
        raise OpsError(f"{backend.relative_to(root)} is missing; it names the bucket of the state.")
    where = str(backend.relative_to(root))
    settings, _ = read_tfvars(backend.read_text(), where)
    account, bucket, _, region = (
        _only_text(settings, setting, where) for setting in ("allowed_account_ids", "bucket", "key", "region")
    )
    return Environment(name, root, account, region, bucket)


def _only_text(settings: dict[str, Value], setting: str, where: str) -> str:
    """Read a setting that is a text, or a list of one."""
    value = settings.get(setting)
    if isinstance(value, list) and len(value) == 1:
        (value,) = value
    if not isinstance(value, str):
        raise OpsError(f"{where} does not set {setting} to one text.")
    return value
