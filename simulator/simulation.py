"""Turn a configuration into payments with their truth: an exact number, in the order of event time."""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta

from contract.truth import SentPayment, Truth
from simulator.draws import Draws
from simulator.fraud import SCENARIOS, Scene
from simulator.honest import Calendar, Life
from simulator.payments import Payment, paid
from simulator.people import Person, person
from simulator.records import to_us

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.fraud import Step

_LETTERS: Final = str.maketrans("0123456789abcdef", "abcdefghijklmnop")

_HISTORY_SHARE: Final = 0.35
"""First share of a span, without fraud, so that victims have habits before they are attacked."""

_HISTORY_PAYMENTS: Final = 8
"""A victim has made at least this many payments before an attack."""

_SLEEP_SHARE: Final = 0.7
"""A dormant account is attacked after this share of the span."""

_MAX_VICTIMS: Final = 5_000
"""Victims are chosen among at most this many people; more would only cost time."""

_TRIES: Final = 12
"""A scenario is skipped after this many unsuitable victims."""


class SimulationConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What to simulate. Equal configurations give equal records, byte for byte."""

    seed: int
    """Another seed gives other people, with other ids."""
    users: Annotated[int, Meta(ge=1)] = 300
    transactions: Annotated[int, Meta(ge=0)] = 12_000
    """Exact number, including fraud."""
    ends_at: datetime
    """Last possible event time; aware."""
    span: timedelta = timedelta(days=90)
    """Event times lie within this time before ``ends_at``."""
    fraud_rate: Annotated[float, Meta(ge=0, le=1)] = 0.01
    """Share of the transactions that are fraud."""
    first_user: Annotated[int, Meta(ge=0)] = 0
    """Number of the first user, so that two simulations of one seed can have different people."""
    settled: bool = False
    """True if the simulation continues an earlier one: people changed their phone or home before the span, not in it."""
    episode: str = ""
    """Two simulations of one seed with different episodes have the same people, but different payments."""


def simulate(config: SimulationConfig) -> Iterator[SentPayment]:
    """Simulate payments and fraud.

    All payments are in memory at once, to be sorted: about 2 KB each.

    Parameters
    ----------
    config : SimulationConfig
        What to simulate. Nothing else has an influence, neither the clock nor the machine.

    Yields
    ------
    SentPayment
        Exactly ``config.transactions`` of them, in the order of event time, none later than ``config.ends_at``.
    """
    ends_us = to_us(config.ends_at)
    calendar = Calendar(ends_us - max(1, int(config.span.total_seconds() * 1_000_000)), ends_us)
    fraud_target = round(config.transactions * config.fraud_rate)
    lives = _Lives(config, calendar, config.transactions - fraud_target)
    attacks = _Attacks(config, calendar, lives).payments(fraud_target) if fraud_target else []
    payments = [payment for life in lives.payments for payment in life] + attacks
    # Where attacks found no victim, honest payments fill up the number.
    payments += lives.more(config.transactions - len(payments))
    payments.sort(key=lambda payment: payment.at_us)
    run = run_id(config)
    for number, payment in enumerate(payments):
        payment.record["transaction_id"] = f"tx-{run}-{number:07d}"
        incident_id = None if payment.incident is None else f"incident-{run}-{payment.incident:04d}"
        truth = Truth(payment.scenario, incident_id, payment.amount_base)
        yield SentPayment(record=payment.record, truth=truth)


def run_id(config: SimulationConfig) -> str:
    """Make the part of the ids that is unique to this configuration.

    In letters, because a long run of digits could be taken for a card number.
    """
    return blake2b(msgspec.json.encode(config), digest_size=8).hexdigest().translate(_LETTERS)


class _Lives:
    """The honest payments of all people, which the attacks read."""

    def __init__(self, config: SimulationConfig, calendar: Calendar, total: int) -> None:
        self._config = config
        self._calendar = calendar
        self._by_index: dict[int, tuple[Life, list[Payment]]] = {}
        counts = self._counts(total)
        for index, count in counts.items():
            life = self._life(index)
            self._by_index[index] = (life, life.payments(count))
        self.payments = [payments for _, payments in self._by_index.values()]

    def of(self, index: int) -> tuple[Life, list[Payment]]:
        """Return one person's life and honest payments, in the order of time."""
        if index not in self._by_index:
            self._by_index[index] = (self._life(index), [])
        return self._by_index[index]

    def more(self, count: int) -> list[Payment]:
        """Make further honest payments of the first person who is not dormant."""
        if count <= 0:
            return []
        awake = (life for life, _ in self._by_index.values() if life.person.dormancy == "active")
        life = next(awake, None) or self._life(self._config.first_user)
        return life.payments(count)

    def _life(self, index: int) -> Life:
        config = self._config
        draws = Draws("life", config.seed, index, config.episode)
        return Life(person(config.seed, index), self._calendar, draws, settled=config.settled)

    def _counts(self, total: int) -> dict[int, int]:
        """Divide ``total`` payments among the people, by their activity."""
        config = self._config
        first, last = config.first_user, config.first_user + config.users - 1
        if config.users > 2 * total:
            # Far more people than payments: draw who pays. Weighting by activity would mean making every person.
            draws = Draws("crowd", config.seed, first, config.episode)
            counts: dict[int, int] = {}
            for _ in range(total):
                index = draws.integer(first, last)
                if config.settled:
                    index = self._next_awake(index)
                counts[index] = counts.get(index, 0) + 1
            return counts
        people = [person(config.seed, index) for index in range(first, last + 1)]
        weights = [_activity(one, settled=config.settled) for one in people]
        if not any(weights):
            weights = [1.0] * len(people)
        sums = [0.0, *accumulate(weights)]
        bounds = [int(total * (part / sums[-1])) for part in sums]
        return {one.index: high - low for one, (low, high) in zip(people, pairwise(bounds), strict=True)}

    def _next_awake(self, index: int) -> int:
        """Find the first active person from ``index`` on, starting again after the last; ``index`` if there is none."""
        config = self._config
        for step in range(config.users):
            candidate = config.first_user + (index - config.first_user + step) % config.users
            if person(config.seed, candidate).dormancy == "active":
                return candidate
        return index


