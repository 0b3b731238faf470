"""A cache client that finds the primary of a one-shard cluster from any of its nodes.

ElastiCache scales replicas only in cluster mode. There the endpoint may lead to a replica, which answers a command with the
primary's address (``MOVED``). With one shard, that one address is enough. A cluster client would also load a map of slots at
each cold start, and would have to keep it correct through a failover. Outside cluster mode no node answers ``MOVED``; but there
an old connection may lead to a node that is no longer the primary.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import redis
from redis.backoff import NoBackoff
from redis.exceptions import MovedError
from redis.retry import Retry

from common.errors import CacheUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis.connection import ConnectionPool
    from redis.credentials import CredentialProvider

CONNECT_TIMEOUT_S: Final = 0.25
READ_TIMEOUT_S: Final = 0.75
"""Longer than this, reading the history from DynamoDB is faster than waiting for the cache."""

SLOT_TAG: Final = "{1}"
"""In every key. In cluster mode a script's keys must be in one slot, which Redis computes from the text between braces."""

ENTITY_PREFIX: Final = f"entity:{SLOT_TAG}:".encode()
"""Before the id of an entity or of a population: the key of its state (:mod:`engine.entities.state`)."""


class PrimaryClient(redis.Redis):
    """Sends commands to the endpoint until that names another node, then to that node for as long as it answers."""

    _endpoint_pool: ConnectionPool | None = None
    """The endpoint's connections, while another node's are in use."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Run one command on the primary; RedisError where that fails."""
        try:
            return self._execute(*args, **options)
        except MovedError as moved:
            self._follow(moved.host, moved.port)
        except redis.ReadOnlyError:
            # Outside cluster mode a demoted primary answers only this, and keeps its connections open. The endpoint leads to the
            # new primary, so connect to it again.
            self._return_to_endpoint()
            self.connection_pool.disconnect()
        # If a failover happens between the two, the second fails, and the next command starts at the endpoint.
        return self._execute(*args, **options)

    def _execute(self, *args: Any, **options: Any) -> Any:
        try:
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]  # redis types none
        except (redis.ConnectionError, redis.TimeoutError):
            self._return_to_endpoint()
            raise

    def _follow(self, host: str, port: int) -> None:
        self._return_to_endpoint()
        endpoint_pool = self.connection_pool
        settings = {**endpoint_pool.connection_kwargs, "port": port}
        if host:  # empty where the node does not know its own address
            settings["host"] = host
        self._endpoint_pool = endpoint_pool
        self.connection_pool = redis.ConnectionPool(
            connection_class=endpoint_pool.connection_class, **settings
        )

    def _return_to_endpoint(self) -> None:
        if self._endpoint_pool is not None:
            self.connection_pool.disconnect()
            self.connection_pool, self._endpoint_pool = self._endpoint_pool, None


def connect(endpoint: str, credentials: CredentialProvider | None = None) -> redis.Redis:
    """Make a client for ``ELASTICACHE_REDIS_ENDPOINT``; it connects on first use.

    Parameters
    ----------
    endpoint : str
        ``host``, ``host:port``, ``redis://...`` or ``rediss://...``.
    credentials : CredentialProvider | None
        Signs in at each new connection; None for a cache without users.
    """
    url = endpoint if "://" in endpoint else f"redis://{endpoint}"
    return PrimaryClient.from_url(
        url,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        socket_timeout=READ_TIMEOUT_S,
        socket_keepalive=True,
        # One retry, for a connection that broke while the function was frozen. Not more: the history can replace the cache.
        retry=Retry(NoBackoff(), 1),
        retry_on_error=[redis.ConnectionError],
        credential_provider=credentials,
    )


@contextmanager
def reporting_unavailability() -> Iterator[None]:
    """Report errors of the client as :class:`~common.errors.CacheUnavailableError`, by their class alone: their text may hold keys."""
    try:
        yield
    except redis.RedisError as error:
        raise CacheUnavailableError(type(error).__name__) from error
