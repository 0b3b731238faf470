"""Card numbers in text, and the keyed tokens that replace them.

A card number is a run of 13 to 19 digits of any script that passes Luhn's check (ISO/IEC 7812-1), written together or in
groups with spaces or dashes of any kind between them. Dots also appear in amounts, times, addresses and coordinates. With
dots, only the groups printed on cards count. One number in ten of that length passes by chance. An identifier that does is
replaced too; this does no harm, because the same number always gives the same token.
"""

from __future__ import annotations

import hmac
import re
from hashlib import sha256
from itertools import accumulate, pairwise
from typing import Final

MIN_KEY_BYTES: Final = 16
"""A shorter key could be guessed, and with it every card number: there are only about 10^9 per issuer."""

PREFIX: Final = "tok_"

MIN_DIGITS: Final = 13
"""Shorter texts hold no card number."""

_MAX_DIGITS: Final = 19
_TOKEN_LETTERS: Final = 24
"""Letters of a token, four bits each: 96 bits, so that two cards in 10^14 do not share one by chance."""

# Letters only: a hexadecimal token would itself sometimes contain a run of digits that passes Luhn's check.
_LETTER_OF_HEX: Final = str.maketrans("0123456789abcdef", "abcdefghijklmnop")

# Unicode's spaces and dashes, and characters without width; a regular expression's class without its brackets.
_PLAIN_SEPARATORS: Final = (
    " \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
    "\u00ad\u2010-\u2015\u2212\u301c\ufe58\ufe63\uff0d"
    "\u200b-\u200d\u2060\ufeff"
    r"\-"
)
_DOTS: Final = ".\u00b7\u2024\uff0e"
_DOTS_IN: Final = frozenset(_DOTS)

# Thirteen digits or more, each followed by at most two separators: a cheap search; _Run decides.
_CANDIDATE: Final = re.compile(rf"\d(?:[{_PLAIN_SEPARATORS}{_DOTS}]{{0,2}}\d){{12,}}")
_CANDIDATE_IN_ASCII: Final = re.compile(
    # Together or in groups; in a card's own groups with dots; a JSON number with an exponent, whose digits become an id.
    rb"[0-9](?:(?:[ -]{0,2}[0-9]){12}|[0-9]{3}\.[0-9]{4,6}\.[0-9]|[eE]\+?0*[1-9][0-9]*[\s,}\]])"
)
_WITH_EXPONENT: Final = re.compile(
    # Of two digits at most: no card number has more than 19 digits before the point.
    r"(?<![\w.])([0-9]+)(?:\.([0-9]+))?[eE]\+?0*([0-9]{1,2})(?![\w.])"
)
_GROUP: Final = re.compile(r"\d+")

_GROUPS_WITH_DOTS: Final = re.compile(r"(?:4,){3,4}[1-4],|4,6,[45],")
"""Sizes of groups as cards have them: fours, or American Express's and Diners Club's."""

_MOST_GROUPS_WITH_DOTS: Final = 5

# JSON's escapes of UTF-16 units, and Python's escapes of the bytes that are spaces and dashes in Windows-1252.
_ESCAPE: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\x(?:a0|ad|96|97)"
)
_HARMLESS: Final = re.compile(rf"[^\d{_PLAIN_SEPARATORS}{_DOTS}]")

_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
"""Twice a digit, its own digits added."""


