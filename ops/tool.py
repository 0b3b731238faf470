"""Terraform as a child process, for one environment with its own data folder; Terraform itself asks no questions."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import msgspec

from ops.errors import OpsError

if TYPE_CHECKING:
    from pathlib import Path

    from ops.environment import Environment


def required_version(root: Path) -> str:
    """The Terraform version that this repository is tested with."""
    return (root / "terraform/.terraform-version").read_text().strip()


def check_installed(root: Path) -> None:
    """Raise unless a Terraform of the required minor version is on the path."""
    required = required_version(root)
    if shutil.which("terraform") is None:
        raise OpsError(f"Terraform is not on the path; install {required}.")
    shown = subprocess.run(["terraform", "version", "-json"], capture_output=True, check=False)
    found = re.search(rb'"terraform_version":\s*"([^"]+)"', shown.stdout)
    version = found[1].decode() if found else "of no known version"
    if version.split(".")[:2] != required.split(".")[:2]:
        raise OpsError(f"Terraform on the path is {version}; install {required}.")


class Terraform:
    """Runs Terraform in one root module, for one environment.

    Parameters
    ----------
    environment : Environment
        Its state and its data folder are used.
    module : str
        Folder of the root module in the repository.
    """

    def __init__(self, environment: Environment, module: str = "terraform") -> None:
        self._environment = environment
        self._module = environment.root / module
        kind = "" if module == "terraform" else f"-{module.rsplit('/', maxsplit=1)[1]}"
        data_dir = environment.data_dir.with_name(environment.data_dir.name + kind)
        self._variables = os.environ | {
            "TF_DATA_DIR": str(data_dir),
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
        }

    def run(self, *arguments: str, allowed: tuple[int, ...] = (0,)) -> int:
        """Run Terraform; its output goes to the caller's terminal.

        Parameters
        ----------
        *arguments : str
            Command and options.
        allowed : tuple of int
            Exit codes that are not failures.

        Returns
        -------
        int
            The exit code.

        Raises
        ------
        OpsError
            If it ended with another code; Terraform has printed why.
        """
        done = subprocess.run(
            ["terraform", f"-chdir={self._module}", *arguments], env=self._variables, check=False
        )
        if done.returncode not in allowed:
            raise OpsError(
                f"terraform {arguments[0]} failed for {self._environment.name}; its reason is above."
            )
        return done.returncode

    def read(self, *arguments: str) -> bytes:
        """Run Terraform and return its output."""
        command = ["terraform", f"-chdir={self._module}", *arguments]
        done = subprocess.run(command, env=self._variables, check=False, stdout=subprocess.PIPE)
        if done.returncode != 0:
            raise OpsError(
                f"terraform {arguments[0]} failed for {self._environment.name}; its reason is above."
            )
        return done.stdout

    def initialise(self) -> None:
        """Initialise Terraform with the environment's state; prints nothing unless it fails."""
        self.read("init", "-reconfigure", f"-backend-config={self._environment.backend_file}")

    def show(self, plan_file: Path) -> dict[str, Any]:
        """Read a saved plan."""
        shown: dict[str, Any] = msgspec.json.decode(self.read("show", "-json", str(plan_file)))
        return shown

    def state(self) -> dict[str, Any]:
        """Read the state; without a resource it has no ``values``."""
        shown: dict[str, Any] = msgspec.json.decode(self.read("show", "-json"))
        return shown

    def outputs(self) -> dict[str, Any]:
        """Outputs of the last apply, by name."""
        shown: dict[str, Any] = msgspec.json.decode(self.read("output", "-json"))
        return {name: output["value"] for name, output in shown.items()}
