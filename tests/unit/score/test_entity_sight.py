"""What a payment sees at its entities: what the cache held, and every earlier payment of its batch, each once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.entity_ids import EntityKind, entity_ids
from contract.scored import Position
from engine.entities.book import EntityBook
from engine.entities.kinds import user_hash
from engine.entities.levels import PAYMENTS, total
from engine.entities.state import from_bytes
from score.profile_store import CacheReading
from score.user_chain import row_key
from tests.support.entity_stores import MemoryEntityStore
from tests.support.kafka_events import TOPIC
from tests.support.sightings import users_of
from tests.unit.score.entity_batches import (
    MERCHANT,
    NOW_S,
    Work,
    delivery,
    row_of,
    settled,
    sighting,
)

if TYPE_CHECKING:
    from score.delivery import Delivery
    from score.entity_work import EntityWork


def users_at(work: EntityWork, one: Delivery) -> list[bytes]:
    merchant = work.known(one).entities[EntityKind.MERCHANT]
    assert merchant is not None
    return sorted(users_of(merchant))


def test_a_payment_sees_what_the_cache_held_and_every_earlier_one_of_the_batch() -> None:
    batch = [delivery(4), delivery(5), delivery(6)]
    book = EntityBook()
    book.fold(entity_ids(batch[0].facts.transaction), sighting(delivery(1)))
    each = Work(batch)
    each.work.use(CacheReading({}, [], book.packed(), [3]))
    each.see(*batch[:2])

    assert users_at(each.work, batch[2]) == sorted(map(user_hash, ("user-1", "user-4", "user-5")))


def test_a_payment_that_the_cache_has_counted_is_seen_once() -> None:
    store, batch = MemoryEntityStore(), [delivery(4), delivery(5)]
    first = Work(batch, 3).see()
    counted = first.work.additions([settled(*batch)], {}, set())
    assert counted is not None
    store.counted_to[TOPIC, 0] = 3
    store.add(counted)
    again = Work([*batch, delivery(6)])
    again.work.use(CacheReading({}, [], store.entities, [5]))
    again.see(*batch)

    merchant = again.work.known(delivery(6)).entities[EntityKind.MERCHANT]

    assert merchant is not None
    assert total(merchant.last_hour(NOW_S + 6), PAYMENTS) == 2
    assert total(from_bytes(store.entities[MERCHANT]).last_hour(NOW_S + 6), PAYMENTS) == 2


def test_later_payments_see_one_that_an_earlier_try_folded_and_its_entities_lack() -> None:
    one, later = delivery(4), delivery(5)
    each = Work([one, later], 3)

    each.work.see_stored(one, {row_key(one): row_of(one)})
    each.work.see_stored(later, {row_key(one): row_of(one)})

    assert users_at(each.work, later) == [user_hash("user-4")]


def test_a_payment_that_was_scored_again_or_stored_from_another_record_is_not_seen_twice() -> None:
    one, other = delivery(4), delivery(5)
    rows = {row_key(one): row_of(one), row_key(other): row_of(other, Position(TOPIC, 1, 1))}
    each = Work([one, other, delivery(6)], 3).see(one)
    for seen in (one, other):
        each.work.see_stored(seen, rows)

    merchant = each.work.known(delivery(6)).entities[EntityKind.MERCHANT]

    assert merchant is not None
    assert total(merchant.last_hour(NOW_S + 6), PAYMENTS) == 1
