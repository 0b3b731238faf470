"""Identifies a process even after its pid is reused, and ends processes together with everything that they started.

A pid alone identifies nothing: the kernel gives it to another process later, after a reboot within minutes.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

STOP_GRACE_SECONDS: Final = 10.0
"""Time between SIGTERM and SIGKILL."""

POLL_SECONDS: Final = 0.02
"""Time between two checks of a process that is waited for."""


class ProcessRecord(msgspec.Struct, frozen=True):
    """The identity of one process."""

    name: str
    pid: int
    start_mark: str
    """When the process started, on a clock that cannot be set. Only compared, never read."""

    def find(self) -> psutil.Process | None:
        """Return the process if it still runs; None if it has ended or another process has its pid."""
        try:
            process = psutil.Process(self.pid)
            same = start_mark(self.pid) == self.start_mark
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None

    @property
    def is_pid_reused(self) -> bool:
        """True if another process has the pid now, or the machine was restarted since."""
        if self.start_mark.split()[0] != _boot_mark():
            return True
        try:
            return start_mark(self.pid) != self.start_mark
        except psutil.NoSuchProcess:
            return False


def start_mark(pid: int) -> str:
    """Return the boot and the kernel tick at which a process started; psutil.NoSuchProcess if there is none.

    psutil's ``create_time`` adds the boot time on the wall clock, so it moves when the wall clock is set.
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


def stop_processes(records: Iterable[ProcessRecord], grace_seconds: float = STOP_GRACE_SECONDS) -> None:
    """End processes and their descendants: SIGTERM to the processes, then SIGKILL to those that are left.

    Parameters
    ----------
    records : Iterable[ProcessRecord]
        Those that have ended, or whose pid another process has, are left alone.
    grace_seconds : float
        Time until SIGKILL, for all of them together; 0 kills them at once.
    """
    records = list(records)
    leaders = [process for record in records if (process := record.find()) is not None]
    family = {child.pid: child for leader in leaders for child in _descendants(leader)}
    for leader in leaders:
        with contextlib.suppress(psutil.NoSuchProcess):
            leader.terminate()
    stubborn = wait_until_gone(leaders, grace_seconds)
    # The leaders had time to end their own children; a child that is left, or was started meanwhile, is killed at once.
    for leader in stubborn:
        family |= {child.pid: child for child in _descendants(leader)}
    family |= {member.pid: member for record in records for member in _group_members(record)}
    left = [*stubborn, *family.values()]
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    wait_until_gone(left, STOP_GRACE_SECONDS)


def wait_until_gone(processes: Sequence[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait until processes have ended; returns those that have not after the seconds.

    ``psutil.wait_procs`` does this too, but it collects the exit code of a child, which its parent then cannot read.
    """
    deadline = time.monotonic() + seconds
    while (left := [process for process in processes if _is_alive(process)]) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return left


def _boot_mark() -> str:
    boot_id = Path("/proc/sys/kernel/random/boot_id")
    return boot_id.read_text().strip() if boot_id.exists() else "boot"


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
    # A grandchild whose parent has ended belongs to init, but stays in the process group that its leader opened. The
    # kernel does not reuse the group's number while the group has members; it does later, or after a reboot.
    if record.is_pid_reused:
        return []
    members = []
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            if process.pid != record.pid and os.getpgid(process.pid) == record.pid:
                members.append(process)
    return members
