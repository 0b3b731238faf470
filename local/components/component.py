"""What all servers of the local stack share: a folder, free ports, one process, an endpoint."""

from __future__ import annotations

import os
import shutil
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final, Self

from local.processes import ManagedProcess, ProcessError

if TYPE_CHECKING:
    from pathlib import Path

HOST: Final = "127.0.0.1"
"""The servers listen on this address alone, so that no other machine can reach them."""

_ATTEMPTS: Final = 3


class Component(ABC):
    """One server.

    Parameters
    ----------
    folder : Path
        Its data; emptied at the start, removed at the stop.
    logs : Path
        Gets its log, ``<name>.log``.
    """

    name: ClassVar[str]

    def __init__(self, folder: Path, logs: Path) -> None:
        self._folder = folder / self.name
        self._log = logs / f"{self.name}.log"
        self._process: ManagedProcess | None = None

    @property
    def process(self) -> ManagedProcess:
        """The server's process; ProcessError before the start."""
        if self._process is None:
            raise ProcessError(self.name, "was not started", self._log)
        return self._process

    @property
    def was_started(self) -> bool:
        """True from the first attempt to start it."""
        return self._process is not None

    @property
    @abstractmethod
    def endpoint(self) -> str:
        """The server's address, in the form that its clients take."""

    def start(self) -> None:
        """Start the server on free ports; returns when it answers.

        Raises
        ------
        ProcessError
            With the end of the server's log.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            self._prepare_folder()
            try:
                self._process = self._make_process()
                self._process.start()
                self._wait_until_ready(self._process)
                return
            except ProcessError as error:
                self.stop()
                # Another process may open the port between the choice and the start: try again with another port.
                if not error.is_port_taken or attempt == _ATTEMPTS:
                    raise
            except BaseException:  # Ctrl-C must not leave the server behind either
                self.stop()
                raise

    def stop(self) -> None:
        """Kill the server and remove its data, but not its log. May be called twice, or before the start.

        Nothing is left of its data that it could save first, and some servers wait for their clients: MiniStack for each connection that one keeps open.
        """
        if self._process is not None:
            self._process.stop(grace_seconds=0)
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @abstractmethod
    def _make_process(self) -> ManagedProcess:
        """Choose ports, write the configuration, and return the process to run."""

    @abstractmethod
    def _wait_until_ready(self, process: ManagedProcess) -> None:
        """Return when the server serves clients."""

    def _process_of(self, *argv: str, **environment: str) -> ManagedProcess:
        # Only the variables that every program needs: other settings of the caller must not reach the servers.
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        temporary = {"TMPDIR": str(self._folder)}
        return ManagedProcess(self.name, argv, self._log, inherited | temporary | environment, self._folder)

    def _prepare_folder(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)


def temporary_folder(folder: Path) -> str:
    """Make Java's option for its temporary files, which a Java process that is killed leaves behind. Java does not read TMPDIR."""
    return f"-Djava.io.tmpdir={folder}"
