"""Escapes of single characters, as JSON, URLs and HTML write them, where they mean digits or what parts digits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from unicodedata import normalize

if TYPE_CHECKING:
    from collections.abc import Iterator

_ESCAPE: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\[tnrfbv]"
    r"|%[0-9a-fA-F]{2}|&#[0-9]{1,6};|&#[xX][0-9a-fA-F]{1,5};"
)
"""JSON's and other languages' escapes of one character, a URL's of one byte, HTML's references by number."""

_ESCAPES: Final = re.compile(rf"(?:{_ESCAPE.pattern})+")
_NEAR: Final = 3
"""Characters on each side of escapes in which a digit makes them separators."""

_CONTROLS: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "b": "\b", "v": "\v"}
_UNKNOWN: Final = "\ufffd"
_DIGIT: Final = re.compile(r"\d")


def may_hold_escapes(text: str) -> bool:
    """Whether there is a character that an escape begins with."""
    return "\\" in text or "%" in text or "&#" in text


def escapes_in(text: str) -> Iterator[tuple[int, int]]:
    """Find every escape of a text: the index of its first character, and the one after its last."""
    return (escape.span() for escape in _ESCAPE.finditer(text))


def unescaped(text: str) -> str:
    r"""Replace escapes of digits and separators by the characters; other escapes are returned as they are.

    >>> unescaped(r"\u0034111 \u00e9"), unescaped("4111%201111&#32;1111")
    ('4111 \\u00e9', '4111 1111 1111')
    """
    if not may_hold_escapes(text):
        return text
    pieces: list[str] = []
    done = 0
    for escapes in _ESCAPES.finditer(text):
        start, end = escapes.span()
        plain = _ESCAPE.sub(_unescaped_character, escapes.group())
        # Not the escape before: its own letters and digits mean something else.
        around = plain + text[max(start - _NEAR, done) : start] + text[end : end + _NEAR]
        pieces += (text[done:start], plain if _DIGIT.search(normalize("NFKC", around)) else escapes.group())
        done = end
    return "".join([*pieces, text[done:]])


def _unescaped_character(escape: re.Match[str]) -> str:
    written = escape.group()
    if written.startswith("&#"):
        code = int(written[3:-1], 16) if written[2] in "xX" else int(written[2:-1])
        character = chr(code) if code < 0x110000 else written
    elif written[0] == "%" or written[1] == "x":
        # One byte: of a digit or separator in ASCII, or of anything else, which parts digits all the same.
        character = bytes.fromhex(written[-2:]).decode("cp1252", "replace")
    elif written[1] == "u":
        character = bytes.fromhex(written.replace("\\u", "")).decode("utf-16-be", "replace")
    else:
        character = _CONTROLS[written[1]]
    return written if any(part.isalpha() or part == _UNKNOWN for part in character) else character
