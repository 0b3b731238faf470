"""What is known of stored payments: the labels that count, in a form small enough for every worker to hold."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from contract.items import from_item
from contract.label import LABELS_TABLE, Label, effective
from contract.scored import Decision
from engine.profile.fingerprints import key_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from contract.items import Item
    from contract.scored import ScoredTransaction


class Finding(IntEnum):
    """What a payment was, as far as it is known."""

    HONEST = 0
    FRAUD = 1
    UNKNOWN = 2
    """Blocked and never judged, or so young that its label may still come: it is in no share."""


NO_DELAY_MS: Final = 1 << 62
"""As ``judged_until_ms``: no payment is too young."""


def payment_hash(user_id: str, event_key: str) -> int:
    """64 bits in place of a row's key."""
    return key_hash(f"{user_id}\x1f{event_key}")


def label_of(item: Item) -> Label:
    """Read a row of ``labels``; InvalidRowError names the attribute that cannot be read."""
    return from_item(LABELS_TABLE, item, Label)


def counting_finding(labels: Iterable[Label]) -> Finding | None:
    """Give what the labels of one payment say; None where none counts."""
    label = effective(labels)
    if label is None:
        return None
    return Finding.FRAUD if label.is_fraud else Finding.HONEST


class LabelBook:
    """The labels that count, by payment: 9 bytes each.

    Parameters
    ----------
    findings : Mapping[int, Finding]
        Hash of a payment (:func:`payment_hash`) to what it was.
    judged_until_ms : int
        Payments with a later clock are not known, labelled or not, ms since the epoch: those that are labelled early are mostly fraud.
    """

    def __init__(self, findings: Mapping[int, Finding], judged_until_ms: int = NO_DELAY_MS) -> None:
        ordered = sorted(findings.items())
        self._hashes = array("Q", [hashed for hashed, _ in ordered])
        self._findings = bytes([finding for _, finding in ordered])
        self._judged_until_ms = judged_until_ms

    def __len__(self) -> int:
        return len(self._hashes)

    def finding(self, row: ScoredTransaction, event_key: str, clock_ms: int) -> Finding:
        """Say what a payment was: what its label says; without one, honest if it was not blocked.

        ``event_key`` is the row's, ``clock_ms`` the payment's clock.
        """
        if clock_ms > self._judged_until_ms:
            return Finding.UNKNOWN
        hashed = payment_hash(row.transaction.user_id, event_key)
        place = bisect_left(self._hashes, hashed)
        if place < len(self._hashes) and self._hashes[place] == hashed:
            return Finding(self._findings[place])
        return Finding.UNKNOWN if row.decision is Decision.BLOCK else Finding.HONEST
