"""Hashes and numbers that stand for text in a profile, the same in every process and version."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final
from zlib import crc32

from contract.currency import MINOR_UNIT_EXPONENT

if TYPE_CHECKING:
    from engine.profile.seen_values import Kind

CURRENCY_CODES: Final[tuple[str, ...]] = tuple(sorted(MINOR_UNIT_EXPONENT))
"""Currency number to code. The order is stored in profiles: :data:`engine.profile.profile.FORMAT` goes up with a change."""

CURRENCY_NUMBERS: Final[dict[str, int]] = {code: number for number, code in enumerate(CURRENCY_CODES)}


def text_hash(text: str | None) -> int:
    """32 bits that stand for ``text``, never 0; 0 for None.

    A CRC is enough: who can choose a device's name to collide with a known one can choose the known name itself.
    """
    return 0 if text is None else crc32(text.encode()) or 1


def seen_hash(kind: Kind, text: str | None) -> int | None:
    """32 bits that stand for a value of a kind: 29 of its CRC and the kind; None for None."""
    return None if text is None else crc32(text.encode()) & 0xFFFFFFF8 | kind


def key_hash(event_key: str) -> int:
    """64 bits that stand for one payment's event key.

    Cryptographic, since a payment whose hash is known is taken for a repeat: nobody may be able to make one.
    """
    return int.from_bytes(blake2b(event_key.encode(), digest_size=8).digest(), "little")
