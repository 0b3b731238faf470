"""Which installed files a function's zip leaves out: what no code reads at run time, and botocore's data of unused services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ops.errors import BuildError
from ops.packaging.archive import walk

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from ops.packaging.archive import Source

BOTOCORE_ALWAYS: Final = frozenset(
    {"_retry.json", "endpoints.json", "partitions.json", "sdk-default-configuration.json"}
)
"""Files that botocore reads for every service."""

SERVICES_OF_PACKAGES: Final[dict[str, str]] = {"aws_xray_sdk": "xray"}
"""By installed package: the service for which it makes a client when it is imported, in every function."""

KEPT_METADATA: Final = frozenset({"METADATA", "entry_points.txt"})
"""What `importlib.metadata` reads. The rest of a ``.dist-info`` names paths, installers and dates."""


def kept_files(
    installed: Path, aws_services: Collection[str], leave_out: Collection[str] = ()
) -> Iterator[Source]:
    """Files of installed packages that a zip needs, sorted.

    Parameters
    ----------
    installed : Path
        Folder of installed packages.
    aws_services : collection of str
        botocore's names of the services that the function uses.
    leave_out : collection of str
        Paths of files and folders that the function does without.

    Raises
    ------
    BuildError
        Naming a service that botocore does not have, or a path that is not there.
    """
    for path in leave_out:
        if not (installed / path).exists():
            raise BuildError(f"function.yaml: leave_out: {path} is in no installed package")
    for service in aws_services:
        if not (installed / "botocore" / "data" / service).is_dir():
            raise BuildError(f"function.yaml: aws_services: botocore has no service {service!r}")
    services = {*aws_services}
    services |= {used for package, used in SERVICES_OF_PACKAGES.items() if (installed / package).is_dir()}
    for file, path in walk(installed, installed):
        if (
            not is_below(path, leave_out)
            and not _is_dropped(path)
            and not _is_of_other_service(path, services)
        ):
            yield file, path


def is_below(path: str, parts: Collection[str]) -> bool:
    """Whether a path is one of these, or in one of these folders."""
    return any(path == part or path.startswith(f"{part}/") for part in parts)


def _is_dropped(path: str) -> bool:
    """Whether an installed file has no use at run time."""
    top, *rest = path.split("/")
    if top == "bin" or top.endswith("-stubs") or path.endswith((".pyi", "/py.typed", ".pyc")):
        return True
    if top.endswith(".dist-info"):
        return rest[0] not in KEPT_METADATA
    return any(part in {"test", "tests"} for part in rest[:-1]) or path.startswith("boto3/examples/")


def _is_of_other_service(path: str, services: Collection[str]) -> bool:
    """Whether a file describes an AWS service that the function does not use, or is only an example for people."""
    package, *rest = path.split("/")
    if package not in {"boto3", "botocore"} or not rest or rest[0] != "data" or len(rest) < 2:
        return False
    if len(rest) == 2:
        return rest[1] not in BOTOCORE_ALWAYS
    return rest[1] not in services or rest[-1].startswith("examples-")
