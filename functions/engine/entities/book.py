"""The entities at hand: those that a batch touches, or all of them, with every payment folded so far."""

from __future__ import annotations

from typing import Final, NamedTuple

from contract.entity_ids import EntityIds, EntityKind
from engine.entities.kinds import KIND_NAMES, POPULATION_IDS, kind_of
from engine.entities.levels import COUNTS, WEEK_S
from engine.entities.state import Entity, EntityFormatError, Sighting, from_bytes, to_bytes

_S_PER_DAY: Final = 86_400
_HOURS_PER_WEEK: Final = 168.0
COMPLETE_WINDOWS: Final = ((30 * _S_PER_DAY, ""), (_S_PER_DAY, "24h"), (3_600, "1h"))
"""For how long the state must have been complete, s, and what ``entities_partial`` says then; ``none`` for less."""
UNAVAILABLE: Final = "none"
WARM_UP_DAYS: Final = 14
"""After the first approved payment that names a kind, what is usual at that kind is known."""


class Usual(NamedTuple):
    """What is usual at entities of one kind: what a new one is compared with, and one with a past in part."""

    payments_per_hour: float
    micro_per_hour: float
    young_share: float
    """Of payments, 0 to 1."""
    mean_cents: float


_NOTHING_USUAL: Final = Usual(0.0, 0.0, 0.0, 0.0)


class EntityReading(NamedTuple):
    """What is known of a payment's entities before it."""

    entities: tuple[Entity | None, ...]
    """By :class:`~contract.entity_ids.EntityKind`; None where the payment names none, or the state is not at hand."""
    usual: tuple[Usual, ...]
    """By kind."""
    warming_up: str
    """The kinds of which nobody knows yet what is usual, joined by a space: none was seen, or the first one less than
    :data:`WARM_UP_DAYS` ago."""
    partial: str
    """The longest complete window where not all are: ``24h``, ``1h`` or ``none``; empty where all are."""


NO_ENTITIES: Final = EntityReading(
    (None,) * len(EntityKind), (_NOTHING_USUAL,) * len(EntityKind), " ".join(KIND_NAMES), UNAVAILABLE
)
"""Where the state is not at hand."""


class EntityBook:
    """Entities by id, decoded when they are first asked for; payments are folded when their entity is asked for again.

    Parameters
    ----------
    packed : dict[bytes, bytes]
        State by entity id; what cannot be read counts as missing.
    complete_since_s : int
        Since when no payment is missing in the state, s since the epoch; 0 for always.
    """

    def __init__(self, packed: dict[bytes, bytes] | None = None, complete_since_s: int = 0) -> None:
        self._packed = {} if packed is None else packed
        self._entities: dict[bytes, Entity] = {}
        self._waiting: dict[bytes, tuple[Sighting, ...]] = {}
        """Payments to be folded, by entity: of most entities nobody asks a second time in a batch."""
        self._folded: list[tuple[int, Sighting, int]] = []
        """Folded, but not yet into the population: kind, payment, and whether it made the entity active in its week."""
        self._complete_since_s = complete_since_s
        self._usual: dict[int, tuple[tuple[Usual, ...], str]] = {}

    def __len__(self) -> int:
        """How many entities were asked for."""
        return len(self._entities)

    def of(self, entity_id: bytes) -> Entity:
        """Give an entity's state; an empty one for an entity that is not known."""
        entity = self._entities.get(entity_id)
        if entity is None:
            entity = self._entities[entity_id] = _read(self._packed.get(entity_id))
        if entity_id in self._waiting:
            self._fold_waiting(entity_id, entity)
        return entity

    def read(self, ids: EntityIds, clock_s: int) -> EntityReading:
        """Give what is known of a payment's entities."""
        usual, warming_up = self._population(clock_s)
        entities = tuple([None if entity_id is None else self.of(entity_id) for entity_id in ids])
        return EntityReading(entities, usual, warming_up, self._partial(clock_s))

    def fold(self, ids: EntityIds, sighting: Sighting) -> None:
        """Count a payment at its entities, and in their populations."""
        waiting = self._waiting
        for entity_id in ids:
            if entity_id is not None:
                waiting[entity_id] = (*waiting[entity_id], sighting) if entity_id in waiting else (sighting,)

    def settle(self) -> None:
        """Fold what waits, into populations as well: what is usual then counts it."""
        for entity_id in list(self._waiting):
            self.of(entity_id)
        for kind, sighting, active in self._folded:
            self.of(POPULATION_IDS[kind]).fold_population(sighting, active)
        self._folded.clear()

    def packed(self) -> dict[bytes, bytes]:
        """The state of all entities, as the cache keeps it; what payments were folded into is written again."""
        self.settle()
        self._packed.update(
            (entity_id, to_bytes(entity)) for entity_id, entity in self._entities.items() if entity.weeks
        )
        return self._packed

    def _fold_waiting(self, entity_id: bytes, entity: Entity) -> None:
        kind = kind_of(entity_id)
        for sighting in self._waiting.pop(entity_id):
            is_active = entity.fold(sighting, kind)
            self._folded.append((kind, sighting, int(is_active)))

    def _population(self, clock_s: int) -> tuple[tuple[Usual, ...], str]:
        """What is usual by kind and which kinds are new, with all that was settled; computed once an hour, since one batch changes little of it."""
        hour = clock_s // 3_600
        if hour not in self._usual:
            populations = [self.of(population_id) for population_id in POPULATION_IDS]
            warm_s = clock_s - WARM_UP_DAYS * _S_PER_DAY
            warming_up = " ".join(
                name for name, each in zip(KIND_NAMES, populations, strict=True) if each.approved_s > warm_s
            )
            self._usual = {hour: (tuple(_usual(each, clock_s) for each in populations), warming_up)}
        return self._usual[hour]

    def _partial(self, clock_s: int) -> str:
        complete_s = clock_s - self._complete_since_s
        for needed_s, name in COMPLETE_WINDOWS:
            if complete_s >= needed_s:
                return name
        return UNAVAILABLE


def _read(packed: bytes | None) -> Entity:
    if packed is None:
        return Entity()
    try:
        return from_bytes(packed)
    except EntityFormatError:
        return Entity()


def _usual(population: Entity, clock_s: int) -> Usual:
    """Rates for one entity: over the hours of the weeks in which it paid."""
    payments = micro = young = cents = 0
    entity_hours = 0.0
    for number, week_payments, week_micro, week_young, entities, week_cents in COUNTS.iter_unpack(
        population.weeks
    ):
        begin_s = max(number * WEEK_S, population.approved_s)
        elapsed_h = min(max(clock_s - begin_s, 0) / 3_600, _HOURS_PER_WEEK)
        payments += week_payments
        micro += week_micro
        young += week_young
        cents += int(week_cents)
        entity_hours += entities * elapsed_h
    if not payments or not entity_hours:
        return _NOTHING_USUAL
    return Usual(payments / entity_hours, micro / entity_hours, young / payments, cents / payments)
