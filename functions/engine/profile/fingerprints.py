"""Hashes and numbers that replace text in a profile. They are the same in every process and version."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final
from zlib import crc32

from contract.currency import MINOR_UNIT_EXPONENT

if TYPE_CHECKING:
    from engine.profile.seen_values import SeenKind

CURRENCY_CODES: Final[tuple[str, ...]] = tuple(sorted(MINOR_UNIT_EXPONENT))
"""Currency number to code. Profiles store the numbers: a change of the order needs a new :data:`engine.profile.profile.FORMAT`."""

CURRENCY_NUMBERS: Final[dict[str, int]] = {code: number for number, code in enumerate(CURRENCY_CODES)}


def text_hash(text: str | None) -> int:
    """32 bits in place of ``text``, never 0; 0 for None.

    A CRC is enough: an attacker who can choose a device's name so that it collides with a known one can choose the known name itself.
    """
    return 0 if text is None else crc32(text.encode()) or 1


def value_hash(kind: SeenKind, text: str | None) -> int | None:
    """32 bits in place of a value of a kind: 29 bits of its CRC, and the kind. None for None."""
    return None if text is None else crc32(text.encode()) & 0xFFFFFFF8 | kind


def key_hash(event_key: str) -> int:
    """64 bits in place of one payment's event key.

    The hash is cryptographic, because a payment with a known hash counts as a repeat: no attacker may be able to construct one.
    """
    return int.from_bytes(blake2b(event_key.encode(), digest_size=8).digest(), "little")
