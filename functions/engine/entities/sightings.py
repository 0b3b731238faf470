"""Payments as their entities count them: from a row to a sighting, from the sightings of a batch to what its entities must add."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from engine.entities.kinds import POPULATION_IDS, EntityIds, EntityKind, user_hash
from engine.entities.state import BUCKET_S, MAX_CLOCK_S, YOUNG_ACCOUNT_DAYS, Sighting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from contract.scored import FeatureValue

_HEADER: Final = Struct("<HHI")
"""Of one entity: numbers of buckets and of users, and the earliest clock, s."""
_BUCKET: Final = Struct("<5Id")
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
        the buckets as :class:`engine.entities.state.Counts` and the users with their last clocks, little-endian. A population has no
        users, and the ``first`` of its buckets is 0: how many entities became active only the state can say.
    """
    by_entity: dict[bytes, list[Sighting]] = {}
    by_kind: dict[int, list[Sighting]] = {}
    for ids, sighting in sightings:
        for kind, entity_id in enumerate(ids):
            if entity_id is not None:
                by_entity.setdefault(entity_id, []).append(sighting)
                by_kind.setdefault(kind, []).append(sighting)
    added = {entity_id: _added(entity_id, each) for entity_id, each in by_entity.items()}
    for kind in sorted(by_kind):
        added[POPULATION_IDS[kind]] = _buckets_of(by_kind[kind], None, {})
    return added


_KIND_BITS: Final = {letter: kind for kind, letter in enumerate(b"cdinmp")}


def _added(entity_id: bytes, sightings: list[Sighting]) -> bytes:
    kind = _KIND_BITS[entity_id[0]]
    if len(sightings) == 1:  # nearly always, but at merchants
        clock_s, user, micro, young, first_kinds, cents = sightings[0]
        first = first_kinds >> kind & 1
        return _ONE_PAYMENT.pack(
            1, 1, clock_s, clock_s // BUCKET_S, 1, micro, young, first, cents, user, clock_s
        )
    users: dict[int, int] = {}
    for sighting in sightings:
        users[sighting.user] = max(users.get(sighting.user, 0), sighting.clock_s)
    return _buckets_of(sightings, kind, users)


def _buckets_of(sightings: list[Sighting], kind: int | None, users: Mapping[int, int]) -> bytes:
    buckets: dict[int, list[int]] = {}
    for clock_s, _, micro, young, first_kinds, cents in sightings:
        counts = buckets.setdefault(clock_s // BUCKET_S, [0, 0, 0, 0, 0])
        counts[0] += 1
        counts[1] += micro
        counts[2] += young
        counts[3] += 0 if kind is None else first_kinds >> kind & 1
        counts[4] += cents
    first_s = min(sighting.clock_s for sighting in sightings)
    return b"".join(
        (
            _HEADER.pack(len(buckets), len(users), first_s),
            *(_BUCKET.pack(number, *counts) for number, counts in sorted(buckets.items())),
            *(_USER.pack(*user) for user in users.items()),
        )
    )
