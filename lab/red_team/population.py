"""Who takes part in one round: thieves with their victims, people of each kind of oddness, and ordinary people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta

from contract.truth import SentPayment, Truth
from simulator.draws import Draws
from simulator.honest import Calendar, Life
from simulator.itinerary import DAY_US
from simulator.oddities import ODDITIES, Odd, OddPayment
from simulator.payments import paid
from simulator.people import Person, person
from simulator.records import at_of, to_us
from simulator.thieves import ACCOUNTS, KINDS, Thief, Victim, thief

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simulator.payments import Payment

ENDS_AT: Final = datetime(2026, 11, 26, tzinfo=UTC)
"""A fixed time, so that a seed gives the same figures on every day."""

_PAYMENTS: Final = 55
"""Everyday payments of a person of activity 1 within the whole span."""

NOT_ODD: Final = "ordinary"
"""The kind of people without any oddness of their own. Trips, new phones and moves happen to them as in every simulation."""


class RoundConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One round. The same configuration gives the same people and the same thieves."""

    seed: int
    thieves: Annotated[int, Meta(ge=0)] = 8
    """Of each kind."""
    tries: Annotated[int, Meta(ge=1)] = 60
    """Budget of each thief."""
    odd: Annotated[int, Meta(ge=0)] = 20
    """People of each kind of oddness."""
    ordinary: Annotated[int, Meta(ge=0)] = 60
    """Other people."""
    history: timedelta = timedelta(days=60)
    """Before the thieves begin and the counting starts."""
    play: timedelta = timedelta(days=30)
    """The days of thefts, oddities and counting."""


class Honest(msgspec.Struct, frozen=True):
    """One payment of an honest person."""

    arrives_us: int
    kind: str
    """Of the person: a kind of oddness, :data:`NOT_ODD`, or empty for a thief's victim."""
    payment: SentPayment


class Enlisted(msgspec.Struct, frozen=True):
    """A thief who is about to begin."""

    kind: str
    number: int
    begins_us: int
    thief: Thief


class Population:
    """The people of one round.

    Parameters
    ----------
    config : RoundConfig
        Which round.

    Attributes
    ----------
    honest : list[Honest]
        All honest payments, in the order in which they arrive.
    thieves : list[Enlisted]
        By kind.
    people : dict[str, int]
        Kind to the number of people, victims not included.
    starts_us : int
        Counting begins here; us since the epoch.
    """

    def __init__(self, config: RoundConfig) -> None:
        self._config = config
        ends_us = to_us(ENDS_AT)
        self.starts_us = ends_us - config.play // timedelta(microseconds=1)
        self._calendar = Calendar(self.starts_us - config.history // timedelta(microseconds=1), ends_us)
        self._number = 0
        self._next_person = self._people()
        self.honest: list[Honest] = []
        self.people: dict[str, int] = {}
        for kind in ODDITIES if config.odd else ():
            self._add_odd(kind)
        self._add_ordinary()
        self.thieves = [self._enlist(kind, number) for kind in KINDS for number in range(config.thieves)]
        self.honest.sort(key=lambda each: each.arrives_us)

    def _people(self) -> Iterator[Person]:
        """People who pay all the time, at home, and keep their phone."""
        index = 0
        while True:
            one = person(self._config.seed, index)
            index += 1
            if (
                one.dormancy == "active"
                and not one.trips
                and one.changes_phone_at is None
                and not one.moves_at
            ):
                yield one

    def _add_odd(self, kind: str) -> None:
        for _ in range(self._config.odd):
            one = next(self._next_person)
            draws = Draws("odd", self._config.seed, kind, one.index)
            odd = Odd(one, self.starts_us + DAY_US, self._calendar.ends_us - DAY_US, draws)
            self.honest += [self._odd(payment, one, kind) for payment in ODDITIES[kind](odd)]
            self._add(one, kind, odd.away)
        self.people[kind] = self._config.odd

    def _add_ordinary(self) -> None:
        index, found = 1_000_000, 0
        while found < self._config.ordinary:
            one = person(self._config.seed, index)
            index += 1
            if one.dormancy == "active":
                self._add(one, NOT_ODD)
                found += 1
        self.people[NOT_ODD] = found

    def _enlist(self, kind: str, number: int) -> Enlisted:
        victims = []
        for _ in range(ACCOUNTS.get(kind, 1)):
            one = next(self._next_person)
            self._add(one, "")
            victims.append(Victim(one, one.phone))
        key = ("thief", self._config.seed, kind, number)
        begins_us = self.starts_us + int(Draws(*key, "begins").uniform(0, 3) * DAY_US)
        return Enlisted(kind, number, begins_us, thief(kind, key, tuple(victims)))

    def _add(self, one: Person, kind: str, away: Sequence[tuple[int, int]] = ()) -> None:
        life = Life(one, self._calendar, Draws("life", self._config.seed, one.index), settled=False)
        count = int(_PAYMENTS * min(3.0, max(0.5, one.activity)))
        self.honest += [
            self._everyday(payment, kind)
            for payment in life.payments(count)
            if not any(leaves_us <= payment.at_us < back_us for leaves_us, back_us in away)
        ]

    def _everyday(self, payment: Payment, kind: str) -> Honest:
        return self._honest(payment, payment.at_us + 1_000_000, kind, None)

    def _odd(self, odd: OddPayment, one: Person, kind: str) -> Honest:
        payment = paid(odd.draft, one.user_id, max(0, odd.arrives_us - odd.delay_us))
        record = {field: value for field, value in payment.record.items() if field not in odd.omitted}
        payment = msgspec.structs.replace(payment, record=record | dict(odd.changed))
        return self._honest(payment, odd.arrives_us + 1_000_000, kind, kind)

    def _honest(self, payment: Payment, arrives_us: int, kind: str, oddness: str | None) -> Honest:
        self._number += 1
        payment.record["transaction_id"] = f"tx-{self._config.seed:x}-{self._number:06d}"
        truth = Truth(amount_base=payment.amount_base, oddness=oddness)
        sent = SentPayment(record=payment.record, truth=truth, appended_at=at_of(arrives_us))
        return Honest(arrives_us, kind, sent)
