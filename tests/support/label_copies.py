"""The cache's copies of labels in memory; people who label payments; and a witness of what each try could know of that."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from cache.label_copies import NO_COPIES, LabelCopies
from contract.entity_ids import EntityKind, entity_ids
from engine.entities.risk import LabelledPayments, RiskReading, has_risk, with_risk
from engine.entities.risk import from_bytes as read_risk
from engine.entities.risk import to_bytes as risk_bytes
from engine.entities.sightings import sighting_of
from engine.features import risk
from engine.features.stored import unpack
from engine.profile.facts import facts_of_row
from engine.profile.fingerprints import key_hash
from engine.profile.verdict_list import MAX_LISTED, ListedVerdict, taught
from engine.profile.verdict_list import from_bytes as read_verdicts
from engine.profile.verdict_list import to_bytes as verdict_bytes
from tests.support.histories import verdict_on

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence
    from datetime import datetime

    from contract.scored import Position, ScoredTransaction
    from contract.verdict import Verdict

DAMAGED = b"\x01damaged"
"""A value that no reader takes: of the right format, and of no possible length or content."""

_NEEDS_PAYMENTS = {f"{kind.name.lower()}_fraud_rate_30d" for kind in EntityKind} | {"merchant_fraud_rate_7d"}
"""Shares of what the entity counted, which another witness knows."""


class MemoryLabelCopies:
    """Copies by the rules of :mod:`cache.label_copies`."""

    def __init__(self) -> None:
        self.risks: dict[bytes, bytes] = {}
        self.verdicts: dict[str, bytes] = {}
        self.usual_rate: bytes | None = None
        self.is_complete = True

    def read(self, user_ids: Sequence[str], entity_ids: Sequence[bytes]) -> LabelCopies:
        """What a try gets, as it is now."""
        return LabelCopies(
            {each: self.risks[each] for each in entity_ids if each in self.risks and has_risk(each)},
            {each: self.verdicts[each] for each in user_ids if each in self.verdicts},
            self.usual_rate,
            self.is_complete,
        )

    def damage(self) -> None:
        """Write over all of them."""
        self.risks = dict.fromkeys(self.risks, DAMAGED)
        self.verdicts = dict.fromkeys(self.verdicts, DAMAGED)


class LabelWitness:
    """People who label stored payments, and what each try of a batch could know of it.

    Parameters
    ----------
    recorded_s : int
        When their labels were stored, s since the epoch; long ago, unless it is given.
    """

    def __init__(self, recorded_s: int = 0) -> None:
        self.recorded_s = recorded_s
        self._payments: dict[bytes, LabelledPayments] = defaultdict(LabelledPayments)
        self._verdicts: dict[str, dict[int, Verdict]] = defaultdict(dict)
        self._labels = 0
        self._tries: dict[datetime, LabelCopies] = {}

    def label(self, row: ScoredTransaction, is_fraud: bool | None, copies: MemoryLabelCopies) -> None:
        """Say what a payment is, None for withdrawing that, and copy it as the label stage does."""
        self._labels += 1
        facts, user_id = facts_of_row(row), row.transaction.user_id
        verdicts = self._verdicts[user_id]
        verdicts.pop(facts.key_hash, None)
        if is_fraud is not None:
            verdict_hash = key_hash(f"{facts.event_key} {is_fraud} {self._labels}")
            verdicts[facts.key_hash] = verdict_on(facts, is_fraud=is_fraud, verdict_hash=verdict_hash)
        copies.verdicts[user_id] = verdict_bytes(
            [ListedVerdict(each, self.recorded_s) for each in [*verdicts.values()][-MAX_LISTED:]]
        )
        for entity_id in with_risk(entity_ids(row.transaction)):
            payments, at_s = self._payments[entity_id], facts.at_ms // 1000
            payments.set(
                facts.key_hash,
                at_s,
                is_fraud=is_fraud,
                known_s=int(row.scored_at.timestamp()) - 86_400 + self._labels,
            )
            copies.risks[entity_id] = risk_bytes(payments.risk())
        copies.usual_rate = f"{self._labels / 1000:.6f}".encode()
        copies.is_complete = True

    def scores(self, scored_at: datetime, copies: LabelCopies | None) -> None:
        """A try has read the cache, or not, and scores now; its rows say so by their ``scored_at``."""
        self._tries[scored_at] = NO_COPIES if copies is None else copies

    def verdicts_of(self, row: ScoredTransaction) -> Sequence[Verdict]:
        """What the try that stored a row knew of its user."""
        return self.verdicts_at(row.scored_at, row.transaction.user_id)

    def verdicts_at(self, scored_at: datetime, user_id: str) -> Sequence[Verdict]:
        """What a try knew of a user."""
        value = self._tries[scored_at].verdicts.get(user_id)
        return (
            () if value is None or value == DAMAGED else taught(read_verdicts(value), scored_at.timestamp())
        )

    def problems(self, new: Iterable[ScoredTransaction], raced: Container[Position]) -> list[str]:
        """Take new rows, and give what their features say of labels and may not."""
        found = []
        for row in new:
            if row.position in raced:
                continue  # it was scored with other features than those that are stored
            stored = unpack(row.features, row.feature_set)
            sighting = sighting_of(row.transaction.user_id, facts_of_row(row).clock_ms, stored)
            wanted = risk.compute((None,) * len(EntityKind), self._reading_of(row), sighting)
            found += [
                f"{row.position}: {name} is {stored[name]!r}, must be {value!r}"
                for name, value in wanted.items()
                if name not in _NEEDS_PAYMENTS and stored[name] != value
            ]
        return found

    def _reading_of(self, row: ScoredTransaction) -> RiskReading:
        copies = self._tries[row.scored_at]
        values = [
            None if entity_id is None else copies.risks.get(entity_id)
            for entity_id in entity_ids(row.transaction)
        ]
        risks = [None if value is None or value == DAMAGED else read_risk(value) for value in values]
        return RiskReading(tuple(risks), max(float(copies.usual_rate or 0), 0.001))
