"""Reviewed payments that may teach what is normal later, unless somebody calls them fraud."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_PENDING: Final = 6
"""How many reviewed payments wait. Further ones are not kept, and so never teach through silence: whoever floods the review queue
can displace nobody."""

RELEASE_AFTER_MS: Final = 3 * 86_400_000
"""How long somebody has to call a reviewed payment fraud before it teaches: three days, so that a weekend passes."""

_ROW: Final = struct.Struct("<QIIqBBI3Q2I")
"""A payment's stored form: its fields, and one hash a kind."""

ROW_BYTES: Final = _ROW.size


class Pending(msgspec.Struct, frozen=True):
    """A reviewed payment, as far as it can teach."""

    key_hash: int
    clock_s: int
    """Its clock, s since the epoch, from which the days count."""
    at_s: int
    """Its time for habits, s since the epoch."""
    amount_minor: int
    currency: int
    seen: tuple[int, ...]
    """Hashes of its values by kind; 0 for none."""
    named: int
    """Which fields it names (:mod:`engine.profile.named_fields`)."""


class PendingPayments:
    """At most :data:`MAX_PENDING` payments, ascending by clock and key hash.

    Parameters
    ----------
    data : bytes
        Its stored form, :data:`ROW_BYTES` a payment; empty for none.
    """

    __slots__ = ("payments",)

    def __init__(self, data: bytes = b"") -> None:
        self.payments = [
            Pending(key_hash, clock_s, at_s, amount_minor, currency, tuple(seen), named)
            for key_hash, clock_s, at_s, amount_minor, currency, named, *seen in _ROW.iter_unpack(data)
        ]

    def __len__(self) -> int:
        return len(self.payments)

    def __contains__(self, key_hash: object) -> bool:
        return any(waiting.key_hash == key_hash for waiting in self.payments)

    def to_bytes(self) -> bytes:
        """The stored form."""
        return b"".join(
            _ROW.pack(
                waiting.key_hash,
                waiting.clock_s,
                waiting.at_s,
                waiting.amount_minor,
                waiting.currency,
                waiting.named,
                *waiting.seen,
            )
            for waiting in self.payments
        )

    def due(self, clock_ms: int) -> tuple[int, ...]:
        """Key hashes of the payments that have waited long enough as of ``clock_ms``."""
        if not self.payments:  # nearly always
            return ()
        return tuple(
            waiting.key_hash
            for waiting in self.payments
            if clock_ms - waiting.clock_s * 1000 >= RELEASE_AFTER_MS
        )

    def add(self, pending: Pending) -> None:
        """Keep a payment, unless there are as many as may be."""
        if len(self.payments) < MAX_PENDING:
            self.payments.append(pending)
            self.payments.sort(key=lambda waiting: (waiting.clock_s, waiting.key_hash))

    def take(self, key_hashes: Sequence[int]) -> list[Pending]:
        """Remove payments; return those that were there, in their order."""
        if not self.payments:
            return []
        wanted = set(key_hashes)
        taken = [waiting for waiting in self.payments if waiting.key_hash in wanted]
        self.payments = [waiting for waiting in self.payments if waiting.key_hash not in wanted]
        return taken
