"""Payments as their entities count them: from a row to a sighting, from the sightings of a batch to what its entities must add."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from engine.entities.kinds import POPULATION_IDS, EntityIds, EntityKind, kind_of, user_hash
from engine.entities.state import BUCKET_S, COUNTS, MAX_CLOCK_S, YOUNG_ACCOUNT_DAYS, Sighting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from contract.scored import FeatureValue

_HEADER: Final = Struct("<HHI")
"""Of one entity: numbers of buckets and of users, and the earliest clock, s."""
_USER: Final = Struct("<II")
_ONE_PAYMENT: Final = Struct("<HHI5IdII")
MAX_CENTS: Final = 10**12
"""A larger amount counts as this one, 10 billion in the base currency: so sums of thousands are exact, and no order changes them."""
_FIRST_OF: Final = (
    ("device_tx_count", 1 << EntityKind.DEVICE),
    ("merchant_tx_count", 1 << EntityKind.MERCHANT),
    ("payee_tx_count", 1 << EntityKind.PAYEE),
)


def sighting_of(user_id: str, clock_ms: int, features: Mapping[str, FeatureValue]) -> Sighting:
    """Make the sighting of a payment.

    Parameters
    ----------
    user_id : str
        Of the payment.
    clock_ms : int
        The payment's clock, ms since the epoch.
    features : Mapping[str, FeatureValue]
        Of the payment's user, as they are stored in its row, so that every try counts the same. Those of entities are not needed; what
        a row of another version lacks counts as usual.
    """
    first_kinds = 0
    for name, bit in _FIRST_OF:
        if features.get(name) == 0:
            first_kinds |= bit
    return Sighting(
        min(clock_ms // 1000, MAX_CLOCK_S),
        user_hash(user_id),
        bool(features.get("is_micro_amount")),
        features.get("account_age_days", YOUNG_ACCOUNT_DAYS) < YOUNG_ACCOUNT_DAYS,  # type: ignore[operator]  # a double
        first_kinds,
        min(round(features.get("amount_base", 0) * 100), MAX_CENTS),  # type: ignore[arg-type]  # a double
    )


def additions(sightings: Iterable[tuple[EntityIds, Sighting]]) -> dict[bytes, bytes]:
    """Add up what the entities of a batch must count.

    Parameters
    ----------
    sightings : Iterable[tuple[EntityIds, Sighting]]
        The batch's payments, each once.

    Returns
    -------
    dict[bytes, bytes]
        By entity; populations last. Each value is numbers of buckets and users (two bytes each), the earliest clock (4 bytes), then
        the buckets as :data:`engine.entities.state.COUNTS` and the users with their last clocks, little-endian. A population has no
        users, and the ``first`` of its buckets is 0: how many entities became active only the state can say.
    """
    added: dict[bytes, bytes] = {}
    alone: dict[bytes, Sighting] = {}
    several: dict[bytes, list[Sighting]] = {}
    by_kinds: dict[int, list[Sighting]] = {}
    for ids, sighting in sightings:
        usual, kinds = _one_payment(sighting, 0), 0
        for kind, entity_id in enumerate(ids):
            if entity_id is None:
                continue
            kinds |= 1 << kind
            if entity_id not in added:
                added[entity_id] = _one_payment(sighting, 1) if sighting.first_kinds >> kind & 1 else usual
                alone[entity_id] = sighting
            elif entity_id in several:
                several[entity_id].append(sighting)
            else:  # merchants, nearly always
                several[entity_id] = [alone[entity_id], sighting]
        by_kinds.setdefault(kinds, []).append(sighting)
    for entity_id, of_one in several.items():
        added[entity_id] = _payments(of_one, kind_of(entity_id))
    added.update(_populations(by_kinds))
    return added


def _one_payment(sighting: Sighting, first: int) -> bytes:
    clock_s, user, micro, young, _, cents = sighting
    bucket = clock_s // BUCKET_S
    return _ONE_PAYMENT.pack(1, 1, clock_s, bucket, 1, micro, young, first, cents, user, clock_s)


def _payments(sightings: Sequence[Sighting], kind: int) -> bytes:
    buckets, users = _buckets_of(sightings), dict[int, int]()
    for sighting in sightings:
        clock_s, user = sighting.clock_s, sighting.user
        users[user] = max(users.get(user, 0), clock_s)
        buckets[clock_s // BUCKET_S][_FIRST] += sighting.first_kinds >> kind & 1
    first_s = min(sighting.clock_s for sighting in sightings)
    return _written(first_s, buckets, users)


def _populations(by_kinds: Mapping[int, Sequence[Sighting]]) -> dict[bytes, bytes]:
    """What all entities of a kind count; payments that name the same kinds are added up once."""
    totals = {
        kinds: (min(sighting.clock_s for sighting in sightings), _buckets_of(sightings))
        for kinds, sightings in by_kinds.items()
    }
    added = {}
    for kind, population_id in enumerate(POPULATION_IDS):
        of_kind = [each for kinds, each in totals.items() if kinds >> kind & 1]
        if of_kind:
            buckets: dict[int, list[int]] = {}
            for _, more in of_kind:
                for number, counts in more.items():
                    buckets[number] = [
                        a + b for a, b in zip(buckets.get(number, _NO_COUNTS), counts, strict=True)
                    ]
            added[population_id] = _written(min(first_s for first_s, _ in of_kind), buckets, {})
    return added


_FIRST: Final = 3
_NO_COUNTS: Final = (0, 0, 0, 0, 0)


def _buckets_of(sightings: Iterable[Sighting]) -> dict[int, list[int]]:
    """Counts by bucket; ``first`` is left at 0."""
    buckets: dict[int, list[int]] = {}
    for clock_s, _, micro, young, _, cents in sightings:
        counts = buckets.setdefault(clock_s // BUCKET_S, [0, 0, 0, 0, 0])
        counts[0] += 1
        counts[1] += micro
        counts[2] += young
        counts[4] += cents
    return buckets


def _written(first_s: int, buckets: Mapping[int, Sequence[int]], users: Mapping[int, int]) -> bytes:
    return b"".join(
        (
            _HEADER.pack(len(buckets), len(users), first_s),
            *(COUNTS.pack(number, *counts) for number, counts in sorted(buckets.items())),
            *(_USER.pack(*user) for user in users.items()),
        )
    )
