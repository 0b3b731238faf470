"""Text that a sender supplied, made safe to show to people: it can change nothing outside its own field."""

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
"""Characters written with an escape (6.2.1.1); two septets each."""

_IDEOGRAPHIC_DOTS: Final = "\u3002\uff61\ufe12"

_PLAIN: Final = str.maketrans(
    {"\u2013": "-", "\u2014": "-", "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00d7": "x"}
    | dict.fromkeys(_IDEOGRAPHIC_DOTS, ".")
)
"""Dashes, quotation marks, the multiplication sign and ideographic full stops: Unicode's normal forms do not replace them."""

# Mail programs and phones make links of "amazon.com", "198.51.100.7/pay" and "https://..."; not of "amazon[.]com". In a host's
# name they also accept the dots, colons and slashes of other scripts and widths, and folding turns those into plain ones.
_DOT: Final = rf"[.\u2024\ufe52\uff0e{_IDEOGRAPHIC_DOTS}]"
_COLON: Final = r"[:\ufe13\ufe55\uff1a]"
_SLASH: Final = r"[/\\\u2044\u2215\ufe68\uff0f\uff3c]"
# A top-level domain begins with two letters. In other scripts they may be marks or symbols: the second sign of the Hindi one is
# not a letter. A dot beside another dot makes no link, so the ".." of a shortened identifier is left as it is.
_LINK_DOT: Final = re.compile(rf"(?<!{_DOT}){_DOT}(?!{_DOT})(?=[A-Za-z\u0080-\U0010ffff]{{2}})")
_SCHEME_COLON: Final = re.compile(rf"{_COLON}(?={_SLASH}{{2}})")
# Matches once the fourth number begins: an address that was cut within it is still an address.
_IPV4: Final = re.compile(rf"\d(?:{_DOT}\d{{1,3}}){{2}}{_DOT}(?=\d)")


def printable(text: str, limit: int) -> str:
    """Remove what could move, hide or reorder the text around it.

    Parameters
    ----------
    text : str
        Anything.
    limit : int
        The most characters to keep, at least 1.

    Returns
    -------
    str
        One line. Each run of white space is a single space. Control, format (bidi among them), surrogate and unassigned
        characters are ``?``. Text that was cut ends with an ellipsis. Printable text within the limit is unchanged.
    """
    # Cut roughly first, so that a megabyte of text is not read character by character.
    rough = text[: 4 * limit + 4]
    marked = "".join(
        " " if character.isspace() else character if character.isprintable() else "?" for character in rough
    )
    line = " ".join(marked.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def defanged(text: str, limit: int) -> str:
    """Make :func:`printable` text of which no mail program makes a link.

    Examples
    --------
    >>> defanged("Visit https://evil.com/now", 40)
    'Visit https[:]//evil[.]com/now'
    """
    return printable(_without_links(printable(text, limit)), limit)


def shortened(identifier: str, limit: int) -> str:
    """Cut an identifier in the middle; similar identifiers often differ at their ends.

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
    """Write text in printable ASCII, without accents and with links defanged, at most ``limit`` characters."""
    return _folded_line(printable(text, limit), str.isascii)[:limit].rstrip()


def gsm_line(text: str, septets: int) -> str:
    """Write text in the GSM alphabet, so that a message fits into one SMS, and without a link.

    Parameters
    ----------
    text : str
        Anything.
    septets : int
        The space available; an extension character takes two.

    Returns
    -------
    str
        As much as fits; a character without a counterpart in the alphabet is ``?``.
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
    # Links last: folding makes plain dots, colons and slashes of others, and letters of other characters.
    return _without_links("".join(_folded(character, is_allowed) for character in text.translate(_PLAIN)))


def _without_links(text: str) -> str:
    shown = _SCHEME_COLON.sub("[:]", _LINK_DOT.sub("[.]", text))
    return _IPV4.sub(lambda address: re.sub(_DOT, "[.]", address[0]), shown)


def _folded(character: str, is_allowed: Callable[[str], bool]) -> str:
    if is_allowed(character):
        return character
    base = "".join(part for part in unicodedata.normalize("NFKD", character) if is_allowed(part))
    return base.strip() or "?"
