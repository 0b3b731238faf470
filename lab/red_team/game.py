"""One round: payments of honest people and of thieves reach the engine in the order of their arrival, and thieves hear what it decides."""

from __future__ import annotations

import heapq
from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec

from lab.measures import APPROVE
from lab.red_team.population import Population
from simulator.itinerary import DAY_US
from simulator.thieves import Answer, sent

if TYPE_CHECKING:
    from lab.red_team.engines import Engine, Ruling
    from lab.red_team.population import Enlisted, Honest, RoundConfig
    from simulator.thieves import Thief

_BLOCK: Final = "block"

WORTHWHILE_USD: Final = 100.0
"""A payment that a thief would call a success."""


class Theft(msgspec.Struct):
    """What one thief did."""

    kind: str
    tries: int = 0
    flagged: int = 0
    """Tries that were reviewed or blocked."""
    undecided: int = 0
    """Tries that the engine refused as invalid or as repeats. They pay nothing."""
    taken_usd: float = 0.0
    """Approved, with all tries."""
    taken_before_alert_usd: float = 0.0
    """Approved before the first try that was flagged."""
    taken_within_a_day_usd: float = 0.0
    """Approved until 24 hours after the first try that was flagged; with all tries if none was."""
    undecided_usd: float = 0.0
    alert_at_try: int | None = None
    """Number of the first try that was flagged, from 1; None if none was."""
    paid_at_try: int | None = None
    """Number of the first approved try of at least :data:`WORTHWHILE_USD`, from 1; None if there was none."""


class Suffering(msgspec.Struct):
    """What the people of one kind suffered in the days that count."""

    people: int
    days: float
    payments: int = 0
    odd_payments: int = 0
    """Those that make the oddness."""
    reviews: int = 0
    blocks: int = 0
    odd_flagged: int = 0
    rules: Counter[str] = msgspec.field(default_factory=Counter)
    """How often a rule held for a payment that was flagged."""


class RoundResult(msgspec.Struct, frozen=True):
    """What came of one round."""

    thefts: list[Theft]
    suffering: dict[str, Suffering]
    """By kind of people."""


def play(config: RoundConfig, engine: Engine) -> RoundResult:
    """Play one round.

    Parameters
    ----------
    config : RoundConfig
        Which.
    engine : Engine
        Without any profiles yet.
    """
    population = Population(config)
    days = config.play.total_seconds() / 86_400
    suffering = {kind: Suffering(people, days) for kind, people in population.people.items()}
    thieves = _Thieves(population.thieves, config)
    for honest in population.honest:
        thieves.play_until(honest.arrives_us, engine)
        ruling = engine.decide(honest.payment)
        if honest.kind and honest.arrives_us >= population.starts_us:
            _count(suffering[honest.kind], honest, ruling)
    thieves.play_until(None, engine)
    return RoundResult(thieves.thefts, suffering)


class _Thieves:
    """The thieves of a round, each with the time of the next try."""

    def __init__(self, enlisted: list[Enlisted], config: RoundConfig) -> None:
        self._config = config
        self._enlisted = enlisted
        self._thieves: list[Thief] = [each.thief for each in enlisted]
        self.thefts = [Theft(each.kind) for each in enlisted]
        self._alerted_us: dict[int, int] = {}
        self._next: list[tuple[int, int]] = []
        for index, each in enumerate(enlisted):
            self._plan(index, each.begins_us)

    def play_until(self, until_us: int | None, engine: Engine) -> None:
        """Make all tries that arrive before this time; None for all that are left."""
        while self._next and (until_us is None or self._next[0][0] < until_us):
            at_us, index = heapq.heappop(self._next)
            self._try(index, at_us, engine)

    def _plan(self, index: int, from_us: int) -> None:
        one = self._thieves[index].next_try
        if one is not None and self.thefts[index].tries < self._config.tries:
            heapq.heappush(self._next, (from_us + int(one.after_s * 1_000_000), index))

    def _try(self, index: int, at_us: int, engine: Engine) -> None:
        enlisted, theft, thief = self._enlisted[index], self.thefts[index], self._thieves[index]
        one = thief.next_try
        if one is None:
            return
        theft.tries += 1
        incident = f"theft-{self._config.seed:x}-{enlisted.kind}-{enlisted.number}"
        number = 1 if one.repeats_id else theft.tries
        payment = sent(one, at_us, f"{incident}-{number}", enlisted.kind, incident)
        ruling = engine.decide(payment)
        if ruling.decision not in (None, APPROVE):
            self._alerted_us.setdefault(index, at_us)
        is_within_a_day = at_us <= self._alerted_us.get(index, at_us) + DAY_US
        _count_try(theft, ruling, payment.truth.amount_base or 0.0, is_within_a_day=is_within_a_day)
        answer = Answer.APPROVED if ruling.decision == APPROVE else Answer.STOPPED
        self._thieves[index] = thief.answered(answer)
        self._plan(index, at_us)


def _count_try(theft: Theft, ruling: Ruling, usd: float, *, is_within_a_day: bool) -> None:
    if ruling.decision is None:
        theft.undecided += 1
        theft.undecided_usd += usd
    elif ruling.decision == APPROVE:
        theft.taken_usd += usd
        theft.taken_within_a_day_usd += usd * is_within_a_day
        if theft.alert_at_try is None:
            theft.taken_before_alert_usd += usd
        if theft.paid_at_try is None and usd >= WORTHWHILE_USD:
            theft.paid_at_try = theft.tries
    else:
        theft.flagged += 1
        theft.alert_at_try = theft.alert_at_try or theft.tries


def _count(suffering: Suffering, honest: Honest, ruling: Ruling) -> None:
    is_odd = honest.payment.truth.oddness is not None
    is_flagged = ruling.decision not in (None, APPROVE)
    suffering.payments += 1
    suffering.odd_payments += is_odd
    if is_flagged:
        suffering.blocks += ruling.decision == _BLOCK
        suffering.reviews += ruling.decision != _BLOCK
        suffering.odd_flagged += is_odd
        suffering.rules.update(ruling.rule_ids)
