"""What labels say of one entity: its payments that were called fraud, and when one was last called honest.

A label counts from when it is known, at the time of its payment. The state is a set of payments, so a label that comes twice changes
nothing, one that comes late finds its place, and one that is withdrawn removes exactly what it added.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final, NamedTuple

from engine.entities.kinds import EntityKind

MAX_PAYMENTS: Final = 64
"""How many payments called fraud, and how many called honest, an entity remembers: those with the latest times."""

PRIOR_PAYMENTS: Final = 20.0
"""How many payments with the usual share of fraud each entity's own are mixed with."""
LEAST_USUAL_RATE: Final = 0.001
"""The usual share of fraud is taken for no less: the order of magnitude that card schemes report."""


class Risk(NamedTuple):
    """What a payment sees of an entity's labels."""

    frauds_s: tuple[int, ...]
    """Times of the payments called fraud, s since the epoch, ascending."""
    honest_s: int
    """Time of the latest payment that was called honest; 0 for none."""
    known_s: int
    """When the newest label became known; 0 for none."""

    def frauds(self, after_s: int, until_s: int) -> int:
        """How many payments in ``(after_s, until_s]`` were called fraud."""
        return bisect_right(self.frauds_s, until_s) - bisect_right(self.frauds_s, after_s)

    def latest(self, until_s: int) -> int:
        """Time of the latest payment up to ``until_s`` that was called fraud; 0 for none."""
        stop = bisect_right(self.frauds_s, until_s)
        return self.frauds_s[stop - 1] if stop else 0

    def run(self, until_s: int) -> tuple[int, int]:
        """The frauds since the latest honest payment: how many, and the time of the first of them (0 for none).

        An honest payment that is older than the run does not end it.
        """
        start = bisect_right(self.frauds_s, self.honest_s)
        stop = bisect_right(self.frauds_s, until_s)
        return (stop - start, self.frauds_s[start]) if stop > start else (0, 0)


class RiskReading(NamedTuple):
    """What labels say before a payment."""

    risks: tuple[Risk | None, ...]
    """By :class:`~engine.entities.kinds.EntityKind`: of the payment's entities; None where they say nothing."""
    usual_rate: float
    """Share of fraud among all payments of 30 days, as far as it is known; at least :data:`LEAST_USUAL_RATE`."""


NO_RISKS: Final = RiskReading((None,) * len(EntityKind), LEAST_USUAL_RATE)


def fraud_rate(frauds: int, payments: int, usual_rate: float) -> float:
    """Share of fraud, smoothed by a prior (additive smoothing): (f + k * prior) / (n + k).

    >>> fraud_rate(0, 0, 0.01), round(fraud_rate(3, 40, 0.01), 4)
    (0.01, 0.0533)
    """
    return (frauds + PRIOR_PAYMENTS * usual_rate) / (payments + PRIOR_PAYMENTS)


class LabelledPayments:
    """An entity's payments that are labelled now, from which its risk follows.

    Attributes
    ----------
    frauds, honest : dict[int, int]
        Key hash of a payment to its time, s since the epoch.
    known_s : int
        When the newest label became known, s since the epoch.
    """

    __slots__ = ("frauds", "honest", "known_s")

    def __init__(self) -> None:
        self.frauds: dict[int, int] = {}
        self.honest: dict[int, int] = {}
        self.known_s = 0

    def set(self, key_hash: int, at_s: int, *, is_fraud: bool | None, known_s: int) -> None:
        """Say what a payment is called now.

        Parameters
        ----------
        key_hash : int
            64 bits in place of the payment's row key.
        at_s : int
            The payment's time, s since the epoch.
        is_fraud : bool | None
            None where its label was withdrawn.
        known_s : int
            When that became known, s since the epoch.
        """
        self.frauds.pop(key_hash, None)
        self.honest.pop(key_hash, None)
        self.known_s = max(self.known_s, known_s)
        if is_fraud is None:
            return
        payments = self.frauds if is_fraud else self.honest
        payments[key_hash] = at_s
        if len(payments) > MAX_PAYMENTS:
            del payments[min(payments, key=lambda each: (payments[each], each))]

    def risk(self) -> Risk:
        """What payments see of it."""
        return Risk(tuple(sorted(self.frauds.values())), max(self.honest.values(), default=0), self.known_s)
