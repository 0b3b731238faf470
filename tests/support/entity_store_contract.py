"""What the score stage relies on in every store of entities: each batch counts once, in any order, and the state is the engine's own."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Protocol

import pytest

from contract.entity_ids import EntityIds
from engine.entities.book import EntityBook
from engine.entities.levels import WEEK_S
from engine.entities.sightings import additions
from engine.entities.state import MAX_BYTES, Sighting
from score.delivery import Span
from score.entity_store import EntityAdditions, EntityMark
from tests.support.kafka_events import TOPIC
from tests.support.sightings import user

if TYPE_CHECKING:
    from collections.abc import Sequence

    from score.entity_store import EntityStore
    from score.profile_store import CacheReading

NOW_S = 1_790_000_000
Payment = tuple[EntityIds, Sighting]


class Entities(Protocol):
    """A store under test."""

    @property
    def store(self) -> EntityStore:
        """What the stage is given."""
        ...

    def read(self, spans: Sequence[Span], entity_ids: Sequence[bytes]) -> CacheReading:
        """As the stage reads, with the profiles."""
        ...

    def put(self, entity_id: bytes, value: bytes) -> None:
        """Store what is no state."""
        ...


def payment(random: Random, *, spread_s: int = 100) -> Payment:
    """A payment at some of a few entities, now, a little later, or weeks earlier or later."""
    ids = tuple(
        random.choice((None, letter + bytes(7) + bytes([random.randrange(3)])))
        for letter in (b"c", b"d", b"i", b"n", b"m", b"p")
    )
    clock_s = NOW_S + random.choice(
        (0, random.randrange(spread_s), random.randrange(8 * WEEK_S) - 4 * WEEK_S)
    )
    number = random.choice((1, 2, 0x01010101 << 60, random.randrange(2**96), random.randrange(60)))
    amount = random.choice((0, 150, 99_999_999_999))
    return ids, Sighting(
        clock_s,
        user(number),
        random.random() < 0.3,
        random.random() < 0.3,
        random.randrange(64),
        amount,
        random.random() < 0.8,
    )


def batch(
    payments: Sequence[Payment],
    counted: int,
    *,
    read: int = -1,
    first: int = 0,
    partition: int = 0,
    gap_s: int = 0,
) -> EntityAdditions:
    return EntityAdditions([EntityMark(TOPIC, partition, first, read, counted)], additions(payments), gap_s)


def state_of(payments: Sequence[Payment]) -> dict[bytes, bytes]:
    """What the engine makes of them, one after the other."""
    book = EntityBook()
    for ids, sighting in payments:
        book.fold(ids, sighting)
    return book.packed()


class EntityStoreContract:
    """Tests of every store of entities."""

    def stored(self, entities: Entities, wanted: Sequence[bytes]) -> dict[bytes, bytes]:
        return entities.read([Span(TOPIC, 0, 0, 0)], wanted).entities

    @pytest.mark.parametrize("seed", range(12))
    def test_batches_in_any_order_leave_what_the_engine_folds(self, entities: Entities, seed: int) -> None:
        random = Random(seed)
        payments = [payment(random, spread_s=random.choice((60, 90_000))) for _ in range(400)]
        batches = [payments[start : start + 25] for start in range(0, 400, 25)]
        order = random.sample(range(len(batches)), len(batches))

        for partition in order:
            assert entities.store.add(batch(batches[partition], 24, partition=partition)) == []

        wanted = state_of(payments)
        assert self.stored(entities, [*wanted]) == wanted
        assert max(map(len, wanted.values())) <= MAX_BYTES

    def test_batch_that_is_sent_again_counts_once(self, entities: Entities) -> None:
        random = Random(1)
        first, second = ([payment(random) for _ in range(9)] for _ in range(2))
        entities.store.add(batch(first, 8))
        entities.store.add(batch(second, 17, read=8, first=9))

        assert entities.store.add(batch(first, 8)) == [17]
        assert entities.store.add(batch(second, 17, read=8, first=9)) == [17]

        wanted = state_of([*first, *second])
        assert self.stored(entities, [*wanted]) == wanted

    def test_batch_of_two_partitions_counts_whole_or_not_at_all(self, entities: Entities) -> None:
        random = Random(2)
        earlier, later = ([payment(random) for _ in range(5)] for _ in range(2))
        entities.store.add(batch(earlier, 4, partition=1))
        marks = [EntityMark(TOPIC, 0, 0, -1, 4), EntityMark(TOPIC, 1, 0, -1, 4)]

        assert entities.store.add(EntityAdditions(marks, additions(later), 0)) == [-1, 4]

        wanted = state_of(earlier)
        reading = entities.read([Span(TOPIC, 0, 0, 4), Span(TOPIC, 1, 0, 4)], [*wanted, *state_of(later)])
        assert reading.entities == wanted
        assert reading.counted_to == [-1, 4]

    def test_a_gap_moves_the_time_since_when_the_state_is_complete_and_never_back(
        self, entities: Entities
    ) -> None:
        times = []
        for offset, gap_s in enumerate((0, NOW_S, NOW_S - 50, 0, NOW_S + 50)):
            entities.store.add(batch([], offset, read=offset - 1, first=offset, gap_s=gap_s))
            times.append(entities.read([Span(TOPIC, 0, 0, 0)], [b"c"]).complete_since_s)

        assert times == [0, NOW_S, NOW_S, NOW_S, NOW_S + 50]

    def test_users_beyond_the_capacity_displace_those_seen_longest_ago(self, entities: Entities) -> None:
        ids: EntityIds = (None, None, None, None, b"m12345678", None)
        payments: list[Payment] = [
            (ids, Sighting(NOW_S + number // 3, user(number * 0x01000001 << 50), False, False, 0, 1))
            for number in Random(3).sample(range(200), 200)
        ]

        entities.store.add(batch(payments, 199))

        wanted = state_of(payments)
        assert self.stored(entities, [*wanted]) == wanted

    def test_a_whole_batch_at_one_merchant_counts_with_all_its_users_and_times(
        self, entities: Entities
    ) -> None:
        """More of either than a byte counts: a batch has 500 payments, and those of a file have the times of weeks."""
        ids: EntityIds = (None, None, None, None, b"m12345678", None)
        payments: list[Payment] = [
            (ids, Sighting(NOW_S + 300 * number, user(number), False, False, 0, 1, number % 3 > 0))
            for number in range(500)
        ]

        assert entities.store.add(batch(payments, 499)) == []

        wanted = state_of(payments)
        assert self.stored(entities, [*wanted]) == wanted

    @pytest.mark.parametrize(
        "value", [b"", b"\x01", b"\x01" + bytes(11), b"\x02\x05" + bytes(10), b"text" * 9]
    )
    def test_what_is_no_state_counts_as_missing(self, entities: Entities, value: bytes) -> None:
        payments = [payment(Random(4)) for _ in range(3)]
        wanted = state_of(payments)
        for entity_id in wanted:
            entities.put(entity_id, value)

        entities.store.add(batch(payments, 2))

        assert self.stored(entities, [*wanted]) == wanted
