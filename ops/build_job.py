"""Build what the Glue job imports: ``build/glue/packages.zip`` and ``build/glue/wheels/``.

The zip holds ``glue_scripts/`` and ``contract/`` and is deterministic: the same sources give the same bytes, so that a plan
shows a change of the job only where there is one. Packages from an index go beside it as wheels, for Glue 5's platform,
hashed; the job installs them from its bucket, as it has no way to an index. Terraform uploads both.

    python -m ops.build_job
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT: Final = Path(__file__).resolve().parent.parent
BUILD_DIR: Final = ROOT / "build" / "glue"

PACKAGES: Final = (ROOT / "functions" / "contract", ROOT / "glue_scripts")
"""Folders that go into the zip, each under its own name."""

REQUIREMENTS: Final = ROOT / "glue_scripts" / "requirements.txt"

PLATFORMS: Final = ("manylinux_2_28_x86_64", "manylinux2014_x86_64")
"""Whose wheels Glue 5 takes: Amazon Linux 2023 on x86_64. pip asks for each by name."""

PYTHON_VERSION: Final = "3.11"
"""Glue 5's."""

TIMESTAMP: Final = (1980, 1, 1, 0, 0, 0)
"""Modification time of every entry: the earliest that the zip format can say."""

MODE: Final = 0o100644
"""Type and permissions of every entry: a regular file that all may read."""


class BuildError(Exception):
    """Wheels that cannot be had; says why."""


def write_packages(target: Path) -> None:
    """Write the zip of the job's own packages.

    Parameters
    ----------
    target : Path
        The zip; its folder exists.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for file, path in _sources():
            entry = zipfile.ZipInfo(path, TIMESTAMP)
            entry.create_system = 3  # Unix, or the mode below means nothing
            entry.external_attr = MODE << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes())


def fetch_wheels(target: Path) -> None:
    """Fetch what ``requirements.txt`` names, as wheels whose hashes it names.

    Parameters
    ----------
    target : Path
        An empty folder.

    Raises
    ------
    BuildError
        With pip's own words.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--dest", str(target)]
    command += ["--implementation", "cp", "--python-version", PYTHON_VERSION]
    for platform in PLATFORMS:
        command += ["--platform", platform]
    # The pinned, hashed list is the command's whole input.
    done = subprocess.run([*command, "-r", str(REQUIREMENTS)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{REQUIREMENTS.relative_to(ROOT)}: {done.stderr.strip()}")


def build(build_dir: Path = BUILD_DIR) -> list[Path]:
    """Build both, anew.

    Parameters
    ----------
    build_dir : Path
        Where they are put; what was there goes when the build is complete, not before.

    Returns
    -------
    list[Path]
        The zip and the wheels.

    Raises
    ------
    BuildError
        Where a wheel cannot be had.
    """
    build_dir.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build_dir.parent) as folder:
        fresh = Path(folder) / build_dir.name
        (fresh / "wheels").mkdir(parents=True)
        write_packages(fresh / "packages.zip")
        fetch_wheels(fresh / "wheels")
        if build_dir.exists():
            shutil.rmtree(build_dir)
        fresh.rename(build_dir)
    return [build_dir / "packages.zip", *sorted((build_dir / "wheels").iterdir())]


def _sources() -> Iterator[tuple[Path, str]]:
    """Python files of the packages with their names in the zip, sorted."""
    for package in PACKAGES:
        for file in sorted(package.rglob("*.py")):
            yield file, file.relative_to(package.parent).as_posix()


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, and say what was built; 1 where it cannot be."""
    if arguments if arguments is not None else sys.argv[1:]:
        sys.stderr.write("build_job takes no arguments\n")
        return 2
    try:
        for file in build():
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            sys.stdout.write(
                f"{file.relative_to(ROOT)}  {file.stat().st_size / 2**20:.1f} MiB  sha256 {digest[:16]}\n"
            )
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
