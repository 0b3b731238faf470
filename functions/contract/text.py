"""The canonical form of a payment's texts and ids: one text for what people and senders mean by it, whatever bytes they write.

Texts (a category, a channel, a city) are compared by people and by lists: look-alikes are made one. Ids are identities: they keep
their value, because two that look alike may be two people. Why: docs/decisions/0009-lenient-contract.md.
"""

from __future__ import annotations

import re
from typing import Final
from unicodedata import is_normalized, normalize

MAX_TEXT: Final = 128
"""The most characters of an id, a name or a code."""

MAX_PLACE: Final = 256
"""The most characters of a place in words."""

MAX_COUNTRY: Final = 64
"""The most characters of a country's name or code."""

_IGNORABLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Unicode's Default_Ignorable_Code_Point: zero-width characters, soft hyphens, marks of direction, variation selectors."""

_SPELLING: Final = dict.fromkeys([0x200C, 0x200D, *range(0xFE00, 0xFE10)])
"""Ignorable characters that spelling needs, in Persian, in the languages of India and in emoji: an id may hold them."""

_NOT_SPELLING: Final = re.compile("(?:^|[\x00-\u024f])[\u200c\u200d\ufe00-\ufe0f]")
"""Behind a Latin letter, a digit or nothing they change no spelling: only what the id is compared with."""

_MAX_ROUNDS: Final = 8


def canonical_text(text: str) -> str:
    """Write a text in its canonical form.

    Unicode's NFKC, without ignorable characters, each run of white space as one space, none at either end.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        Empty where nothing is left. It may be longer than ``text``, and may hold unprintable characters: who needs a bound or
        printable text checks this form, not the sender's. Canonical text is returned as it is.

    Examples
    --------
    >>> canonical_text(" Cafe\u0301\u00a0de  Flore "), canonical_text("\uff30\uff2f\uff33"), canonical_text("\u200b\ufeff ")
    ('Café de Flore', 'POS', '')
    """
    if text.isascii():
        if text.isprintable() and "  " not in text and text[:1] != " " and text[-1:] != " ":
            return text
        return " ".join(text.split())
    # What is removed can bring together what then combines. Two rounds are usual; more than three are not known.
    for _ in range(_MAX_ROUNDS):
        before = text
        text = " ".join(_IGNORABLE.sub("", text).split())
        if not is_normalized("NFKC", text):
            text = normalize("NFKC", text)
        if text == before:
            break
    return text


def is_acceptable_id(text: str) -> bool:
    """Whether a transaction's or a user's id can be used as it is: printable, and not blank; its length is checked elsewhere.

    >>> is_acceptable_id("user-1"), is_acceptable_id("支"), is_acceptable_id("a\u200bb"), is_acceptable_id(" ")
    (True, True, False, False)
    """
    return text.isprintable() and bool(text) and not text.isspace()


def canonical_id(text: str) -> str | None:
    r"""Write the id of a merchant, a payee or a device in its canonical form: only its white space may change.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str | None
        Empty for a blank one; None for one that holds control or invisible characters, which say that it is not the id.

    Examples
    --------
    >>> canonical_id("Café\u00a0de Flore"), canonical_id("Ⅸ"), canonical_id("acme\u200b"), canonical_id("acme\u200d")
    ('Café de Flore', 'Ⅸ', None, None)
    """
    if not text.isascii() or "  " in text or text[:1] == " " or text[-1:] == " " or not text.isprintable():
        text = " ".join(text.split())
        shown = text.translate(_SPELLING)
        if not shown.isprintable() or _IGNORABLE.search(shown) or _NOT_SPELLING.search(text):
            return None
    return text
