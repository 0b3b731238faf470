"""What functions do in the cache is allowed to the user that Terraform makes, and nothing else."""

from __future__ import annotations

from random import Random

import pytest
import redis

from cache.label_copies import LabelCopies, RedisLabelCopies
from cache.primary import connect
from engine.profile import Profile
from score.delivery import Span
from score.entity_store import RedisEntityStore
from score.profile_store import PartitionProgress, ProfileWrite, RedisProfileStore
from tests.support.entity_store_contract import batch, payment
from tests.support.kafka_events import TOPIC
from tests.support.label_copies_contract import CARD


def test_the_store_reads_and_writes_as_the_user(cache_endpoint: str, redis_client: redis.Redis) -> None:
    redis_client.script_flush()
    store = RedisProfileStore(connect(cache_endpoint), retention_days=90)

    lost = store.write([ProfileWrite("user", Profile(), b"")], [PartitionProgress("topic", 0, 9, 4)])

    assert lost == []
    assert store.read(["user"], [Span("topic", 0, 10, 12)]).profiles["user"].body is not None


def test_the_stores_count_and_read_entities_as_the_user(
    cache_endpoint: str, redis_client: redis.Redis
) -> None:
    redis_client.script_flush()
    client = connect(cache_endpoint)
    added = batch([payment(Random(5)) for _ in range(20)], 9, gap_s=1)

    assert RedisEntityStore(client).add(added) == []

    # Profiles and entities are read by one command, so a key that the user may not read loses both.
    reading = RedisProfileStore(client, retention_days=90).read(
        ["user"], [Span(TOPIC, 0, 10, 12)], [*added.added]
    )
    assert reading.entities.keys() == added.added.keys()
    assert (reading.counted_to, reading.complete_since_s) == ([9], 1)


def test_the_copies_of_labels_are_written_removed_and_read_as_the_user(
    cache_endpoint: str, redis_client: redis.Redis
) -> None:
    redis_client.script_flush()
    copies = RedisLabelCopies(connect(cache_endpoint))

    copies.write({CARD: b"1"}, {"user": b"2"})
    copies.write({CARD: None}, {})
    copies.write_usual_rate(0.01)

    assert copies.move_look(copies.look(), b"1", is_complete=True)
    assert copies.is_complete()
    assert copies.populations([CARD]) == [None]
    assert copies.read([CARD], ["user"]) == LabelCopies({}, {"user": b"2"}, b"0.010000", is_complete=True)


@pytest.mark.parametrize(
    "command", [["FLUSHALL"], ["KEYS", "*"], ["CONFIG", "GET", "*"], ["GET", "other:key"]]
)
def test_the_user_may_do_nothing_else(cache_endpoint: str, command: list[str]) -> None:
    with (
        redis.Redis.from_url(cache_endpoint) as client,
        pytest.raises(redis.exceptions.NoPermissionError),
    ):
        client.execute_command(*command)
