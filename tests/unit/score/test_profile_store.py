"""The profile store without a server; what only a real one shows stands in the integration tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fakeredis
import pytest

from contract.scored import Position
from engine.profile import Profile
from engine.profile.profile import PaymentFacts
from score.delivery import Span
from score.errors import CacheUnavailableError
from score.profile_store import PartitionProgress, ProfileWrite, RedisProfileStore, read_profile
from tests.support.kafka_events import TOPIC
from tests.support.payments import make_grocery_payment

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis


@pytest.fixture
def client() -> redis.Redis:
    return fakeredis.FakeRedis()


def profile() -> Profile:
    made = Profile()
    made.fold(PaymentFacts.of(make_grocery_payment()), Position(TOPIC, 0, 4))
    return made


def test_profiles_and_progress_are_written_together_and_read_back(client: redis.Redis) -> None:
    store = RedisProfileStore(client, retention_days=1)

    lost = store.write([ProfileWrite("user", profile(), b"")], [PartitionProgress(TOPIC, 0, 4, 0)])

    reading = store.read(["user", "other"], [Span(TOPIC, 0, 5, 5)])
    found = read_profile(reading.profiles["user"])
    assert lost == []
    assert found is not None
    assert found.to_bytes() == profile().to_bytes()
    assert read_profile(reading.profiles["other"]) is None
    assert reading.progress == [PartitionProgress(TOPIC, 0, 4, 0, 4)]


def test_a_stale_writer_loses(client: redis.Redis) -> None:
    store = RedisProfileStore(client, retention_days=1)
    store.write([ProfileWrite("user", profile(), b"")], [])

    assert store.write([ProfileWrite("user", profile(), b"\0" * 8)], [PartitionProgress(TOPIC, 0, 9, 0)]) == [
        "user"
    ]

    assert store.read([], [Span(TOPIC, 0, 0, 0)]).progress == [PartitionProgress(TOPIC, 0, -1, 0)]


def test_nothing_to_do_asks_nothing(client: redis.Redis) -> None:
    store = RedisProfileStore(client, retention_days=1)

    assert store.write([], []) == []
    assert store.read([], []).profiles == {}


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.read(["user"], []),
        lambda store: store.write([ProfileWrite("user", profile(), b"")], []),
    ],
)
def test_whatever_the_server_refuses_is_said_to_be_away(call: Callable[[RedisProfileStore], object]) -> None:
    server = fakeredis.FakeServer()
    server.connected = False
    store = RedisProfileStore(fakeredis.FakeRedis(server=server), retention_days=1)

    with pytest.raises(CacheUnavailableError, match="ConnectionError"):
        call(store)