def _activity(one: Person, *, settled: bool) -> float:
    if one.dormancy == "active":
        return one.activity
    return 0.0 if settled else one.activity * 0.4


class _Attacks:
    """The attacks of one simulation. Victims take turns."""

    def __init__(self, config: SimulationConfig, calendar: Calendar, lives: _Lives) -> None:
        self._draws = Draws("attacks", config.seed, config.first_user, config.episode)
        self._calendar = calendar
        self._lives = lives
        self._settled = config.settled
        self._history = 0 if config.settled else _HISTORY_PAYMENTS
        self._earliest_us = calendar.share_us(0.0 if config.settled else _HISTORY_SHARE)
        first = config.first_user
        indexes = self._draws.distinct(range(first, first + config.users), min(config.users, _MAX_VICTIMS))
        self._awake = [index for index in indexes if person(config.seed, index).dormancy == "active"]
        self._asleep = [index for index in indexes if person(config.seed, index).dormancy == "asleep"]

    def payments(self, target: int) -> list[Payment]:
        """Make attacks until ``target`` payments are fraud, or no attack fits any more; never more than ``target``."""
        found: list[Payment] = []
        rotation: list[str] = []
        incident = misses = 0
        while len(found) < target and misses < 2 * len(SCENARIOS):
            rotation = rotation or self._draws.distinct(tuple(SCENARIOS), len(SCENARIOS))
            attack = self._attack(rotation.pop(), incident)
            if not attack or len(found) + len(attack) > target:
                misses += 1
                continue
            found += attack
            incident += 1
            misses = 0
        return found

    def _attack(self, scenario: str, incident: int) -> list[Payment]:
        for _ in range(_TRIES):
            victims = self._asleep if scenario == "dormant_awakened" else self._awake
            if not victims:
                break
            index = victims.pop(0)
            victims.append(index)
            life, honest = self._lives.of(index)
            begins_us = self._begin_us(scenario, honest)
            if begins_us is not None:
                scene = Scene(life.person, life.city_at(begins_us), life.phone_at(begins_us), self._draws)
                return self._timed(SCENARIOS[scenario](scene), scenario, scene, begins_us, incident)
        return []

    def _begin_us(self, scenario: str, honest: list[Payment]) -> int | None:
        """Choose when the attack begins; None if this victim is unsuitable."""
        if len(honest) < self._history:
            return None
        earliest_us = self._earliest_us
        if self._history:
            earliest_us = max(earliest_us, honest[self._history - 1].at_us)
        if scenario == "dormant_awakened":
            earliest_us = earliest_us if self._settled else self._calendar.share_us(_SLEEP_SHARE)
        if scenario == "impossible_travel":
            # A cloned card is used while the real one is: soon after a payment in a shop.
            first = bisect_left(honest, earliest_us, key=lambda payment: payment.at_us)
            in_shops = [payment.at_us for payment in honest[first:] if payment.record["channel"] == "pos"]
            return self._draws.choice(in_shops) if in_shops else None
        if earliest_us >= self._calendar.ends_us:
            return None
        return earliest_us + int((self._calendar.ends_us - earliest_us) * 0.97 * self._draws.unit())

    def _timed(
        self, steps: list[Step], scenario: str, scene: Scene, begins_us: int, incident: int
    ) -> list[Payment]:
        # An attack that would not end within the span is sped up, so that even a simulation of one minute has attacks.
        room_us = self._calendar.ends_us - begins_us
        length_us = int(steps[-1].after_s * 1_000_000)
        pace = min(1.0, 0.95 * room_us / length_us) if length_us else 1.0
        return [
            paid(
                step.draft,
                scene.person.user_id,
                begins_us + int(step.after_s * 1_000_000 * pace),
                scenario,
                incident,
            )
            for step in steps
        ]
