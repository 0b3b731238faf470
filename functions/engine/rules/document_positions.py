"""Positions in a ruleset document: from a character of a YAML value back to its line and column.

YAML folds lines, strips indentation and resolves escapes, so the third line of a condition may be on any line of the document.
It never changes the order of the visible characters. Only that is used here, so it works for plain, quoted, literal and folded
text.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_EXCERPT_COLUMNS = 120
"""The longest part of a line that is shown above a caret."""

_ESCAPE_DIGITS = {"x": 2, "u": 4, "U": 8}


class Place(msgspec.Struct, frozen=True, order=True):
    """A character of a document."""

    line: int
    """1-based."""
    column: int
    """1-based, in characters."""


class Lines:
    r"""The lines of a document, split once, because a document may have as many problems as lines.

    Parameters
    ----------
    text : str
        The document; its lines end with ``\n``.
    """

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._starts = [0, *accumulate(len(line) + 1 for line in self._lines)]

    def place(self, index: int) -> Place:
        r"""Convert an index to a line and a column.

        Parameters
        ----------
        index : int
            0-based index into the text, or its length for the end.

        Returns
        -------
        Place

        Examples
        --------
        >>> Lines("a: 1\nb: 2\n").place(8)
        Place(line=2, column=4)
        """
        line = bisect_right(self._starts, index)
        return Place(line, index - self._starts[line - 1] + 1)

    def excerpt(self, place: Place) -> str:
        """Show a line with a caret under one of its characters.

        Parameters
        ----------
        place : Place
            Where the caret goes.

        Returns
        -------
        str
            Two lines; of a long line only the part around the place. Empty if the document has no such line, or a blank one.

        Examples
        --------
        >>> print(Lines("when: a > 1").excerpt(Place(1, 9)))
        when: a > 1
                ^
        """
        if place.line > len(self._lines) or not self._lines[place.line - 1].strip():
            return ""
        line = self._lines[place.line - 1]
        first = max(0, min(place.column - MAX_EXCERPT_COLUMNS // 2, len(line) - MAX_EXCERPT_COLUMNS))
        part = line[first : first + MAX_EXCERPT_COLUMNS]
        shown = "".join(character if character.isprintable() else " " for character in part)
        return f"{shown.rstrip()}\n{' ' * (place.column - 1 - first)}^"


def index_in_scalar(text: str, node: yaml.ScalarNode, offset: int) -> int:
    """Find the character of the document from which a character of a scalar's value comes.

    Parameters
    ----------
    text : str
        The document that `node` was composed from.
    node : yaml.ScalarNode
        A scalar of any style.
    offset : int
        0-based index into ``node.value``, or its length for the end.

    Returns
    -------
    int
        0-based index into `text`; just after the last visible character if `offset` is on white space.
    """
    start = node.start_mark.index
    raw = text[start : node.end_mark.index]
    visible = list(_visible(raw, node.style))
    before = sum(1 for character in node.value[:offset] if not character.isspace())
    is_on_visible = offset < len(node.value) and not node.value[offset].isspace()
    if is_on_visible and before < len(visible):
        return start + visible[before]
    return start + (visible[before - 1] + 1 if 0 < before <= len(visible) else 0)


def _visible(raw: str, style: str | None) -> Iterator[int]:
    """Yield the indices in `raw` at which a visible character of the value begins, in order."""
    if style in ("|", ">"):
        first = raw.find("\n") + 1  # the header: "|", "|-", ">2  # a comment"
        yield from (index for index in range(first, len(raw)) if not raw[index].isspace())
        return
    if style is None:
        yield from (index for index in range(len(raw)) if not raw[index].isspace())
        return
    index = 1
    while index < len(raw) - 1:
        width, is_visible = 1, not raw[index].isspace()
        if style == "'" and raw.startswith("''", index):
            width = 2
        elif style == '"' and raw[index] == "\\":
            width, is_visible = _escape(raw, index)
        if is_visible:
            yield index
        index += width


def _escape(raw: str, index: int) -> tuple[int, bool]:
    kind = raw[index + 1]
    digits = _ESCAPE_DIGITS.get(kind)
    if digits is None:
        return 2, not yaml.SafeLoader.ESCAPE_REPLACEMENTS.get(
            kind, " "
        ).isspace()  # the other: an escaped line end
    return 2 + digits, not chr(int(raw[index + 2 : index + 2 + digits], 16)).isspace()
