"""Terraform where nothing is made: its own checks, and tests with a mocked provider."""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from local.processes import ManagedProcess

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_ATTACH: Final = re.compile(r"TF_REATTACH_PROVIDERS='(.*)'")
_PROVIDERS: Final = "providers/registry.terraform.io/hashicorp/aws/*/*/terraform-provider-aws_*"
LESS_GARBAGE_COLLECTION: Final = {"GOGC": "400"}
"""For Go: the provider's schema is large, so that with the usual 100 percent the collector takes a fifth of Terraform's CPU."""


def terraform(
    root: Path, data_dir: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Terraform on a root module.

    Parameters
    ----------
    root, data_dir : Path
        The module, and where Terraform keeps what it installs. A data folder that is named ``.terraform`` is skipped by a search for a
        mirror of providers.
    *arguments : str
        Command and options.
    environment : Mapping[str, str] | None
        Variables beside this process's own.

    Returns
    -------
    subprocess.CompletedProcess[str]
        Exit code, stdout and stderr, without colours.
    """
    return subprocess.run(
        ["terraform", f"-chdir={root}", *arguments, "-no-color"],
        env=os.environ
        | {
            "TF_DATA_DIR": str(data_dir),
            "TF_IN_AUTOMATION": "1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        | LESS_GARBAGE_COLLECTION
        | dict(environment or {}),
        capture_output=True,
        text=True,
        check=False,
    )


def run_tests(root: Path, data_dir: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the tests of a root module after ``init``. They must mock the provider: all of them use one process of it.

    Terraform starts the provider three times for every run of a test, to ask for its schema, which is most of a run's CPU.
    """
    with _provider(data_dir) as environment:
        return terraform(root, data_dir, "test", *options, environment=environment)


@contextmanager
def _provider(data_dir: Path) -> Iterator[dict[str, str]]:
    """Serve with the installed provider; give the variable by which Terraform attaches to it."""
    (program,) = data_dir.glob(_PROVIDERS)
    log = data_dir / "provider.log"
    process = ManagedProcess("AWS provider", [str(program), "-debug"], log, os.environ, data_dir)
    process.start()
    try:
        process.wait_until(lambda: _ATTACH.search(log.read_text()) is not None, "how to attach to it")
        said = _ATTACH.search(log.read_text())
        assert said is not None
        yield {"TF_REATTACH_PROVIDERS": said[1]}
    finally:
        process.stop()
