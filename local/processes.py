"""Child processes that start in order, report why they failed, and never outlive the process that started them.

A child has a session of its own and writes to one log file. It is ready when a condition holds. It is stopped together with
everything that it started. What a child is (a broker, a function) is the caller's responsibility.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from local.process_tree import (
    POLL_SECONDS,
    STOP_GRACE_SECONDS,
    ProcessRecord,
    start_mark,
    stop_processes,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

READY_SECONDS: Final = 60.0
"""Time that a process may take to become ready; on a slow machine it takes about 10 s."""

_LOG_TAIL_LINES: Final = 20
_PR_SET_PDEATHSIG: Final = 1
_PORT_TAKEN = re.compile(r"address already in use|is already in use|EADDRINUSE", re.IGNORECASE)


class ProcessError(Exception):
    """A process that ended or did not become ready; names the process and shows the end of its log.

    Parameters
    ----------
    name : str
        The process.
    problem : str
        What happened to it.
    log : Path
        Its log; the last lines go into the message.
    """

    def __init__(self, name: str, problem: str, log: Path) -> None:
        self.name = name
        self.problem = problem
        self.tail = log_tail(log)
        shown = "".join(f"\n    {line}" for line in self.tail) or "\n    (empty)"
        super().__init__(f"{name} {problem}; the end of {log}:{shown}")

    @property
    def is_port_taken(self) -> bool:
        """True if the log says that another process uses a port that this one was to open."""
        return any(_PORT_TAKEN.search(line) for line in self.tail)


class ManagedProcess:
    """One child process.

    Parameters
    ----------
    name : str
        Its name in errors, logs and the state file.
    argv : Sequence[str]
        Program and arguments; no shell.
    log : Path
        Gets stdout and stderr; emptied at the start.
    environment : Mapping[str, str]
        The whole environment of the child.
    folder : Path
        Its working directory.
    output : Path | None
        Gets stdout alone, if a program reads it; by default stdout goes to the log too.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        log: Path,
        environment: Mapping[str, str],
        folder: Path,
        output: Path | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._argv = list(argv)
        self._environment = dict(environment)
        self._folder = folder
        self._output = output
        self._popen: subprocess.Popen[bytes] | None = None
        self._record: ProcessRecord | None = None

    @property
    def record(self) -> ProcessRecord:
        """The process's identity; ProcessError before the start."""
        if self._record is None:
            raise ProcessError(self.name, "was not started", self.log)
        return self._record

    @property
    def was_started(self) -> bool:
        """True from the start on, whether the process still runs or not."""
        return self._record is not None

    @property
    def exit_code(self) -> int | None:
        """None while the process runs or before its start; negative if a signal ended it."""
        return None if self._popen is None else self._popen.poll()

    @property
    def is_running(self) -> bool:
        """True between start and end."""
        return self._popen is not None and self._popen.poll() is None

    def start(self) -> None:
        """Start the process; it dies with this one, however this one ends."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log, (self._output or Path(os.devnull)).open("wb") as output:
            stdout = log if self._output is None else output
            self._popen = _spawn(self._argv, stdout.fileno(), log.fileno(), self._environment, self._folder)
        _started.add(self)
        # A child that has already ended stays a zombie until it is waited for, so its mark can always be read.
        self._record = ProcessRecord(self.name, self._popen.pid, start_mark(self._popen.pid))

    def wait_until(self, is_ready: Callable[[], bool], awaited: str, seconds: float = READY_SECONDS) -> None:
        """Wait for a condition that the process brings about.

        Parameters
        ----------
        is_ready : Callable
            Called again and again; an OSError means "not yet".
        awaited : str
            What the error says is waited for: "port 9092 to open".
        seconds : float
            Deadline.

        Raises
        ------
        ProcessError
            If the process ended, or the deadline passed.
        """
        deadline = time.monotonic() + seconds
        while True:
            if self.exit_code is not None:
                raise ProcessError(self.name, f"ended with exit code {self.exit_code}", self.log)
            with contextlib.suppress(OSError):
                if is_ready():
                    return
            if time.monotonic() > deadline:
                raise ProcessError(
                    self.name, f"not ready after {seconds:.0f} s; waiting for {awaited}", self.log
                )
            time.sleep(POLL_SECONDS)

    def wait_for_exit(self, seconds: float) -> None:
        """Wait until a process that ends on its own has ended; ProcessError if it failed or takes longer."""
        if self._popen is None:
            raise ProcessError(self.name, "was not started", self.log)
        try:
            code = self._popen.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise ProcessError(self.name, f"still running after {seconds:.0f} s", self.log) from error
        if code:
            raise ProcessError(self.name, f"ended with exit code {code}", self.log)

    def wait_until_listening(self, port: int, seconds: float = READY_SECONDS) -> None:
        """Wait until this very process accepts connections on 127.0.0.1; another process on the port does not count."""
        self.wait_until(lambda: self.is_listening(port), f"port {port} to open", seconds)

    def is_listening(self, port: int) -> bool:
        """Return whether this process itself has the port open."""
        try:
            connections = psutil.Process(self.record.pid).net_connections(kind="tcp")
        except psutil.NoSuchProcess:
            return False
        return any(c.status == psutil.CONN_LISTEN and c.laddr and c.laddr.port == port for c in connections)

    def stop(self, grace_seconds: float = STOP_GRACE_SECONDS) -> None:
        """End the process and all that it started; returns when they are gone. May be called at any time, and twice."""
        if self._popen is None:
            return
        stop_processes([self.record], grace_seconds)
        self._popen.wait()
        _started.discard(self)


def stop_together(processes: Iterable[ManagedProcess], grace_seconds: float = STOP_GRACE_SECONDS) -> None:
    """End several processes at once: this takes as long as the slowest one, not as long as all of them in turn."""
    processes = list(processes)
    stop_processes([process.record for process in processes if process.was_started], grace_seconds)
    for process in processes:
        process.stop(grace_seconds)


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that is free now, and that this process has not returned before."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        with _ports_lock:
            if port not in _ports_given:
                _ports_given.add(port)
                return port


def log_tail(log: Path, lines: int = _LOG_TAIL_LINES) -> list[str]:
    """Return the last lines of a log; an empty list if there is no log."""
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - 16_384))
        return file.read().decode("utf-8", "replace").splitlines()[-lines:]


def _spawn(
    argv: list[str], stdout: int, stderr: int, environment: Mapping[str, str], folder: Path
) -> subprocess.Popen[bytes]:
    def spawn() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform.startswith("linux") else None,
        )

    return _spawner.submit(spawn).result()


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != _own_pid:  # the parent died between the fork and the line above
        os._exit(1)


def _stop_started() -> None:
    for process in list(_started):
        process.stop()


_libc = ctypes.CDLL(None)
_own_pid = os.getpid()
# The kernel sends the death signal when the *thread* that forked ends, so one thread forks all children and never ends.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")
_started: set[ManagedProcess] = set()
_ports_given: set[int] = set()
_ports_lock = threading.Lock()
atexit.register(_stop_started)
