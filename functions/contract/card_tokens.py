"""Keyed tokens that take the place of card numbers: one number has one token, and without the key nobody finds it by trying."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Final

from contract.card_numbers import replace_card_numbers

MIN_KEY_BYTES: Final = 16
"""A shorter key could be guessed, and with it every card number: there are only about 10^9 per issuer."""

KEY_DERIVATION_MESSAGE: Final = b"card number tokens"
"""KMS derives the tokenisation key from it. With another message every card would get another token."""

PREFIX: Final = "tok_"

_TOKEN_LETTERS: Final = 24
"""Letters of a token, four bits each: 96 bits, so that two cards in 10^14 do not share one by chance."""

# Letters only: a hexadecimal token would itself sometimes contain a run of digits that passes Luhn's check.
_LETTER_OF_HEX: Final = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


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
        return replace_card_numbers(text, self.token)

    def token(self, digits: str) -> str:
        """Token of one card number, given as digits only; always the same for the same key."""
        mac = hmac.digest(self._key, digits.encode("ascii"), sha256).hex()
        return PREFIX + mac[:_TOKEN_LETTERS].translate(_LETTER_OF_HEX)
