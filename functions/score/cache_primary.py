"""A cache client that finds the primary of a one-shard cluster from any of its nodes.

ElastiCache scales replicas only in cluster mode, and there its endpoint may lead to a replica, which answers with the
primary's address. There is one shard, so one address is all that there is to know: a cluster client's map of slots would be
one more thing to load at a cold start and to hold right through a failover. Outside cluster mode no node ever answers so; there
a connection can be left over that leads to a primary of yesterday.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import redis
from redis.exceptions import MovedError

if TYPE_CHECKING:
    from redis.connection import ConnectionPool


class PrimaryClient(redis.Redis):
    """Speaks to the endpoint until that names another node, then to that one for as long as it answers."""

    _entrance: ConnectionPool | None = None
    """The endpoint's connections, while others are in use."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Run one command, where it belongs; RedisError where it cannot be run."""
        try:
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]  # redis types none
        except MovedError as moved:
            # A failover can be between the two: then this one fails, and the next command starts at the endpoint.
            self._follow(moved.host, moved.port)
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]  # redis types none
        except redis.ReadOnlyError:
            # Outside cluster mode a primary that was demoted says no more than this, and keeps its connections. The endpoint
            # leads to the new one: connections to it are made anew.
            self._go_back()
            self.connection_pool.disconnect()
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]  # redis types none
        except (redis.ConnectionError, redis.TimeoutError):
            self._go_back()
            raise

    def _follow(self, host: str, port: int) -> None:
        self._go_back()
        entrance = self.connection_pool
        settings = {**entrance.connection_kwargs, "port": port}
        if host:  # a node that does not know its own name leaves it out
            settings["host"] = host
        self._entrance = entrance
        self.connection_pool = redis.ConnectionPool(connection_class=entrance.connection_class, **settings)

    def _go_back(self) -> None:
        if self._entrance is not None:
            self.connection_pool.disconnect()
            self.connection_pool, self._entrance = self._entrance, None
