"""Child processes that start in order, say why they failed, and never outlive whoever started them.

A child has a session of its own, writes to one log file, is ready when a condition holds, and is stopped with everything
it started itself. What a child is (a broker, a function) is for others to say.
"""

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
from typing import TYPE_CHECKING, Final

import msgspec
import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

STOP_GRACE_SECONDS: Final = 10.0
"""What a process gets between SIGTERM and SIGKILL."""

READY_SECONDS: Final = 60.0
"""How long a process may take until it is ready; a slow machine needs some 10 s."""

_POLL_SECONDS: Final = 0.02
_LOG_TAIL_LINES: Final = 20
_PR_SET_PDEATHSIG: Final = 1
_PORT_TAKEN = re.compile(r"address already in use|is already in use|EADDRINUSE", re.IGNORECASE)


class ProcessError(Exception):
    """A process that ended, or did not become ready; names it and shows the end of its log.

    Parameters
    ----------
    name : str
        The process.
    problem : str
        What happened to it.
    log : Path
        Where it wrote; its last lines go into the message.
    """

    def __init__(self, name: str, problem: str, log: "Path") -> None:
        self.name = name
        self.problem = problem
        self.tail = log_tail(log)
        shown = "".join(f"\n    {line}" for line in self.tail) or "\n    (empty)"
        super().__init__(f"{name} {problem}; the end of {log}:{shown}")

    @property
    def is_port_taken(self) -> bool:
        """True where the log says that a port it was given belongs to another process by now."""
        return any(_PORT_TAKEN.search(line) for line in self.tail)


class ProcessRecord(msgspec.Struct, frozen=True):
    """What identifies a process for good: a pid alone is used again, after a reboot within minutes."""

    name: str
    pid: int
    created_at: float
    """Seconds since the epoch, as the operating system says it."""

    def find(self) -> psutil.Process | None:
        """Give the process if it still runs; None where it ended or the pid is another's by now."""
        try:
            process = psutil.Process(self.pid)
            # Process start times are kept in clock ticks of 10 ms and may be rounded differently by another reader.
            same = abs(process.create_time() - self.created_at) < 0.05
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


