"""Payments as their entities count them: from a row to a sighting, from the sightings of a batch to what its entities must add."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from contract.entity_ids import EntityIds, EntityKind
from engine.entities.kinds import POPULATION_IDS, kind_of, user_hash
from engine.entities.levels import BUCKET_S, COUNTS, WEEK_S
from engine.entities.state import MAX_CLOCK_S, NO_TIME, USER_BYTES, YOUNG_ACCOUNT_DAYS, Sighting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from contract.scored import FeatureValue

_HEADER: Final = Struct("<HHHII")
"""Of one entity: numbers of buckets of approved payments, of buckets of others and of users, and the earliest clocks of all payments and of
approved ones, s."""
_USER: Final = Struct(f"<{USER_BYTES}sI")
_ONE_PAYMENT: Final = Struct(f"<HHHII5Id{USER_BYTES}sI")
MAX_CENTS: Final = 10**12
"""A larger amount counts as this one, 10 billion in the base currency: so sums of thousands are exact, and no order changes them."""
_FIRST_OF: Final = (
    ("device_tx_count", 1 << EntityKind.DEVICE),
    ("merchant_tx_count", 1 << EntityKind.MERCHANT),
    ("payee_tx_count", 1 << EntityKind.PAYEE),
)


def sighting_of(
    user_id: str, clock_ms: int, features: Mapping[str, FeatureValue], *, is_approved: bool = True
) -> Sighting:
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
    is_approved : bool
        What was decided.
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
        is_approved,
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
        By entity; populations last. Each value is numbers of buckets of approved payments, of buckets of others, and of users (two bytes
        each), the earliest clocks of all payments and of approved ones (4 bytes each), then the buckets as :data:`engine.entities.levels.COUNTS` and the users
        with their last clocks, little-endian. A population has no users and one bucket a week, the week's first; its buckets of others count
        nothing, and the ``first`` of its buckets is 0: how many entities became active only the state can say.
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
    clock_s, user, micro, young, _, cents, is_approved = sighting
    approved_s = clock_s if is_approved else NO_TIME
    return _ONE_PAYMENT.pack(
        is_approved,
        not is_approved,
        1,
        clock_s,
        approved_s,
        clock_s // BUCKET_S,
        1,
        micro,
        young,
        first,
        cents,
        user,
        clock_s,
    )


def _payments(sightings: Sequence[Sighting], kind: int) -> bytes:
    approved, stopped = _by_decision(sightings)
    users = dict[bytes, int]()
    for sighting in sightings:
        clock_s, user = sighting.clock_s, sighting.user
        users[user] = max(users.get(user, 0), clock_s)
    return _written(
        (_earliest(sightings), _earliest(approved)),
        _buckets_of(approved, kind),
        _buckets_of(stopped, kind),
        users,
    )


def _populations(by_kinds: Mapping[int, Sequence[Sighting]]) -> dict[bytes, bytes]:
    """What all entities of a kind count; payments that name the same kinds are added up once."""
    totals = {}
    for kinds, sightings in by_kinds.items():
        approved, stopped = _by_decision(sightings)
        weeks = {each.clock_s // WEEK_S * _BUCKETS_PER_WEEK for each in stopped}
        of_weeks = _buckets_of(approved, buckets_each=_BUCKETS_PER_WEEK)
        totals[kinds] = _earliest(sightings), _earliest(approved), of_weeks, weeks
    added = {}
    for kind, population_id in enumerate(POPULATION_IDS):
        of_kind = [each for kinds, each in totals.items() if kinds >> kind & 1]
        if of_kind:
            buckets: dict[int, Sequence[int]] = {}
            for _, _, more, _ in of_kind:
                for number, counts in more.items():
                    buckets[number] = [
                        a + b for a, b in zip(buckets.get(number, _NO_COUNTS), counts, strict=True)
                    ]
            stopped_weeks = dict.fromkeys(set().union(*(weeks for _, _, _, weeks in of_kind)), _NO_COUNTS)
            times = min(first_s for first_s, *_ in of_kind), min(approved_s for _, approved_s, *_ in of_kind)
            added[population_id] = _written(times, buckets, stopped_weeks, {})
    return added


def _by_decision(sightings: Sequence[Sighting]) -> tuple[Sequence[Sighting], Sequence[Sighting]]:
    """Approved payments, and others."""
    stopped = [each for each in sightings if not each.is_approved]
    return ([each for each in sightings if each.is_approved] if stopped else sightings), stopped


def _earliest(sightings: Sequence[Sighting]) -> int:
    return min((each.clock_s for each in sightings), default=NO_TIME)


_NO_COUNTS: Final = (0, 0, 0, 0, 0)
_BUCKETS_PER_WEEK: Final = WEEK_S // BUCKET_S
_NO_KIND: Final = len(EntityKind)
"""Beyond the bits of ``first_kinds``."""


def _buckets_of(
    sightings: Iterable[Sighting], kind: int = _NO_KIND, buckets_each: int = 1
) -> dict[int, list[int]]:
    """Counts by bucket, or by the first of each ``buckets_each``; without a kind, nobody's payment is the first."""
    buckets: dict[int, list[int]] = {}
    for clock_s, _, micro, young, first_kinds, cents, _ in sightings:
        number = clock_s // BUCKET_S
        counts = buckets.setdefault(number - number % buckets_each, [0, 0, 0, 0, 0])
        counts[0] += 1
        counts[1] += micro
        counts[2] += young
        counts[3] += first_kinds >> kind & 1
        counts[4] += cents
    return buckets


def _written(
    times: tuple[int, int],
    approved: Mapping[int, Sequence[int]],
    stopped: Mapping[int, Sequence[int]],
    users: Mapping[bytes, int],
) -> bytes:
    return b"".join(
        (
            _HEADER.pack(len(approved), len(stopped), len(users), *times),
            *(COUNTS.pack(number, *counts) for number, counts in sorted(approved.items())),
            *(COUNTS.pack(number, *counts) for number, counts in sorted(stopped.items())),
            *(_USER.pack(*user) for user in users.items()),
        )
    )
