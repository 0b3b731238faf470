"""The lock of the Java libraries, ``local/jars.lock``: one file a line, with its set, Maven coordinates and SHA-256.

Coordinates are Maven's ``group:artifact[:packaging[:classifier]]:version``; packaging is ``jar`` by default. The lock
names no host: a file is the same wherever it is downloaded from.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

LOCK_FILE: Final = Path(__file__).with_name("jars.lock")

_HEADER: Final = "# Made by `make lock` from the sets in local/jars.py.\n"
_LINE: Final = re.compile(
    r"(?P<set>[a-z-]+) (?P<coordinates>[^\s:]+(:[^\s:]+){2,4}) sha256:(?P<sha256>[0-9a-f]{64})"
)


class JarsError(Exception):
    """A Java library that cannot be used; names it and the cause."""


class JarHashError(JarsError):
    """A file with another content than the lock says.

    Parameters
    ----------
    jar : LockedJar
        What the lock says.
    file : Path
        The file.
    found : str
        Its SHA-256.
    """

    def __init__(self, jar: LockedJar, file: Path, found: str) -> None:
        super().__init__(
            f"{jar.jar_set}: {jar.coordinates}: expected SHA-256 {jar.sha256}, found {found} in {file}"
        )
        self.jar = jar
        self.found = found


class LockedJar(msgspec.Struct, frozen=True, order=True):
    """One line of the lock."""

    jar_set: str
    """Name of the set that the file belongs to."""
    coordinates: str
    sha256: str
    """Of the file's content, 64 hex digits."""

    @property
    def path(self) -> PurePosixPath:
        """Where a Maven repository keeps the file, below its root."""
        group, artifact, packaging, classifier, version = split_coordinates(self.coordinates)
        suffix = f"-{classifier}" if classifier else ""
        return PurePosixPath(
            *group.split("."), artifact, version, f"{artifact}-{version}{suffix}.{packaging}"
        )

    def verify(self, file: Path) -> None:
        """Compare a file with the lock; JarHashError if it differs."""
        found = file_sha256(file)
        if found != self.sha256:
            raise JarHashError(self, file, found)


def file_sha256(file: Path) -> str:
    """Return the SHA-256 of a file, 64 hex digits."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def split_coordinates(coordinates: str) -> tuple[str, str, str, str, str]:
    """Return group, artifact, packaging, classifier ("" for none) and version.

    Examples
    --------
    >>> split_coordinates("org.example:one:1.0")
    ('org.example', 'one', 'jar', '', '1.0')
    """
    group, artifact, *middle, version = coordinates.split(":")
    packaging = middle[0] if middle else "jar"
    classifier = middle[1] if len(middle) > 1 else ""
    return group, artifact, packaging, classifier, version


def join_coordinates(group: str, artifact: str, packaging: str, classifier: str, version: str) -> str:
    """Write coordinates in their shortest form.

    Examples
    --------
    >>> join_coordinates("org.example", "one", "so", "", "1.0")
    'org.example:one:so:1.0'
    """
    if classifier:
        return f"{group}:{artifact}:{packaging}:{classifier}:{version}"
    return (
        f"{group}:{artifact}:{version}" if packaging == "jar" else f"{group}:{artifact}:{packaging}:{version}"
    )


def read_lock(file: Path = LOCK_FILE) -> list[LockedJar]:
    """Read a lock.

    Raises
    ------
    JarsError
        If there is no lock, or a line is not one of it; names file and line.
    """
    try:
        lines = file.read_text().splitlines()
    except FileNotFoundError as error:
        raise JarsError(f"{file}: no such file; `make lock` makes it") from error
    jars = []
    for number, line in enumerate(lines, 1):
        if not line or line.startswith("#"):
            continue
        fields = _LINE.fullmatch(line)
        if fields is None:
            raise JarsError(f"{file}:{number}: not `set group:artifact:version sha256:digest`: {line}")
        jars.append(LockedJar(fields["set"], fields["coordinates"], fields["sha256"]))
    return jars


def write_lock(jars: Sequence[LockedJar], file: Path = LOCK_FILE) -> None:
    """Write a lock, each set's files in the order of their coordinates."""
    lines = [f"{jar.jar_set} {jar.coordinates} sha256:{jar.sha256}\n" for jar in sorted(jars)]
    draft = file.with_suffix(".draft")
    draft.write_text(_HEADER + "".join(lines))
    draft.replace(file)
