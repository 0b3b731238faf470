"""Text that a sender supplied, made safe to show to people: it may fill its field, and nothing beyond it."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_GSM_BASIC: Final = frozenset(
    "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The GSM 7-bit default alphabet without its line ends (3GPP TS 23.038, 6.2.1); one septet each."""

_GSM_EXTENSION: Final = frozenset("^{}\\[~]|€")
"""Characters behind an escape (6.2.1.1); two septets each."""

_IDEOGRAPHIC_DOTS: Final = "\u3002\uff61\ufe12"

_PLAIN: Final = str.maketrans(
    {"\u2013": "-", "\u2014": "-", "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00d7": "x"}
    | dict.fromkeys(_IDEOGRAPHIC_DOTS, ".")
)
"""Dashes, quotation marks, the multiplication sign and ideographic full stops, which no normal form makes plain."""

# "amazon.com", "198.51.100.7/pay" and "https://..." become links in mail programs and on phones; "amazon[.]com" does not. What
# stands for a dot, a colon or a slash in another script or width is taken for it in a host's name, or becomes it when it is folded.
_DOT: Final = rf"[.\u2024\ufe52\uff0e{_IDEOGRAPHIC_DOTS}]"
_COLON: Final = r"[:\ufe13\ufe55\uff1a]"
_SLASH: Final = r"[/\\\u2044\u2215\ufe68\uff0f\uff3c]"
# A top-level domain begins with two letters; of other scripts, marks and symbols, too: the second sign of the Hindi one is no letter.
# Beside another dot there is no name that could be linked, and the ".." of a shortened identifier stays as it is.
_LINK_DOT: Final = re.compile(rf"(?<!{_DOT}){_DOT}(?!{_DOT})(?=[A-Za-z\u0080-\U0010ffff]{{2}})")
_SCHEME_COLON: Final = re.compile(rf"{_COLON}(?={_SLASH}{{2}})")
# As soon as the fourth number begins: text that is cut within it is an address as well.
_IPV4: Final = re.compile(rf"\d(?:{_DOT}\d{{1,3}}){{2}}{_DOT}(?=\d)")


def printable(text: str, limit: int) -> str:
    """Take out what could move, hide or reorder the text around it.

    Parameters
    ----------
    text : str
        Anything.
    limit : int
        The most characters to keep, at least 1.

    Returns
    -------
    str
        One line: every run of white space a single space, control, format (bidi among them), surrogate and unassigned
        characters ``?``, an ellipsis where it was cut. Printable text within the limit comes back as it is.
    """
    # Cut roughly first: a megabyte of text is not worth looking at character by character.
    seen = text[: 4 * limit + 4]
    marked = "".join(
        " " if character.isspace() else character if character.isprintable() else "?" for character in seen
    )
    line = " ".join(marked.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def defanged(text: str, limit: int) -> str:
    """Make :func:`printable` text that no mail program turns into a link.

    Examples
    --------
    >>> defanged("Visit https://evil.com/now", 40)
    'Visit https[:]//evil[.]com/now'
    """
    return printable(_without_links(printable(text, limit)), limit)


def shortened(identifier: str, limit: int) -> str:
    """Cut an identifier in the middle, where it tells least; its end often differs from its neighbours'.

    Examples
    --------
    >>> shortened("customer-0000000000001234", 16)
    'customer-..01234'
    """
    if len(identifier) <= limit:
        return identifier
    tail = limit // 3
    return f"{identifier[: limit - tail - 2]}..{identifier[-tail:]}"


def ascii_line(text: str, limit: int) -> str:
    """Write text in printable ASCII, accents taken off and links defanged, at most ``limit`` characters."""
    return _folded_line(printable(text, limit), str.isascii)[:limit].rstrip()


def gsm_line(text: str, septets: int) -> str:
    """Write text in the GSM alphabet, so that a message stays one SMS, and without a link.

    Parameters
    ----------
    text : str
        Anything.
    septets : int
        The room there is; an extension character takes two.

    Returns
    -------
    str
        What fits; a character that has no likeness in the alphabet is ``?``.
    """
    kept: list[str] = []
    for character in _folded_line(printable(text, septets), _is_gsm):
        septets -= 2 if character in _GSM_EXTENSION else 1
        if septets < 0:
            break
        kept.append(character)
    return "".join(kept).rstrip()


def gsm_septets(text: str) -> int:
    """Septets that a text in the GSM alphabet takes."""
    return sum(2 if character in _GSM_EXTENSION else 1 for character in text)


def _is_gsm(text: str) -> bool:
    return all(character in _GSM_BASIC or character in _GSM_EXTENSION for character in text)


def _folded_line(text: str, is_allowed: Callable[[str], bool]) -> str:
    # Links last: folding makes plain dots, colons and slashes of others, and letters of what was none.
    return _without_links("".join(_folded(character, is_allowed) for character in text.translate(_PLAIN)))


def _without_links(text: str) -> str:
    shown = _SCHEME_COLON.sub("[:]", _LINK_DOT.sub("[.]", text))
    return _IPV4.sub(lambda address: re.sub(_DOT, "[.]", address[0]), shown)


def _folded(character: str, is_allowed: Callable[[str], bool]) -> str:
    if is_allowed(character):
        return character
    base = "".join(part for part in unicodedata.normalize("NFKD", character) if is_allowed(part))
    return " ".join(base.split()) or "?"
