"""How names of countries and places are compared: without case, accents, marks and the article."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from unicodedata import normalize

_COMBINING: Final = re.compile("[\u0300-\u036f]")
_MARKS: Final = re.compile(r"[\W_]+")
_SAINT: Final = re.compile(r"\bst (?=[a-z])")


@lru_cache(maxsize=4096)
def name_key(name: str) -> str:
    """Write a name as it is looked up.

    Parameters
    ----------
    name : str
        Canonical text.

    Returns
    -------
    str
        Lower-case words without accents, joined by single spaces; abbreviations joined (``U.S.A.`` is ``usa``).

    Examples
    --------
    >>> name_key("Côte d'Ivoire"), name_key("U.S.A."), name_key("The Gambia"), name_key("St. Lucia")
    ('cote divoire', 'usa', 'gambia', 'saint lucia')
    """
    words = _COMBINING.sub("", normalize("NFKD", name)).casefold().replace("&", " and ")
    words = words.replace(".", "").replace("'", "").replace("\u2019", "")
    words = _MARKS.sub(" ", words).strip()
    return _SAINT.sub("saint ", words).removeprefix("the ").strip()
