"""Downloads from Maven Central, by jgo, into Maven's own repository folder, which other tools on the machine may share.

A file is downloaded to a temporary folder, compared with the lock, and only then moved to its place. So what an interrupted
download leaves behind is never used.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from local.jar_lock import (
    JarHashError,
    JarsError,
    LockedJar,
    file_sha256,
    join_coordinates,
    split_coordinates,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")

ATTEMPTS: Final = 4
"""Attempts to download a file, or to resolve a set, before that counts as failed."""

PARALLEL_DOWNLOADS: Final = 4

_SHOWN_BYTES: Final = 1_000_000
"""Downloads of at least this size are shown, one line each."""


def repository() -> Path:
    """Return Maven's repository folder: ``M2_REPO``, or ``~/.m2/repository``."""
    return Path(os.environ.get("M2_REPO") or Path.home() / ".m2" / "repository")


def download(jars: Sequence[LockedJar]) -> None:
    """Download the files that are missing in the repository folder.

    Parameters
    ----------
    jars : Sequence[LockedJar]
        What the lock says of them.

    Raises
    ------
    JarsError
        If a file cannot be downloaded. JarHashError if its content differs from the lock; it is not kept then.
    """
    target = repository()
    target.mkdir(parents=True, exist_ok=True)
    # One process downloads at a time; another one finds the files when it has the lock.
    with (target / ".payment-fraud.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = [jar for jar in jars if not (target / jar.path).exists()]
        with tempfile.TemporaryDirectory(dir=target, prefix=".download-") as folder:
            context = make_context(Path(folder))
            with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
                for done in [pool.submit(_download_one, context, jar, target) for jar in missing]:
                    done.result()


def resolve(coordinates: Sequence[str], exclusions: Sequence[str]) -> list[str]:
    """Find all files that Maven artifacts depend on at run time, themselves included.

    Parameters
    ----------
    coordinates : Sequence[str]
        ``group:artifact:version``.
    exclusions : Sequence[str]
        ``group:artifact`` to leave out, with all that only they need.

    Returns
    -------
    list[str]
        Coordinates of each file.
    """
    # Imported here: see make_context.
    from jgo.env import EnvironmentBuilder, EnvironmentSpec

    with tempfile.TemporaryDirectory() as folder:
        # An empty repository folder: the result depends on Maven Central alone, not on what this machine has.
        context = make_context(Path(folder))
        spec = EnvironmentSpec(name="lock", coordinates=list(coordinates), exclusions=list(exclusions))
        wanted = EnvironmentBuilder(context).spec_to_dependencies(spec)
        direct, transitive = _attempt(", ".join(coordinates), lambda: context.resolver.resolve(wanted))
        needed = [*direct, *(each for each in transitive if each.scope in {"compile", "runtime"})]
        return sorted({_coordinates_of(each.artifact) for each in needed})


def hash_remote(coordinates: Sequence[str]) -> dict[str, str]:
    """Download files to hash them: coordinates to SHA-256. The files are not kept."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
        context = make_context(Path(folder))

        def hash_one(each: str) -> str:
            return _attempt(each, lambda: file_sha256(_fetch(context, each)))

        return dict(zip(coordinates, pool.map(hash_one, coordinates), strict=True))


def make_context(folder: Path) -> Any:
    """Make jgo's access to Maven Central, with a repository folder of its own."""
    # Imported here: jgo takes half a second, and only downloads need it.
    from jgo.maven import MavenContext, PythonResolver

    # jgo warns of optional parts of POMs that it does not need. What matters ends in an exception.
    logging.getLogger("jgo").setLevel(logging.ERROR)
    return MavenContext(repo_cache=folder, resolver=PythonResolver(progress_callback=_show_download))


def report(line: str) -> None:
    """Report progress on stderr."""
    print(line, file=sys.stderr, flush=True)


def _download_one(context: Any, jar: LockedJar, target: Path) -> None:
    def fetch() -> None:
        file = _fetch(context, jar.coordinates)
        jar.verify(file)
        (target / jar.path).parent.mkdir(parents=True, exist_ok=True)
        file.replace(target / jar.path)

    _attempt(jar.coordinates, fetch)


def _fetch(context: Any, coordinates: str) -> Path:
    group, artifact, packaging, classifier, version = split_coordinates(coordinates)
    remote = context.project(group, artifact).at_version(version).artifact(classifier, packaging)
    remote.cached_path.unlink(missing_ok=True)  # what a failed attempt has left of it
    file: Path = remote.resolve()
    return file


def _attempt(what: str, action: Callable[[], T]) -> T:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return action()
        except (OSError, RuntimeError, JarHashError) as error:
            if attempt == ATTEMPTS:
                if isinstance(error, JarHashError):
                    raise
                raise JarsError(f"{what}: {error} ({ATTEMPTS} attempts)") from error
            report(f"  {what}: {error}; attempt {attempt + 1} of {ATTEMPTS}")
            time.sleep(2**attempt)
    raise AssertionError("unreachable: the last attempt returns or raises")


def _coordinates_of(artifact: Any) -> str:
    return join_coordinates(
        artifact.groupId, artifact.artifactId, artifact.packaging, artifact.classifier, artifact.version
    )


@contextmanager
def _show_download(filename: str, total_bytes: int) -> Iterator[Callable[[int], None]]:
    if total_bytes >= _SHOWN_BYTES:
        report(f"  {filename} ({total_bytes / 1e6:.0f} MB)")
    yield lambda _arrived_bytes: None
