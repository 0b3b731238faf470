"""Text that a sender supplied, made safe to show to people: it may fill its field, and nothing beyond it."""

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

_PLAIN: Final = str.maketrans(
    {"\u2013": "-", "\u2014": "-", "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00d7": "x"}
)
"""Dashes, quotation marks and the multiplication sign, which no normal form makes plain."""

# "amazon.com", "198.51.100.7/pay" and "https://..." become links in mail programs and on phones; "amazon[.]com" does not. Browsers
# take an ideographic full stop in a host's name for a dot.
_LINK_DOT: Final = re.compile(r"[.\u3002](?=[^\W\d_]{2})")
_IPV4: Final = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")


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
    shown = _LINK_DOT.sub("[.]", printable(text, limit)).replace("://", "[:]//")
    return printable(_IPV4.sub(lambda address: address[0].replace(".", "[.]"), shown), limit)


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
    """Write text in printable ASCII, accents taken off, at most ``limit`` characters."""
    folded = "".join(
        _folded(character, str.isascii) for character in printable(text, limit).translate(_PLAIN)
    )
    return folded[:limit].rstrip()


def gsm_line(text: str, septets: int) -> str:
    """Write text in the GSM alphabet, so that a message stays one SMS.

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
    folded = "".join(_folded(character, _is_gsm) for character in printable(text, septets).translate(_PLAIN))
    kept: list[str] = []
    for character in folded:
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


def _folded(character: str, is_allowed: "Callable[[str], bool]") -> str:
    if is_allowed(character):
        return character
    base = "".join(part for part in unicodedata.normalize("NFKD", character) if is_allowed(part))
    return " ".join(base.split()) or "?"
