"""Build what the Glue job imports: ``build/glue/packages.zip`` and ``build/glue/wheels/``. Terraform uploads both.

The zip holds ``glue_scripts/`` and ``contract/``. Packages from an index are wheels beside it, for Glue 5's platform: the job
installs them from its bucket, because it cannot reach an index.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ops.manifests import FUNCTIONS_DIR, ROOT
from ops.packaging.archive import open_zip, walk, write_entries
from ops.packaging.requirements import fetch_wheels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.packaging.archive import Source

BUILD_DIR: Final = ROOT / "build" / "glue"

PACKAGES: Final = (FUNCTIONS_DIR / "contract", ROOT / "glue_scripts")
"""Folders whose Python files go into the zip, each under its own name."""

REQUIREMENTS: Final = ROOT / "glue_scripts" / "requirements.txt"

PLATFORMS: Final = ("manylinux_2_28_x86_64", "manylinux2014_x86_64")
"""Wheel tags that Glue 5 can install: Amazon Linux 2023 on x86_64."""

PYTHON_VERSION: Final = "3.11"
"""Glue 5's."""


def write_packages(target: Path) -> None:
    """Write the zip of the job's own packages.

    Parameters
    ----------
    target : Path
        The zip; its folder exists.
    """
    with open_zip(target) as archive:
        write_entries(archive, _sources())


def build_glue_job(build_dir: Path = BUILD_DIR) -> list[Path]:
    """Build the zip and fetch the wheels.

    Parameters
    ----------
    build_dir : Path
        Where they are put. Its old content is removed when the build is complete, not before.

    Returns
    -------
    list[Path]
        The zip and the wheels.

    Raises
    ------
    BuildError
        If a wheel cannot be fetched.
    """
    build_dir.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build_dir.parent) as folder:
        fresh = Path(folder) / build_dir.name
        (fresh / "wheels").mkdir(parents=True)
        write_packages(fresh / "packages.zip")
        fetch_wheels(REQUIREMENTS, fresh / "wheels", platforms=PLATFORMS, python=PYTHON_VERSION)
        if build_dir.exists():
            shutil.rmtree(build_dir)
        fresh.rename(build_dir)
    return [build_dir / "packages.zip", *sorted((build_dir / "wheels").iterdir())]


def _sources() -> Iterator[Source]:
    for package in PACKAGES:
        for file, path in walk(package, package.parent):
            if file.suffix == ".py":
                yield file, path
