"""Labels as a backtest plays them: each becomes known some days after its payment, and only then can a decision depend on it."""

from __future__ import annotations

from collections import Counter
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
import yaml
from msgspec import Meta

from contract.entity_ids import EntityIds, EntityKind
from contract.scored import Decision
from contract.verdict import Verdict
from engine.entities.risk import LEAST_USUAL_RATE, LabelledPayments, Risk, RiskReading
from engine.profile.fingerprints import key_hash
from engine.profile.verdict_list import MAX_LISTED, ListedVerdict, taught
from lab.datasets import DatasetError
from simulator.draws import Draws

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from contract.truth import Truth
    from engine.decided import Decided
    from engine.profile.facts import PaymentFacts

BLOCKED_POLICIES: Final = ("judged", "unlabelled", "honest")
"""What becomes known of a blocked payment: what it was; nothing; or, as if nobody had looked, that it was honest."""

MAX_DELAY_DAYS: Final = 3_650

_S_PER_DAY: Final = 86_400


class Delay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One source of labels."""

    share: Annotated[float, Meta(gt=0, le=1)]
    """Of the labels that come from it, 0 to 1."""
    days: Annotated[float, Meta(ge=0, le=MAX_DELAY_DAYS)]
    """From the payment until the label is known."""


class LabelPlan(msgspec.Struct, frozen=True):
    """When labels become known, and which do."""

    delays: tuple[Delay, ...]
    """Shares that sum to at most 1; the rest never becomes known."""
    blocked: Literal["judged", "unlabelled", "honest", "sampled"] = "judged"
    sampled_share: float = 0.0
    """Of the payments that would be blocked: let through to learn what they are. Simulated only."""


def read_delays(path: Path) -> tuple[Delay, ...]:
    """Read a file of delays: YAML, each source's name with its ``share`` and ``days``.

    Raises
    ------
    DatasetError
        Naming the place of what cannot be used.
    """
    try:
        sources = msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), dict[str, Delay])
    except (msgspec.ValidationError, yaml.YAMLError, OSError) as error:
        raise DatasetError(f"{path}: {error}") from error
    total = sum(delay.share for delay in sources.values())
    if not sources or total > 1 + 1e-9:
        raise DatasetError(f"{path}: the shares sum to {total:g}; at most 1, and at least one source")
    return tuple(sources.values())


class Learnt(msgspec.Struct):
    """How many labels became known by the end."""

    frauds: int = 0
    """Frauds that were called fraud."""
    honest: int = 0
    """Honest payments that were called honest."""
    frauds_called_honest: int = 0
    """Blocked ones that nobody looked at."""
    let_through: int = 0
    """Payments that would have been blocked, and were let through to learn what they are."""


class _Label(msgspec.Struct, frozen=True, order=True):
    known_s: int
    key_hash: int
    at_s: int
    is_fraud: bool
    was_fraud: bool
    """Whether it really was."""
    user_id: str
    ids: tuple[bytes, ...]
    """The entities' ids; empty for none."""
    seen: tuple[int, ...]


def _ignored(_key_hash: int, _is_fraud: bool) -> None:
    return None


