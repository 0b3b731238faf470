"""Child processes that start in order, say why they failed, and never outlive whoever started them.

A child has a session of its own, writes to one log file, is ready when a condition holds, and is stopped with everything
it started itself. What a child is (a broker, a function) is for others to say.
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

import msgspec
import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

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

    def __init__(self, name: str, problem: str, log: Path) -> None:
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
    start_mark: str
    """When it was started, on a clock that nobody sets; compared, never read."""

    def find(self) -> psutil.Process | None:
        """Give the process if it still runs; None where it ended or the pid is another's by now."""
        try:
            process = psutil.Process(self.pid)
            same = start_mark(self.pid) == self.start_mark
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None

    @property
    def is_pid_anothers(self) -> bool:
        """True where the pid was given to another process since, or the machine was started again."""
        if self.start_mark.split()[0] != _boot_mark():
            return True
        try:
            return start_mark(self.pid) != self.start_mark
        except psutil.NoSuchProcess:
            return False


def start_mark(pid: int) -> str:
    """Say when a process was started, to the kernel's tick, the boot included; psutil.NoSuchProcess where there is none.

    psutil's ``create_time`` counts from the wall clock's idea of the boot, and moves when the wall clock is set.
    """
    stat = Path(f"/proc/{pid}/stat")
    if not sys.platform.startswith("linux"):
        return f"{_boot_mark()} {psutil.Process(pid).create_time()}"
    try:
        # The name in parentheses may hold anything; starttime is field 22, the 20th after it (proc_pid_stat(5)).
        ticks = stat.read_text().rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError) as error:
        raise psutil.NoSuchProcess(pid) from error
    return f"{_boot_mark()} {ticks}"


def _boot_mark() -> str:
    boot_id = Path("/proc/sys/kernel/random/boot_id")
    return boot_id.read_text().strip() if boot_id.exists() else "boot"


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
    output : Path | None
        Gets stdout alone, where that is for programs; by default it goes to the log too.
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
        """The process's identity; ProcessError before it was started."""
        if self._record is None:
            raise ProcessError(self.name, "was not started", self.log)
        return self._record

    @property
    def was_started(self) -> bool:
        """True from the start on, whether it still runs or not."""
        return self._record is not None

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
        with self.log.open("wb") as log, (self._output or Path(os.devnull)).open("wb") as output:
            stdout = log if self._output is None else output
            self._popen = _spawn(self._argv, stdout.fileno(), log.fileno(), self._environment, self._folder)
        _started.add(self)
        # A child that has ended already stands there until it is waited for, so its mark can always be read.
        self._record = ProcessRecord(self.name, self._popen.pid, start_mark(self._popen.pid))

    def wait_until(self, is_ready: Callable[[], bool], what: str, seconds: float = READY_SECONDS) -> None:
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

    def wait_for_exit(self, seconds: float) -> None:
        """Wait until a process that ends by itself has done so; ProcessError where it failed, or takes longer."""
        if self._popen is None:
            raise ProcessError(self.name, "was not started", self.log)
        try:
            code = self._popen.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise ProcessError(self.name, f"did not end in {seconds:.0f} s", self.log) from error
        if code:
            raise ProcessError(self.name, f"ended with exit code {code}", self.log)

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
        stop_processes([self.record], grace_seconds)
        self._popen.wait()
        _started.discard(self)


def stop_processes(records: Iterable[ProcessRecord], grace_seconds: float = STOP_GRACE_SECONDS) -> None:
    """End processes and their descendants: SIGTERM to the processes, after the grace SIGKILL to whatever is left.

    Parameters
    ----------
    records : Iterable[ProcessRecord]
        Those that ended already, or whose pid is another's by now, are left alone.
    grace_seconds : float
        For all of them together.
    """
    records = list(records)
    leaders = [process for record in records if (process := record.find()) is not None]
    family = {child.pid: child for leader in leaders for child in _descendants(leader)}
    for leader in leaders:
        with contextlib.suppress(psutil.NoSuchProcess):
            leader.terminate()
    stubborn = wait_until_gone(leaders, grace_seconds)
    # The leaders had their time to end their own; whoever is left now, or was started meanwhile, is not waited for.
    for leader in stubborn:
        family |= {child.pid: child for child in _descendants(leader)}
    family |= {member.pid: member for record in records for member in _group_members(record)}
    left = [*stubborn, *family.values()]
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    wait_until_gone(left, grace_seconds)


def wait_until_gone(processes: Sequence[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait until processes have ended; gives those that have not after the seconds.

    ``psutil.wait_procs`` does this too, but takes the exit code of a child away from whoever started it.
    """
    deadline = time.monotonic() + seconds
    while (left := [process for process in processes if _is_alive(process)]) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return left


def stop_together(processes: Iterable[ManagedProcess], grace_seconds: float = STOP_GRACE_SECONDS) -> None:
    """End several processes at once, so that the slowest one sets the time and not the sum of all."""
    processes = list(processes)
    stop_processes([process.record for process in processes if process.was_started], grace_seconds)
    for process in processes:
        process.stop(grace_seconds)


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


def log_tail(log: Path, lines: int = _LOG_TAIL_LINES) -> list[str]:
    """Give the last lines of a log; none where there is no log."""
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - 16_384))
        return file.read().decode("utf-8", "replace").splitlines()[-lines:]


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _group_members(record: ProcessRecord) -> list[psutil.Process]:
    # A grandchild whose parent is gone belongs to init, but stays in the process group that its leader opened; the kernel
    # does not give the number to anyone else meanwhile. After a reboot, or once the group is empty, it does.
    if record.is_pid_anothers:
        return []
    members = []
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            if process.pid != record.pid and os.getpgid(process.pid) == record.pid:
                members.append(process)
    return members


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
