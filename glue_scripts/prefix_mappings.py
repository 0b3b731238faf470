"""The mapping of each prefix below the landing path: which files it is for, and whether it can be used.

``acme.yaml`` maps the files below ``<landing>/acme/``, ``acme/cards.yaml`` those below ``<landing>/acme/cards/``; the longest
prefix counts. The files of other prefixes have no mapping: their columns are known by their names.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import msgspec

from contract.canary import CANARY_FOLDER
from contract.card_numbers import holds_card_number
from contract.errors import MappingError
from contract.mapping.document import parse_mapping
from contract.mapping.form import UNSAID
from contract.mapping.kinds import PAYMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from contract.mapping.document import ColumnMapping
    from contract.mapping.kinds import FileKind

SUFFIX: Final = ".yaml"

_DIGEST_LETTERS: Final = 16

_SCHEME: Final = re.compile(r"[a-z0-9+.-]+:/*|/+", re.IGNORECASE)
_GLOB_CHARACTERS: Final = frozenset("*?[]{}\\")
_DIGIT: Final = re.compile(r"\d")


@dataclass(frozen=True)
class PrefixMappings:
    """Mappings by prefix; picklable, since every task takes them along."""

    landing_path: str = ""
    by_prefix: Mapping[str, ColumnMapping] = field(default_factory=dict)
    """Folders below the landing path, ``acme`` or ``acme/cards``, to their mapping."""

    @property
    def digest(self) -> str:
        """Digest of what decides how a landed file is read: equal digests make equal records.

        Comments, the order of keys, and what only the bench reads do not count. Without mappings, the landing path does not either.
        """
        landing = _plain(self.landing_path) if self.by_prefix else ""
        # How the files are written only where a mapping says it: so older mappings keep their digest.
        fields = {
            prefix: mapping.fields if mapping.form == UNSAID else [mapping.fields, mapping.form]
            for prefix, mapping in self.by_prefix.items()
        }
        text = msgspec.json.encode([landing, fields], order="deterministic")
        return sha256(text).hexdigest()[:_DIGEST_LETTERS]

    def prefix_of(self, file: str) -> str | None:
        """Find the longest prefix with a mapping that a file is below; None where there is none.

        Parameters
        ----------
        file : str
            As Spark names it, below the landing path.

        Raises
        ------
        ValueError
            Where the file is not below the landing path: its mapping would be a guess.
        """
        if not self.by_prefix:
            return None
        folders = path_below(self.landing_path, file).split("/")[:-1]
        prefixes = ("/".join(folders[:depth]) for depth in range(len(folders), 0, -1))
        return next((prefix for prefix in prefixes if prefix in self.by_prefix), None)

    def is_canary(self, file: str) -> bool:
        """Whether a file is in the canary's folder, directly below the landing path; ``file`` as Spark names it."""
        landing = _plain(self.landing_path)
        return bool(landing) and _plain(file).startswith(f"{landing}/{CANARY_FOLDER}/")


NO_MAPPINGS: Final = PrefixMappings()
"""Every column is known by its name."""


def parse_mappings(
    documents: Mapping[str, bytes], mappings_path: str, landing_path: str, kind: FileKind = PAYMENTS
) -> PrefixMappings:
    """Read the mapping documents of a folder.

    Parameters
    ----------
    documents : Mapping[str, bytes]
        File, as Spark names it, to its content.
    mappings_path : str
        Their folder.
    landing_path : str
        The landing path, a folder or prefix; absolute (:func:`glue_scripts.files.qualified`).
    kind : FileKind
        What lands there.

    Returns
    -------
    PrefixMappings
        At least one, each valid and with every field that a record needs.

    Raises
    ------
    MappingError
        Naming the file and the key at fault.
    """
    if not documents:
        raise MappingError("$", "there is no mapping in this folder", mappings_path)
    if not _GLOB_CHARACTERS.isdisjoint(landing_path):
        raise MappingError("$", f"the landing path {landing_path} is a pattern; mappings need one folder")
    if not _SCHEME.match(landing_path):
        raise MappingError("$", f"the landing path {landing_path} is relative; mappings need an absolute one")
    named = {path_below(mappings_path, file): content for file, content in documents.items()}
    by_prefix = {_prefix(name): _parse(name, named[name], kind) for name in sorted(named)}
    return PrefixMappings(landing_path, by_prefix)


def path_below(folder: str, file: str) -> str:
    """Name a file relative to a folder that it is in, however their URLs are written.

    Raises
    ------
    ValueError
        Where it is not in the folder.

    Examples
    --------
    >>> path_below("s3://landing/in", "s3://landing/in/acme/a.csv"), path_below("file:///a/", "file:/a/b.yaml")
    ('acme/a.csv', 'b.yaml')
    >>> path_below("s3://bucket//in/./", "s3://bucket/in/acme/a.csv")
    'acme/a.csv'
    """
    inside, path = _plain(folder), _plain(file)
    if inside and not path.startswith(f"{inside}/"):
        raise ValueError(f"{file} is not below {folder}")
    return path.removeprefix(inside).strip("/")


def _plain(url: str) -> str:
    # Spark writes file:/a, Python file:///a, and people /a. Hadoop reads // and /./ as /.
    path = posixpath.normpath(_SCHEME.sub("", url, count=1))
    return "" if path == "." else path


def _prefix(name: str) -> str:
    # The prefix is in the ready line, and in the reasons of refused rows.
    if holds_card_number(name):
        raise MappingError("$", "the name of a mapping holds a card number", _DIGIT.sub("#", name))
    if not name.endswith(SUFFIX):
        raise MappingError("$", f"the name of a mapping ends in {SUFFIX}", name)
    prefix = name.removesuffix(SUFFIX)
    if prefix.split("/")[0] == CANARY_FOLDER:
        raise MappingError("$", f"the folder {CANARY_FOLDER} is the canary's, which needs no mapping", name)
    return prefix


def _parse(name: str, content: bytes, kind: FileKind) -> ColumnMapping:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise MappingError("$", f"not UTF-8 ({error.reason})", name) from error
    try:
        mapping = parse_mapping(text, name, kind)
    except MappingError as error:
        if holds_card_number(str(error)):
            raise MappingError("$", "cannot be used, and holds a card number", name) from None
        raise
    # A document may say how the files of a prefix are written, or that they are trusted, and leave the columns to their names.
    if mapping.fields and (missing := mapping.missing(kind.needed)):
        raise MappingError(missing[0], "every record needs it: map a column to it", name)
    _check_card_numbers(mapping)
    return mapping


def _check_card_numbers(mapping: ColumnMapping) -> None:
    # Of a mapping nothing is tokenised: its values are in records, and the names of its columns in reasons.
    for key, source in {**mapping.fields, **mapping.bench}.items():
        for option, value in msgspec.to_builtins(source).items():
            if any(map(holds_card_number, _texts(value))):
                raise MappingError(key, f"its {option} holds a card number", mapping.source)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (str(text) for pair in value.items() for text in pair)
    elif isinstance(value, list | tuple):
        yield from map(str, value)
    else:
        yield str(value)