class PlayedLabels:
    """What is known, at a payment's time, of the payments before it.

    Parameters
    ----------
    plan : LabelPlan
        When labels become known.
    on_known : Callable[[int, bool], object]
        Called with the key hash of a payment and whether it was fraud, once its label is known.

    Attributes
    ----------
    learnt : Learnt
        What became known so far.
    """

    def __init__(self, plan: LabelPlan, on_known: Callable[[int, bool], object] = _ignored) -> None:
        self.learnt = Learnt()
        self._plan = plan
        self._on_known = on_known
        self._waiting: list[_Label] = []
        self._payments: dict[bytes, LabelledPayments] = {}
        self._risks: dict[bytes, Risk] = {}
        self._verdicts: dict[str, list[ListedVerdict]] = {}
        self._payments_by_day: Counter[int] = Counter()
        self._frauds_by_day: Counter[int] = Counter()
        self._usual: tuple[int, float] = (0, LEAST_USUAL_RATE)

    def learn(self, clock_s: int) -> None:
        """Apply every label that is known at a time, s since the epoch."""
        while self._waiting and self._waiting[0].known_s <= clock_s:
            self._apply(heappop(self._waiting))

    def risks(self, ids: EntityIds, clock_s: int) -> RiskReading:
        """What labels say of a payment's entities."""
        risks = tuple([None if entity_id is None else self._risks.get(entity_id) for entity_id in ids])
        return RiskReading(risks, self._usual_rate(clock_s // _S_PER_DAY))

    def _usual_rate(self, day: int) -> float:
        """Of the 30 days before a day; computed once a day."""
        if self._usual[0] != day:
            days = range(day - 30, day)
            payments = sum(self._payments_by_day[each] for each in days)
            frauds = sum(self._frauds_by_day[each] for each in days)
            self._usual = (day, max(frauds / payments if payments else 0.0, LEAST_USUAL_RATE))
        return self._usual[1]

    def verdicts(self, user_id: str, clock_s: int) -> list[Verdict]:
        """What labels say of a user's payments, oldest first, as far as it teaches at a time, s since the epoch."""
        return taught(self._verdicts.get(user_id, ()), clock_s)

    def decided(self, facts: PaymentFacts, ids: EntityIds, decided: Decided, truth: Truth) -> None:
        """Take a payment whose label will become known: fraud, and what people look at because it was flagged."""
        at_s = facts.at_ms // 1000
        self._payments_by_day[at_s // _S_PER_DAY] += 1
        decision = decided.assessment.decision
        if not truth.is_fraud and decision is Decision.APPROVE:
            return  # nobody complains of it
        is_fraud = truth.is_fraud
        draws = Draws("label", facts.key_hash)
        if decision is Decision.BLOCK:
            is_let_through = draws.chance(self._plan.sampled_share)
            if self._plan.blocked in ("unlabelled", "sampled") and not is_let_through:
                return
            self.learnt.let_through += is_let_through
            is_fraud = is_fraud and self._plan.blocked != "honest"
        days = self._days(draws.unit())
        if days is None:
            return
        label = _Label(
            facts.clock_ms // 1000 + round(days * _S_PER_DAY),
            facts.key_hash,
            at_s,
            is_fraud,
            truth.is_fraud,
            facts.transaction.user_id,
            tuple([entity_id or b"" for entity_id in ids]),
            tuple([value or 0 for value in facts.seen]),
        )
        heappush(self._waiting, label)

    def _days(self, place: float) -> float | None:
        for delay in self._plan.delays:
            if place < delay.share:
                return delay.days
            place -= delay.share
        return None

    def _apply(self, label: _Label) -> None:
        learnt = self.learnt
        learnt.frauds += label.is_fraud
        learnt.honest += not label.was_fraud
        learnt.frauds_called_honest += label.was_fraud and not label.is_fraud
        for kind, entity_id in enumerate(label.ids):
            if entity_id and kind != EntityKind.NETWORK:
                payments = self._payments.setdefault(entity_id, LabelledPayments())
                payments.set(label.key_hash, label.at_s, is_fraud=label.is_fraud, known_s=label.known_s)
                self._risks[entity_id] = payments.risk()
        self._frauds_by_day[label.at_s // _S_PER_DAY] += label.is_fraud
        verdict_hash = key_hash(f"{label.key_hash}{label.is_fraud}")
        verdict = Verdict(verdict_hash, label.is_fraud, label.key_hash, label.at_s, label.seen)
        verdicts = self._verdicts.setdefault(label.user_id, [])
        verdicts.append(ListedVerdict(verdict, label.known_s))  # stored as soon as it is known
        del verdicts[:-MAX_LISTED]
        self._on_known(label.key_hash, label.is_fraud)
