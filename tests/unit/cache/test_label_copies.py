"""The cache's copies of what labels say, without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fakeredis
import pytest

from cache.label_copies import RedisLabelCopies
from common.errors import CacheUnavailableError
from tests.support.label_copies_contract import CARD, LabelCopiesContract

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis


@pytest.fixture
def client() -> redis.Redis:
    return fakeredis.FakeRedis()


@pytest.fixture
def admin(client: redis.Redis) -> redis.Redis:
    return client


class TestOnFakeredis(LabelCopiesContract):
    """With this module's client."""


@pytest.mark.parametrize(
    "call",
    [
        lambda copies: copies.write({CARD: b"1"}, {}),
        lambda copies: copies.write({}, {"user": b"1"}),
        lambda copies: copies.write_usual_rate(0.1),
        lambda copies: copies.look(),
        lambda copies: copies.move_look(b"", b"a"),
        lambda copies: copies.read([CARD], []),
        lambda copies: copies.populations([b"ac"]),
        lambda copies: copies.is_complete(),
    ],
)
def test_a_cache_that_does_not_answer_is_reported_by_the_name_of_its_error(
    call: Callable[[RedisLabelCopies], object],
) -> None:
    server = fakeredis.FakeServer()
    server.connected = False

    with pytest.raises(CacheUnavailableError, match=r"^ConnectionError$"):
        call(RedisLabelCopies(fakeredis.FakeRedis(server=server)))
