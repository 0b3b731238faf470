"""What all servers of the local stack have in common: a folder, free ports, one process, an endpoint."""

from __future__ import annotations

import os
import shutil
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final, Self

from local.processes import ManagedProcess, ProcessError

if TYPE_CHECKING:
    from pathlib import Path

HOST: Final = "127.0.0.1"
"""Nothing of the stack can be reached from another machine."""

_ATTEMPTS: Final = 3


class Component(ABC):
    """One server.

    Parameters
    ----------
    folder : Path
        What it may write to; emptied at the start, removed at the stop.
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
        """The server's process; ProcessError before it was started."""
        if self._process is None:
            raise ProcessError(self.name, "was not started", self._log)
        return self._process

    @property
    def was_started(self) -> bool:
        """True from the first attempt to start it on."""
        return self._process is not None

    @property
    @abstractmethod
    def endpoint(self) -> str:
        """Where clients find it, in the form that they take."""

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
                # Between asking for a free port and opening it, somebody else may: once more, with another one.
                if not error.is_port_taken or attempt == _ATTEMPTS:
                    raise
            except BaseException:  # Ctrl-C too must not leave the server behind
                self.stop()
                raise

    def stop(self) -> None:
        """End the server and remove what it wrote, but for its log. May be called twice, or before the start."""
        if self._process is not None:
            self._process.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @abstractmethod
    def _make_process(self) -> ManagedProcess:
        """Choose ports, write the configuration, and say what is to be run."""

    @abstractmethod
    def _wait_until_ready(self, process: ManagedProcess) -> None:
        """Return when the server does its work for a client."""

    def _process_of(self, *argv: str, **environment: str) -> ManagedProcess:
        # Of the caller's environment only what programs need anywhere: settings of its own must not reach the servers.
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        temporary = {"TMPDIR": str(self._folder)}
        return ManagedProcess(self.name, argv, self._log, inherited | temporary | environment, self._folder)

    def _prepare_folder(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
