"""A person's verdict on one payment, as the engine uses it and as a row says that it was applied."""

from __future__ import annotations

import msgspec


class Verdict(msgspec.Struct, frozen=True, array_like=True):
    """What somebody found about one payment of a user. It holds all that a profile needs, since the profile may have forgotten it.

    A row that names it needs nothing else to be folded again.
    """

    verdict_hash: int
    """64 bits that identify the verdict, so that it is applied once."""
    is_fraud: bool
    """The payment was fraud; else it was legitimate."""
    key_hash: int
    """64 bits in place of the payment's row key."""
    at_s: int
    """The payment's time, s since the epoch."""
    seen: tuple[int, ...]
    """Hashes of the payment's country, device, merchant, payee, channel and currency, in this order; 0 for none."""
