"""Batches of payments at one merchant, and what they must count at its entities."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from contract.entity_ids import EntityKind, entity_ids
from contract.scored import Decision, Position, ScoredTransaction
from engine.entities.sightings import additions, sighting_of
from engine.features.catalogue import FEATURE_SET
from engine.features.stored import pack
from engine.profile import Profile
from engine.profile.outcome import Outcome
from score.delivery import Batch, Delivery, Span
from score.entity_work import EntityWork
from score.profile_store import CacheReading
from score.user_chain import Folded, SettledChain
from tests.support.kafka_events import TOPIC
from tests.support.payments import APPROVED, NOW, make_minimal_payment, make_scored, trusted_facts
from tests.support.rule_samples import features

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from engine.entities.state import Sighting
    from score.history_store import RowKey

NOW_S = int(NOW.timestamp())
LATER_S = NOW_S + 20
"""When a batch finds its marks moved."""
MERCHANT = entity_ids(make_minimal_payment(merchant_id="shop"))[EntityKind.MERCHANT] or b""


def delivery(offset: int, partition: int = 0, user: str | None = None) -> Delivery:
    payment = make_minimal_payment(
        transaction_id=f"t-{partition}-{offset}",
        user_id=user or f"user-{offset}",
        merchant_id="shop",
        timestamp=NOW + timedelta(seconds=offset),
    )
    position = Position(TOPIC, partition, offset)
    return Delivery(trusted_facts(payment), position, 0, is_key_mismatch=False)


def sighting(one: Delivery) -> Sighting:
    return sighting_of(one.user_id, one.facts.clock_ms, {"amount_base": 10.0})


def row_of(one: Delivery, position: Position | None = None, **changes: object) -> ScoredTransaction:
    stored = {
        "features": pack(features(amount_base=99.0, is_micro_amount=True)),
        "feature_set": FEATURE_SET,
        "decision": Decision.APPROVE,
    }
    return make_scored(one.facts.transaction, position=position or one.position, **stored | changes)


def settled(*folded: Delivery, repeats: int = 0) -> SettledChain:
    outcome = Outcome(APPROVED.decision, 0, repeats)
    return SettledChain(Profile(), [Folded(one, outcome) for one in folded], [], 0, 0, [])


class Work:
    """A batch of one partition, or of several, that read a cache."""

    def __init__(self, deliveries: Sequence[Delivery], *marks: int, since_s: int = 0) -> None:
        self.deliveries = deliveries
        of_partition: dict[int, list[int]] = {}
        for one in deliveries:
            of_partition.setdefault(one.position.partition, []).append(one.position.offset)
        spans = [Span(TOPIC, each, offsets[0], offsets[-1]) for each, offsets in of_partition.items()]
        self.work = EntityWork(Batch(list(deliveries), [], spans), NOW_S)
        if marks:
            self.work.use(CacheReading({}, [], {}, list(marks), since_s))

    def see(self, *seen: Delivery) -> Work:
        for one in seen or self.deliveries:
            self.work.see(one, sighting(one))
        return self

    def adds(
        self,
        *chains: SettledChain,
        existing: Iterable[ScoredTransaction] = (),
        failed: Iterable[Delivery] = (),
    ) -> tuple[list[tuple[int, int]], dict[bytes, bytes]] | None:
        """From where to where the marks move, and what is added."""
        rows: dict[RowKey, ScoredTransaction] = {
            (row.transaction.user_id, row.event_key): row for row in existing
        }
        found = self.work.additions(chains, rows, {one.position for one in failed})
        return None if found is None else ([(mark.read, mark.counted) for mark in found.marks], found.added)


def added(*sightings: tuple[Delivery, Sighting]) -> dict[bytes, bytes]:
    return additions([(entity_ids(one.facts.transaction), seen) for one, seen in sightings])


def of_new(*deliveries: Delivery) -> dict[bytes, bytes]:
    return added(*((one, sighting(one)) for one in deliveries))


def of_stored(*deliveries: Delivery) -> dict[bytes, bytes]:
    known = {"amount_base": 99.0, "is_micro_amount": True}
    return added(
        *((one, sighting_of(one.user_id, one.facts.clock_ms, features(**known))) for one in deliveries)
    )