class CardTokens:
    """Replaces card numbers by tokens made with one key.

    Parameters
    ----------
    key : bytes
        The secret; at least 16 bytes. Another key gives other tokens for the same cards.

    Raises
    ------
    ValueError
        For a key that is too short.

    Examples
    --------
    >>> tokens = CardTokens(b"a key for this example")
    >>> tokens.replace("paid with 4111 1111 1111 1111, 12/27") == (
    ...     f"paid with {tokens.token('4111111111111111')}, 12/27")
    True
    >>> tokens.replace("order 4111111111111112")
    'order 4111111111111112'
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < MIN_KEY_BYTES:
            raise ValueError(f"tokenisation key of {len(key)} bytes; at least {MIN_KEY_BYTES}")
        self._key = key

    def replace(self, text: str) -> str:
        """Replace every card number in ``text`` by its token; other text is returned as it is."""
        if len(text) < MIN_DIGITS:
            return text
        return _CANDIDATE.sub(lambda match: self._replace_in_run(match.group()), text)

    def replace_exponents(self, text: str) -> str:
        """Replace every number with an exponent that is a card number, as JSON and spreadsheets write it: ``4.1…E15``."""
        return _WITH_EXPONENT.sub(self._replace_number, text)

    def token(self, digits: str) -> str:
        """Token of one card number, given as digits only; always the same for the same key."""
        mac = hmac.digest(self._key, digits.encode("ascii"), sha256).hex()
        return PREFIX + mac[:_TOKEN_LETTERS].translate(_LETTER_OF_HEX)

    def _replace_number(self, match: re.Match[str]) -> str:
        digits = _card_digits(match)
        return self.token(digits) if digits else match.group()

    def _replace_in_run(self, text: str) -> str:
        # A card number can be next to other groups of digits ("4111 1111 1111 1111 12/27"), so every stretch of whole groups
        # is tried, the longest first: too long a stretch replaces a neighbour as well, but always the whole card number.
        run = _Run(text)
        pieces: list[str] = []
        done = first = 0
        while first < len(run.groups):
            last = run.last_group_of_card(first)
            if last is not None:
                begin, end = run.groups[first].start(), run.groups[last].end()
                pieces += [text[done:begin], self.token(run.digits_of(first, last))]
                done, first = end, last
            first += 1
        return "".join([*pieces, text[done:]])


class _Run:
    """Adjacent groups of digits, summed up beforehand: to check a stretch costs the same, however long it is."""

    def __init__(self, text: str) -> None:
        self.groups = list(_GROUP.finditer(text))
        digits = "".join(match.group() for match in self.groups)
        self._digits = digits if digits.isascii() else "".join(str(int(digit)) for digit in digits)
        self._ends = list(accumulate(len(match.group()) for match in self.groups))
        self._group_ending_at = {end: group for group, end in enumerate(self._ends)}
        # The gaps before each group that hold a dot: all of them, and those that are a dot and nothing else.
        gaps = ["", *(text[one.end() : other.start()] for one, other in pairwise(self.groups))]
        self._dotted = list(accumulate(not _DOTS_IN.isdisjoint(gap) for gap in gaps))
        self._dots = list(accumulate(gap in _DOTS_IN for gap in gaps))
        # Luhn's check doubles every second digit from the right: so there are sums up to each digit for stretches that end at
        # an even position, and for those that end at an odd one.
        single = [int(digit) for digit in self._digits]
        double = [_DOUBLED[digit] for digit in single]
        even_single, odd_single = single.copy(), single.copy()
        even_single[1::2], odd_single[0::2] = double[1::2], double[0::2]
        self._sums = tuple(list(accumulate(terms, initial=0)) for terms in (even_single, odd_single))

    def digits_of(self, first: int, last: int) -> str:
        """Digits of the groups from ``first`` to ``last``, both included."""
        return self._digits[self._begin(first) : self._ends[last]]

    def last_group_of_card(self, first: int) -> int | None:
        """Find the group in which the longest card number that begins with ``first`` ends; None where none begins."""
        begin = self._begin(first)
        for end in range(begin + _MAX_DIGITS, begin + MIN_DIGITS - 1, -1):
            last = self._group_ending_at.get(end)
            if last is not None and self._passes_luhn(begin, end) and self._is_grouped_as_cards(first, last):
                return last
        return None

    def _begin(self, group: int) -> int:
        return self._ends[group - 1] if group else 0

    def _is_grouped_as_cards(self, first: int, last: int) -> bool:
        if self._dotted[last] == self._dotted[first]:
            return True
        if self._dots[last] - self._dots[first] < last - first or last - first >= _MOST_GROUPS_WITH_DOTS:
            return False
        sizes = (match.end() - match.start() for match in self.groups[first : last + 1])
        return _GROUPS_WITH_DOTS.fullmatch("".join(f"{size}," for size in sizes)) is not None

    def _passes_luhn(self, begin: int, end: int) -> bool:
        sums = self._sums[(end - 1) % 2]
        return (sums[end] - sums[begin]) % 10 == 0


def may_hold_card_number(data: bytes) -> bool:
    """Whether there are enough digits together: a quick search that misses no card number written in UTF-8.

    True for all that is not ASCII: it can be digits of another script or spaces of another width.
    """
    return not data.isascii() or _CANDIDATE_IN_ASCII.search(data) is not None


def holds_card_number(text: str) -> bool:
    """Whether :meth:`CardTokens.replace` or :meth:`CardTokens.replace_exponents` would replace something; it needs no key.

    >>> holds_card_number("acme/4111 1111 1111 1111.yaml"), holds_card_number("acme/4111111111111112.yaml")
    (True, False)
    >>> holds_card_number("4.111111111111111e+15")
    True
    """
    if any(map(_card_digits, _WITH_EXPONENT.finditer(text))):
        return True
    runs = (_Run(match.group()) for match in _CANDIDATE.finditer(text))
    return any(run.last_group_of_card(first) is not None for run in runs for first in range(len(run.groups)))


def _card_digits(match: re.Match[str]) -> str:
    """Digits of a number with an exponent if it is a card number, else empty text."""
    whole, fraction, exponent = match[1], (match[2] or "").rstrip("0"), int(match[3])
    digits = (whole + fraction + "0" * (exponent - len(fraction))).lstrip("0")
    is_card = exponent >= len(fraction) and MIN_DIGITS <= len(digits) <= _MAX_DIGITS and passes_luhn(digits)
    return digits if is_card else ""


def unescaped(text: str) -> str:
    r"""Replace JSON escapes of digits and separators by the characters; other escapes are returned as they are.

    In a line that is not UTF-8, so are the spaces and dashes of Windows-1252, which Python has written as ``\xa0``.

    >>> unescaped(r"\u0034111 \u00e9"), unescaped(r"4111\u00a01111") == "4111\u00a01111"
    ('4111 \\u00e9', True)
    """
    return _ESCAPE.sub(_unescaped_digit, text) if "\\" in text else text


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is Luhn's check digit of the others (ISO/IEC 7812-1, annex B).

    >>> passes_luhn("4111111111111111"), passes_luhn("4111111111111112")
    (True, False)
    """
    total = sum(map(int, digits[-1::-2])) + sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return total % 10 == 0


def _unescaped_digit(escape: re.Match[str]) -> str:
    written = escape.group()
    if written[1] == "x":
        return bytes.fromhex(written[2:]).decode("cp1252")
    character = bytes.fromhex(written.replace("\\u", "")).decode("utf-16-be", "replace")
    return written if _HARMLESS.fullmatch(character) else character
