"""Card numbers in text, and the keyed tokens that take their place.

A card number is a run of 13 to 19 digits that passes Luhn's check (ISO/IEC 7812-1), written together or in groups with
spaces or dashes between them. One number in ten of that length passes by chance: an identifier that does is replaced too,
which does no harm, because the same number always gives the same token.
"""

import hmac
import re
from hashlib import sha256
from typing import Final

MIN_KEY_BYTES: Final = 16
"""A shorter key could be guessed, and with it every card number: there are only about 10^9 per issuer."""

PREFIX: Final = "tok_"

_MIN_DIGITS: Final = 13
_MAX_DIGITS: Final = 19
_TOKEN_LETTERS: Final = 24
"""Letters of a token, four bits each: 96 bits, so that two cards in 10^14 do not share one by chance."""

# Letters only: a hexadecimal token would itself hold, now and then, a digit run that passes Luhn's check.
_LETTER_OF_HEX: Final = str.maketrans("0123456789abcdef", "abcdefghijklmnop")

# Thirteen digits or more, each followed by at most two separators: cheap to look for, settled by what follows.
_CANDIDATE: Final = re.compile(r"[0-9](?:[ -]{0,2}[0-9]){12,}")
_CANDIDATE_IN_BYTES: Final = re.compile(rb"[0-9](?:[ -]{0,2}[0-9]){12}")
_GROUP: Final = re.compile(r"[0-9]+")

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
        """Put a token in the place of every card number in ``text``; other text comes back as it is."""
        if len(text) < _MIN_DIGITS:
            return text
        return _CANDIDATE.sub(lambda match: self._replace_in_run(match.group()), text)

    def token(self, digits: str) -> str:
        """Token of one card number, given as digits only; always the same for the same key."""
        mac = hmac.digest(self._key, digits.encode("ascii"), sha256).hex()
        return PREFIX + mac[:_TOKEN_LETTERS].translate(_LETTER_OF_HEX)

    def _replace_in_run(self, run: str) -> str:
        # A card number stands among other groups of digits ("4111 1111 1111 1111 12/27"), so every stretch of whole
        # groups is tried, the longest first: a stretch that is too eager takes a neighbour along, never less than all.
        groups = [match.span() for match in _GROUP.finditer(run)]
        pieces: list[str] = []
        done = first = 0
        while first < len(groups):
            last = _last_group_of_card(run, groups, first)
            if last is not None:
                begin, end = groups[first][0], groups[last][1]
                pieces += [run[done:begin], self.token(_digits(run[begin:end]))]
                done, first = end, last
            first += 1
        return "".join([*pieces, run[done:]])


def may_hold_card_number(data: bytes) -> bool:
    """Whether there are enough digits together; a quick look that misses no card number written in plain UTF-8."""
    return _CANDIDATE_IN_BYTES.search(data) is not None


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is Luhn's check digit of the others (ISO/IEC 7812-1, annex B).

    >>> passes_luhn("4111111111111111"), passes_luhn("4111111111111112")
    (True, False)
    """
    total = sum(map(int, digits[-1::-2])) + sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return total % 10 == 0


def _last_group_of_card(run: str, groups: list[tuple[int, int]], first: int) -> int | None:
    begin = groups[first][0]
    found, length = None, 0
    for last in range(first, len(groups)):
        length += groups[last][1] - groups[last][0]
        if length > _MAX_DIGITS:
            break
        if length >= _MIN_DIGITS and passes_luhn(_digits(run[begin : groups[last][1]])):
            found = last
    return found


def _digits(text: str) -> str:
    return text.replace(" ", "").replace("-", "")
