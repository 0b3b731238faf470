"""Build what the Glue jobs import: a ``packages.zip`` and ``wheels/`` for each, in a folder of ``build/``. Terraform uploads both.

The zip holds the job's own packages. Packages from an index are wheels beside it, for Glue 5's platform: the job installs them from its
bucket, because it cannot reach an index. The ingestion job's zip is small, since its workers read it again for every task.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from ops.manifests import FUNCTIONS_DIR, ROOT
from ops.packaging.archive import open_zip, walk, write_entries
from ops.packaging.requirements import fetch_wheels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.packaging.archive import Source

GLUE_SCRIPTS: Final = ROOT / "glue_scripts"


class GlueJob(NamedTuple):
    """What one job imports."""

    build_dir: Path
    """Where its zip and its wheels are put."""
    packages: tuple[Path, ...]
    """Folders whose Python files go into the zip, each under its own name."""
    modules: tuple[Path, ...]
    """Further files of the repository, under their paths in it."""
    requirements: Path
    """Lock file."""


INGESTION: Final = GlueJob(
    ROOT / "build" / "glue",
    (FUNCTIONS_DIR / "contract", GLUE_SCRIPTS),
    (),
    GLUE_SCRIPTS / "requirements.txt",
)

BACKTEST: Final = GlueJob(
    ROOT / "build" / "glue-backtest",
    (FUNCTIONS_DIR / "contract", FUNCTIONS_DIR / "engine", GLUE_SCRIPTS),
    (
        *(ROOT / "lab" / name for name in ("__init__.py", "alerts.py", "measures.py", "models.py")),
        *(ROOT / "lab" / "pages" / name for name in ("__init__.py", "drawing.py", "page.py")),
        *sorted((ROOT / "lab" / "rows").glob("*.py")),
    ),
    GLUE_SCRIPTS / "backtest_requirements.txt",
)

PLATFORMS: Final = ("manylinux_2_28_x86_64", "manylinux2014_x86_64")
"""Wheel tags that Glue 5 can install: Amazon Linux 2023 on x86_64."""

PYTHON_VERSION: Final = "3.11"
"""Glue 5's."""


def write_packages(target: Path, job: GlueJob = INGESTION) -> None:
    """Write the zip of a job's own packages.

    Parameters
    ----------
    target : Path
        The zip; its folder exists.
    job : GlueJob
        Whose.
    """
    with open_zip(target) as archive:
        write_entries(archive, _sources(job))


def build_glue_job(job: GlueJob = INGESTION, build_dir: Path | None = None) -> list[Path]:
    """Build the zip and fetch the wheels.

    Parameters
    ----------
    job : GlueJob
        For which job.
    build_dir : Path | None
        Where they are put; None for the job's own folder. Its old content is removed when the build is complete, not before.

    Returns
    -------
    list[Path]
        The zip and the wheels.

    Raises
    ------
    BuildError
        If a wheel cannot be fetched.
    """
    build_dir = build_dir or job.build_dir
    build_dir.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build_dir.parent) as folder:
        fresh = Path(folder) / build_dir.name
        (fresh / "wheels").mkdir(parents=True)
        write_packages(fresh / "packages.zip", job)
        fetch_wheels(job.requirements, fresh / "wheels", platforms=PLATFORMS, python=PYTHON_VERSION)
        if build_dir.exists():
            shutil.rmtree(build_dir)
        fresh.rename(build_dir)
    return [build_dir / "packages.zip", *sorted((build_dir / "wheels").iterdir())]


def _sources(job: GlueJob) -> Iterator[Source]:
    for package in job.packages:
        for file, path in walk(package, package.parent):
            if file.suffix == ".py":
                yield file, path
    for file in job.modules:
        yield file, file.relative_to(ROOT).as_posix()
