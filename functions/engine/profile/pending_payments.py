"""Reviewed payments that may teach what is normal later, unless somebody calls them fraud."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from engine.profile.packed_columns import empty

if TYPE_CHECKING:
    from array import array
    from collections.abc import Sequence

MAX_PENDING: Final = 6
"""How many reviewed payments wait. Further ones are not kept, and so never teach through silence: whoever floods the review queue
can displace nobody."""

RELEASE_AFTER_MS: Final = 3 * 86_400_000
"""How long somebody has to call a reviewed payment fraud before it teaches: three days, so that a weekend passes."""


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
    """At most :data:`MAX_PENDING` payments, ascending by clock and key hash."""

    __slots__ = ("amount_minor", "at_s", "clock_s", "currency", "key_hash", "named", "seen")

    TYPECODES: Final = "QIIqBB" + "IQQQII"

    def __init__(self, *columns: array[int]) -> None:
        self.key_hash, self.clock_s, self.at_s, self.amount_minor, self.currency, self.named, *seen = (
            columns or empty(self.TYPECODES)
        )
        self.seen = tuple(seen)

    def __len__(self) -> int:
        return len(self.key_hash)

    def columns(self) -> tuple[array[int], ...]:
        """All columns, in the order of :attr:`TYPECODES`."""
        return (
            self.key_hash,
            self.clock_s,
            self.at_s,
            self.amount_minor,
            self.currency,
            self.named,
            *self.seen,
        )

    def due(self, clock_ms: int) -> tuple[int, ...]:
        """Key hashes of the payments that have waited long enough as of ``clock_ms``."""
        if not self.clock_s:  # nearly always
            return ()
        return tuple(
            key_hash
            for key_hash, clock_s in zip(self.key_hash, self.clock_s, strict=True)
            if clock_ms - clock_s * 1000 >= RELEASE_AFTER_MS
        )

    def add(self, pending: Pending) -> None:
        """Keep a payment, unless there are as many as may be."""
        if len(self) >= MAX_PENDING:
            return
        place = 0
        while place < len(self) and (self.clock_s[place], self.key_hash[place]) < (
            pending.clock_s,
            pending.key_hash,
        ):
            place += 1
        values = (
            pending.key_hash,
            pending.clock_s,
            pending.at_s,
            pending.amount_minor,
            pending.currency,
            pending.named,
            *pending.seen,
        )
        for column, value in zip(self.columns(), values, strict=True):
            column.insert(place, value)

    def take(self, key_hashes: Sequence[int]) -> list[Pending]:
        """Remove payments; return those that were there."""
        taken = []
        for key_hash in key_hashes:
            if key_hash in self.key_hash:
                row = self.key_hash.index(key_hash)
                first, clock_s, at_s, amount, currency, named, *seen = (
                    column.pop(row) for column in self.columns()
                )
                taken.append(Pending(first, clock_s, at_s, amount, currency, tuple(seen), named))
        return taken
