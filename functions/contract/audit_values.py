"""What an audit event has in place of a personal value that somebody asked for: its hash.

Who knows the value finds who asked for it: that is what the hash is for, so it has no key. Auditors compute it where they have no secret, from copies of the trail
that are years old. Who reads the trail could try a list of user ids, and would learn which of them somebody had looked for; nobody but auditors reads it.
Card numbers cannot be tried: what people look for are tokens, which have a key.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

import msgspec

from contract.addresses import canonical_address
from contract.text import canonical_id

ASKED: Final = "asked"
"""Name of the detail of an event."""

_BYTES: Final = 16
_BY_THEMSELVES: Final = frozenset({"user", "transaction"})
"""Kinds whose values are compared as they are; the others as payments have them."""


def value_hash(kind: str, value: str) -> str:
    """Hash of a value, 32 hexadecimal digits.

    Parameters
    ----------
    kind : str
        What it is, as the form of the search says: ``user``, ``transaction``, ``card_id``, ``ip_address``.
    value : str
        As somebody typed it.

    >>> value_hash("ip_address", " 203.0.113.7:443 ") == value_hash("ip_address", "203.0.113.7")
    True
    """
    text = value.strip()
    if kind == "ip_address":
        text = canonical_address(text) or text
    elif kind not in _BY_THEMSELVES:
        text = canonical_id(text) or text
    return blake2b(msgspec.json.encode([kind, text]), digest_size=_BYTES, person=b"audit value").hexdigest()
