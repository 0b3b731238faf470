"""Build what a SageMaker training job runs: ``build/training-job/code.zip``, which ``training/job.py`` unpacks in AWS's container.

The zip holds ``training/`` and what it imports, the models that a ruleset may name, and packages for the container's Python. numpy and
scikit-learn are the container's own.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ops.manifests import FUNCTIONS_DIR, ROOT
from ops.packaging.archive import open_zip, replacing, walk, write_entries
from ops.packaging.requirements import check_symbols, install

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.packaging.archive import Source

ZIP: Final = ROOT / "build" / "training-job" / "code.zip"

PACKAGES: Final = (
    FUNCTIONS_DIR / "contract",
    FUNCTIONS_DIR / "engine",
    ROOT / "lab",
    ROOT / "simulator",
    ROOT / "training",
    ROOT / "models",
)
"""Folders that go into the zip, each under its own name."""

REQUIREMENTS: Final = ROOT / "requirements" / "training-job.txt"

PYTHON_VERSION: Final = "3.12"
"""Of AWS's container of scikit-learn 1.9, which is Amazon Linux 2023 on x86_64; terraform/modules/training names it."""


def write_code(target: Path, installed: Path) -> None:
    """Write the zip.

    Parameters
    ----------
    target : Path
        The zip; its folder exists.
    installed : Path
        Folder of the installed requirements.
    """
    with open_zip(target) as archive:
        write_entries(archive, [*_sources(), *walk(installed, installed)])


def build_training_job(target: Path = ZIP) -> Path:
    """Install the requirements for the container, and write the zip.

    Raises
    ------
    BuildError
        If a requirement cannot be had for the container's Python, or needs a newer C library than it has.
    """
    with tempfile.TemporaryDirectory() as folder:
        installed = Path(folder)
        install(REQUIREMENTS, installed, arch="x86_64", python=PYTHON_VERSION)
        check_symbols(installed, PYTHON_VERSION)
        with replacing(target) as temporary:
            write_code(temporary, installed)
    return target


def _sources() -> Iterator[Source]:
    for package in PACKAGES:
        yield from walk(package, package.parent)
