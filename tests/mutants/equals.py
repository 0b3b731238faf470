"""Changes that are accepted as equal to the code as it is: no input distinguishes them, or nothing depends on what they change."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.mutants.trial import Mutation


class Equal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One accepted change, or several of a kind. Matched by what is changed, never by a line's number.

    ``before`` and ``after`` are the lines that the change replaces and their replacement, as the report prints them. ``*`` matches any
    text in both; without ``after``, any change of those lines matches. ``file`` may be a pattern of paths.
    """

    file: str
    before: str
    why: str
    scope: str = "*"
    after: str = "*"

    def covers(self, mutation: Mutation) -> bool:
        """Whether this is the change."""
        return (
            PurePath(mutation.file).match(self.file)
            and _matches(mutation.scope, self.scope)
            and _matches(mutation.before, self.before)
            and _matches(mutation.after, self.after)
        )


def read_equals(file: Path) -> list[Equal]:
    """Read the accepted changes.

    Raises
    ------
    msgspec.ValidationError
        Where an entry has a wrong or no field; it names the place.
    """
    return msgspec.yaml.decode(file.read_bytes(), type=list[Equal])


def outdated(equals: Iterable[Equal], root: Path) -> list[Equal]:
    """Accepted changes whose code no longer exists, so that they cannot be checked any more."""
    return [
        equal for equal in equals if not any(_contains(file, equal.before) for file in root.glob(equal.file))
    ]


def _contains(file: Path, before: str) -> bool:
    text = " ".join(line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return _matches(text, f"*{before}*")


def split(mutations: Iterable[Mutation], equals: Sequence[Equal]) -> tuple[list[Mutation], list[Mutation]]:
    """Separate the mutations that must be caught from those accepted as equal."""
    to_catch: list[Mutation] = []
    accepted: list[Mutation] = []
    for mutation in mutations:
        (accepted if any(equal.covers(mutation) for equal in equals) else to_catch).append(mutation)
    return to_catch, accepted


def _matches(text: str, pattern: str) -> bool:
    # Only "*" is special: code is full of brackets and question marks.
    return fnmatchcase(text, pattern.replace("[", "[[]").replace("?", "[?]"))
