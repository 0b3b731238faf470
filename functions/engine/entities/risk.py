"""What labels say of one entity: its payments that were called fraud, and when one was last called honest.

A label counts from when it is known, at the time of its payment. The state is a set of payments, so a label that comes twice changes
nothing, one that comes late finds its place, and one that is withdrawn removes exactly what it added.
"""

from __future__ import annotations

from bisect import bisect_right
from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple

from contract.entity_ids import KIND_LETTERS, EntityKind

if TYPE_CHECKING:
    from contract.entity_ids import EntityIds

FORMAT: Final = 1
MAX_PAYMENTS: Final = 64
"""How many payments called fraud, and how many called honest, an entity remembers: those with the latest times."""

PRIOR_PAYMENTS: Final = 20.0
"""How many payments with the usual share of fraud each entity's own are mixed with."""
LEAST_USUAL_RATE: Final = 0.001
"""The usual share of fraud is taken for no less: the order of magnitude that card schemes report."""


_LETTERS_WITH_RISK: Final = frozenset(
    KIND_LETTERS[kind] for kind in EntityKind if kind is not EntityKind.NETWORK
)
"""First bytes of the ids; those of populations begin with another."""

_HEADER: Final = Struct("<BBxxII")
"""Format, how many frauds, the time of the latest honest payment, and when the newest label became known; s since the epoch."""
_TIMES: Final = tuple(Struct(f"<{size}I") for size in range(MAX_PAYMENTS + 1))
_MAX_TIME_S: Final = 2**32 - 1


class RiskFormatError(Exception):
    """Bytes that are no risk of this format; names what they begin with."""


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

    def judged_until(self, clock_s: int) -> int:
        """Up to when payments can have been judged by now, if all labels came as late as the newest one did.

        The newest label is on the latest payment that has one, or on an earlier one, and took longer then: so this is no time too early.
        """
        delay_s = self.known_s - max(self.latest(clock_s), self.honest_s)
        return clock_s - max(delay_s, 0)

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
    """By :class:`~contract.entity_ids.EntityKind`: of the payment's entities; None where they say nothing."""
    usual_rate: float
    """Share of fraud among all payments of 30 days, as far as it is known; at least :data:`LEAST_USUAL_RATE`."""


NO_RISKS: Final = RiskReading((None,) * len(EntityKind), LEAST_USUAL_RATE)


def has_risk(entity_id: bytes) -> bool:
    """Whether labels say something of an entity of this kind: not of populations, nor of networks, whose customers have little in common."""
    return entity_id[0] in _LETTERS_WITH_RISK


def with_risk(ids: EntityIds) -> list[bytes]:
    """Those of a payment's entities that labels say something of."""
    return [entity_id for entity_id in ids if entity_id is not None and has_risk(entity_id)]


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


def to_bytes(risk: Risk) -> bytes:
    """Write a risk as the cache keeps it. Times before 1970 are written as 0, those after 2106 as the last that 32 bits hold."""
    times = [_seconds(at_s) for at_s in risk.frauds_s[-MAX_PAYMENTS:]]
    header = _HEADER.pack(FORMAT, len(times), _seconds(risk.honest_s), _seconds(risk.known_s))
    return header + _TIMES[len(times)].pack(*times)


def from_bytes(data: bytes) -> Risk:
    """Read what :func:`to_bytes` wrote.

    Raises
    ------
    RiskFormatError
        For bytes of another format or length, or times that do not ascend.
    """
    if len(data) < _HEADER.size or data[0] != FORMAT:
        raise RiskFormatError(f"risk begins with {data[:4]!r}")
    _, size, honest_s, known_s = _HEADER.unpack_from(data)
    if size > MAX_PAYMENTS or len(data) != _HEADER.size + 4 * size:
        raise RiskFormatError(f"risk of {len(data)} bytes and {size} payments, at most {MAX_PAYMENTS}")
    frauds_s = _TIMES[size].unpack_from(data, _HEADER.size)
    if list(frauds_s) != sorted(frauds_s):
        raise RiskFormatError("risk with times that do not ascend")
    return Risk(frauds_s, honest_s, known_s)


def _seconds(at_s: int) -> int:
    return min(max(at_s, 0), _MAX_TIME_S)