class ManagedProcess:
    """One child process.

    Parameters
    ----------
    name : str
        What errors, logs and the state file call it.
    argv : Sequence[str]
        Program and arguments; no shell.
    log : Path
        Gets stdout and stderr; emptied at the start.
    environment : Mapping[str, str]
        The whole environment of the child.
    folder : Path
        Its working directory.
    """

    def __init__(
        self, name: str, argv: "Sequence[str]", log: "Path", environment: "Mapping[str, str]", folder: "Path"
    ) -> None:
        self.name = name
        self.log = log
        self._argv = list(argv)
        self._environment = dict(environment)
        self._folder = folder
        self._popen: subprocess.Popen[bytes] | None = None
        self._record: ProcessRecord | None = None

    @property
    def record(self) -> ProcessRecord:
        """The process's identity; ProcessError before it was started."""
        if self._record is None:
            raise ProcessError(self.name, "was not started", self.log)
        return self._record

    @property
    def exit_code(self) -> int | None:
        """None while it runs or before it was started; negative where a signal ended it."""
        return None if self._popen is None else self._popen.poll()

    @property
    def is_running(self) -> bool:
        """True between start and end."""
        return self._popen is not None and self._popen.poll() is None

    def start(self) -> None:
        """Start the process; it dies with this one, however this one ends."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as output:
            self._popen = _spawn(self._argv, output.fileno(), self._environment, self._folder)
        _started.add(self)
        with contextlib.suppress(psutil.NoSuchProcess):
            created_at = psutil.Process(self._popen.pid).create_time()
            self._record = ProcessRecord(self.name, self._popen.pid, created_at)

    def wait_until(self, is_ready: "Callable[[], bool]", what: str, seconds: float = READY_SECONDS) -> None:
        """Wait for a condition that the process brings about.

        Parameters
        ----------
        is_ready : Callable
            Asked again and again; an OSError is "not yet".
        what : str
            The condition, for the error: "answers on port 9092".
        seconds : float
            Deadline.

        Raises
        ------
        ProcessError
            Where the process ended, or the deadline passed.
        """
        deadline = time.monotonic() + seconds
        while True:
            if self.exit_code is not None:
                raise ProcessError(self.name, f"ended with exit code {self.exit_code}", self.log)
            with contextlib.suppress(OSError):
                if is_ready():
                    return
            if time.monotonic() > deadline:
                raise ProcessError(self.name, f"did not come so far in {seconds:.0f} s: {what}", self.log)
            time.sleep(_POLL_SECONDS)

    def wait_until_listening(self, port: int, seconds: float = READY_SECONDS) -> None:
        """Wait until this very process accepts connections on 127.0.0.1; a stranger on the port is not taken for it."""
        self.wait_until(lambda: self.is_listening(port), f"listens on port {port}", seconds)

    def is_listening(self, port: int) -> bool:
        """Tell whether this process itself has the port open."""
        try:
            connections = psutil.Process(self.record.pid).net_connections(kind="tcp")
        except psutil.NoSuchProcess:
            return False
        return any(c.status == psutil.CONN_LISTEN and c.laddr and c.laddr.port == port for c in connections)

    def stop(self, grace_seconds: float = STOP_GRACE_SECONDS) -> None:
        """End the process and all that it started; returns when they are gone. May be called at any time, and twice."""
        if self._popen is None:
            return
        if self._record is not None:
            stop_processes([self._record], grace_seconds)
        self._popen.wait()
        _started.discard(self)


def stop_processes(records: "Iterable[ProcessRecord]", grace_seconds: float = STOP_GRACE_SECONDS) -> None:
    """End processes and their descendants: SIGTERM to the processes, after the grace SIGKILL to whatever is left.

    Parameters
    ----------
    records : Iterable[ProcessRecord]
        Those that ended already, or whose pid is another's by now, are left alone.
    grace_seconds : float
        For all of them together.
    """
    found = [process for record in records if (process := record.find()) is not None]
    family = {process.pid: process for process in found}
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            family |= {child.pid: child for child in process.children(recursive=True)}
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    # Children may start grandchildren until they are gone themselves: the leaders first, then who is left of the group.
    _, alive = psutil.wait_procs(found, timeout=grace_seconds)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            family |= {child.pid: child for child in process.children(recursive=True)}
    left = [process for process in family.values() if process.is_running()] + _group_members(found)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=grace_seconds)


def free_port() -> int:
    """Give a TCP port of 127.0.0.1 that is free now, and was not given by this process before."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        with _ports_lock:
            if port not in _ports_given:
                _ports_given.add(port)
                return port


def log_tail(log: "Path", lines: int = _LOG_TAIL_LINES) -> list[str]:
    """Give the last lines of a log; none where there is no log."""
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - 16_384))
        return file.read().decode("utf-8", "replace").splitlines()[-lines:]


def _group_members(leaders: "Sequence[psutil.Process]") -> list[psutil.Process]:
    # A grandchild whose parent is gone belongs to init, but is still in the process group that its leader opened.
    groups = {leader.pid for leader in leaders}
    members = []
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            if process.pid not in groups and os.getpgid(process.pid) in groups:
                members.append(process)
    return members


def _spawn(
    argv: "list[str]", output: int, environment: "Mapping[str, str]", folder: "Path"
) -> subprocess.Popen[bytes]:
    def spawn() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )

    return _spawner.submit(spawn).result()


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != _own_pid:  # it died between the fork and the line above
        os._exit(1)


def _stop_started() -> None:
    for process in list(_started):
        process.stop()


_libc = ctypes.CDLL(None)
_own_pid = os.getpid()
# The kernel sends the death signal when the *thread* that forked ends, so one thread forks all and lives to the end.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")
_started: set[ManagedProcess] = set()
_ports_given: set[int] = set()
_ports_lock = threading.Lock()
atexit.register(_stop_started)
