"""The mapping of each prefix below the landing path: which files it is for, and whether it can be used.

``acme.yaml`` maps the files below ``<landing>/acme/``, ``acme/cards.yaml`` those below ``<landing>/acme/cards/``; the longest
prefix counts. The files of other prefixes have no mapping: their columns are known by their names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from contract.errors import MappingError
from contract.mapping.document import REQUIRED, parse_mapping

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contract.mapping.document import ColumnMapping

SUFFIX: Final = ".yaml"

_NEEDED: Final = ("transaction_id", *REQUIRED)
"""An id that the job would make from a row's text would make one payment of two equal rows."""

_SCHEME: Final = re.compile(r"[a-z0-9+.-]+:/*|/+", re.IGNORECASE)
_GLOB_CHARACTERS: Final = frozenset("*?[]{}")


@dataclass(frozen=True)
class PrefixMappings:
    """Mappings by prefix; picklable, since every task takes them along."""

    landing_path: str = ""
    by_prefix: Mapping[str, ColumnMapping] = field(default_factory=dict)
    """Folders below the landing path, ``acme`` or ``acme/cards``, to their mapping."""

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


NO_MAPPINGS: Final = PrefixMappings()
"""Every column is known by its name."""


def parse_mappings(documents: Mapping[str, bytes], mappings_path: str, landing_path: str) -> PrefixMappings:
    """Read the mapping documents of a folder.

    Parameters
    ----------
    documents : Mapping[str, bytes]
        File, as Spark names it, to its content.
    mappings_path : str
        Their folder.
    landing_path : str
        The landing path, a folder or prefix.

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
    named = {path_below(mappings_path, file): content for file, content in documents.items()}
    return PrefixMappings(landing_path, {_prefix(name): _parse(name, named[name]) for name in sorted(named)})


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
    """
    # Spark writes file:/a, Python file:///a, and people /a.
    inside, path = (_SCHEME.sub("", url, count=1).rstrip("/") for url in (folder, file))
    if not path.startswith(f"{inside}/"):
        raise ValueError(f"{file} is not below {folder}")
    return path.removeprefix(inside).strip("/")


def _prefix(name: str) -> str:
    if not name.endswith(SUFFIX):
        raise MappingError("$", f"the name of a mapping ends in {SUFFIX}", name)
    return name.removesuffix(SUFFIX)


def _parse(name: str, content: bytes) -> ColumnMapping:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise MappingError("$", f"not UTF-8 ({error.reason})", name) from error
    mapping = parse_mapping(text, name)
    if missing := mapping.missing(_NEEDED):
        raise MappingError(missing[0], "every record needs it: map a column to it", name)
    return mapping
