"""An environment: its folder, its variables file, its backend file, and where its plans are kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import msgspec

from ops.errors import OpsError

ROOT: Final = Path(__file__).resolve().parent.parent
"""The repository."""

ENVIRONMENTS: Final = Path("terraform/environments")

_ASSIGNMENT = re.compile(r'^\s*([a-z_]+)\s*=\s*\[?\s*"([^"]*)"\s*\]?\s*(?:#.*)?$', re.MULTILINE)


class Environment(msgspec.Struct, frozen=True):
    """One environment of the repository at `root`."""

    name: str
    root: Path
    """The repository."""
    account_id: str
    """The account that its backend file allows; 12 digits."""
    region: str
    bucket: str
    """Of the state."""

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return self.root / ENVIRONMENTS / self.name

    @property
    def variables_file(self) -> Path:
        """What differs from the others."""
        return self.folder / f"{self.name}.tfvars"

    @property
    def backend_file(self) -> Path:
        """Where its state is."""
        return self.folder / "backend.hcl"

    @property
    def plan_file(self) -> Path:
        """The saved plan, which `apply` takes."""
        return self.root / f"build/plans/{self.name}.tfplan"

    @property
    def report_file(self) -> Path:
        """The saved plan as Markdown, for a pull request."""
        return self.root / f"build/plans/{self.name}.md"

    @property
    def drift_file(self) -> Path:
        """What the last look for drift found, as Markdown, for an issue; absent where it found nothing."""
        return self.root / f"build/plans/{self.name}-drift.md"

    @property
    def data_dir(self) -> Path:
        """Terraform's own files, apart for each environment, so that no command meets another's backend."""
        return self.root / f"build/.terraform/{self.name}"

    @property
    def is_protected(self) -> bool:
        """Whether destroying it takes a second word."""
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
        As its folder is called.
    root : Path
        The repository.

    Raises
    ------
    OpsError
        Where there is no such environment, or its backend file lacks a setting.
    """
    known = known_environments(root)
    if not name:
        raise OpsError(f"Say which environment: ENV={' or ENV='.join(known)}.")
    if name not in known:
        raise OpsError(f"There is no environment {name}; terraform/environments has {', '.join(known)}.")
    backend = root / ENVIRONMENTS / name / "backend.hcl"
    if not backend.is_file():
        raise OpsError(f"{backend.relative_to(root)} is missing; it names the bucket of the state.")
    settings = dict(_ASSIGNMENT.findall(backend.read_text()))
    for needed in ("allowed_account_ids", "bucket", "key", "region"):
        if needed not in settings:
            raise OpsError(f"{backend.relative_to(root)} does not set {needed}.")
    return Environment(name, root, settings["allowed_account_ids"], settings["region"], settings["bucket"])
