"""How the client follows the primary, by the answers of its nodes; real failovers are in the integration tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import redis
from redis.exceptions import MovedError

from cache.primary import PrimaryClient

if TYPE_CHECKING:
    from collections.abc import Callable

ENDPOINT = "endpoint:6379"


class Cluster:
    """Answers commands by node: a value or an error, in order; and counts how often each node's connections are closed."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.asked: list[str] = []
        self.disconnected: list[str] = []
        self._pools: list[redis.ConnectionPool] = []

    def answer(self, client: redis.Redis) -> Any:
        self.asked.append(address(client.connection_pool))
        self._pools.append(client.connection_pool)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def disconnect(self, pool: redis.ConnectionPool, *_: object) -> None:
        # Clients of earlier tests disconnect whenever they are collected.
        if any(pool is own for own in self._pools):
            self.disconnected.append(address(pool))


def address(pool: redis.ConnectionPool) -> str:
    return f"{pool.connection_kwargs['host']}:{pool.connection_kwargs['port']}"


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    made = Cluster()
    monkeypatch.setattr(redis.Redis, "execute_command", lambda client, *_, **__: made.answer(client))
    monkeypatch.setattr(redis.ConnectionPool, "disconnect", lambda pool, *_: made.disconnect(pool))
    return made


@pytest.fixture
def client() -> PrimaryClient:
    made = PrimaryClient.from_url(f"redis://{ENDPOINT}", socket_timeout=0.5, username="fraud")
    assert isinstance(made, PrimaryClient)
    return made


def moved(node: str) -> MovedError:
    return MovedError(f"1 {node}")


def run(client: PrimaryClient, times: int = 1) -> list[Any]:
    return [client.execute_command("GET", "k") for _ in range(times)]


def test_endpoint_that_is_the_primary_is_asked(cluster: Cluster, client: PrimaryClient) -> None:
    cluster.answers = [b"a", b"b"]

    assert run(client, 2) == [b"a", b"b"]

    assert (cluster.asked, cluster.disconnected) == ([ENDPOINT] * 2, [])


def test_node_that_the_endpoint_names_is_asked_from_then_on(cluster: Cluster, client: PrimaryClient) -> None:
    cluster.answers = [moved("primary:6380"), b"a", b"b"]

    assert run(client, 2) == [b"a", b"b"]

    assert cluster.asked == [ENDPOINT, "primary:6380", "primary:6380"]
    assert cluster.disconnected == []


def test_node_is_asked_with_the_settings_of_the_endpoint(cluster: Cluster, client: PrimaryClient) -> None:
    cluster.answers = [moved("primary:6380"), b"a"]

    run(client)

    settings = client.connection_pool.connection_kwargs
    assert (settings["socket_timeout"], settings["username"]) == (0.5, "fraud")
    assert client.connection_pool.connection_class is redis.Connection


def test_node_without_a_name_of_its_own_is_on_the_endpoint_s_host(
    cluster: Cluster, client: PrimaryClient
) -> None:
    cluster.answers = [moved(":6380"), b"a"]

    run(client)

    assert cluster.asked == [ENDPOINT, "endpoint:6380"]


def test_second_node_takes_the_place_of_the_first_and_closes_its_connections(
    cluster: Cluster, client: PrimaryClient
) -> None:
    cluster.answers = [moved("one:1"), b"a", moved("two:2"), b"b", b"c"]

    assert run(client, 3) == [b"a", b"b", b"c"]

    assert cluster.asked == [ENDPOINT, "one:1", "one:1", "two:2", "two:2"]
    assert cluster.disconnected == ["one:1"]


def test_named_node_that_does_not_answer_fails_the_command_and_the_endpoint_is_next(
    cluster: Cluster, client: PrimaryClient
) -> None:
    cluster.answers = [moved("one:1"), redis.ConnectionError("gone"), b"a"]

    with pytest.raises(redis.ConnectionError):
        run(client)
    assert run(client) == [b"a"]

    assert cluster.asked == [ENDPOINT, "one:1", ENDPOINT]


@pytest.mark.parametrize("make", [lambda: redis.ConnectionError("gone"), lambda: redis.TimeoutError("slow")])
def test_node_that_does_not_answer_is_left_for_the_endpoint(
    cluster: Cluster, client: PrimaryClient, make: Callable[[], Exception]
) -> None:
    cluster.answers = [moved("one:1"), b"a", make(), b"b"]
    run(client)

    with pytest.raises(redis.RedisError):
        run(client)
    assert run(client) == [b"b"]

    assert cluster.asked == [ENDPOINT, "one:1", "one:1", ENDPOINT]
    assert cluster.disconnected == ["one:1"]


def test_endpoint_that_does_not_answer_keeps_its_connections(cluster: Cluster, client: PrimaryClient) -> None:
    cluster.answers = [redis.TimeoutError("slow"), b"a"]

    with pytest.raises(redis.TimeoutError):
        run(client)
    assert run(client) == [b"a"]

    assert (cluster.asked, cluster.disconnected) == ([ENDPOINT] * 2, [])


def test_demoted_endpoint_is_connected_to_again(cluster: Cluster, client: PrimaryClient) -> None:
    cluster.answers = [redis.ReadOnlyError("replica"), b"a"]

    assert run(client) == [b"a"]

    assert (cluster.asked, cluster.disconnected) == ([ENDPOINT] * 2, [ENDPOINT])


def test_demoted_node_is_left_for_a_new_connection_to_the_endpoint(
    cluster: Cluster, client: PrimaryClient
) -> None:
    cluster.answers = [moved("one:1"), b"a", redis.ReadOnlyError("replica"), b"b"]
    run(client)

    assert run(client) == [b"b"]

    assert cluster.asked == [ENDPOINT, "one:1", "one:1", ENDPOINT]
    assert cluster.disconnected == ["one:1", ENDPOINT]


def test_another_refusal_is_passed_on_and_the_node_stays(cluster: Cluster, client: PrimaryClient) -> None:
    cluster.answers = [moved("one:1"), b"a", redis.ResponseError("full"), b"b"]
    run(client)

    with pytest.raises(redis.ResponseError):
        run(client)
    assert run(client) == [b"b"]

    assert cluster.asked == [ENDPOINT, "one:1", "one:1", "one:1"]
