"""What a running stack tells of itself, in ``build/stack.json``, and how one sees that it still runs.

The file is true as long as the process that it names as the owner runs. A file lock keeps a second owner out; the kernel
takes it away when the owner ends, however that happens.
"""

from __future__ import annotations

import fcntl
import os
from datetime import datetime
from typing import IO, TYPE_CHECKING, Final, Literal

import msgspec

from local.processes import ProcessRecord
from local.provision import Resources
from ops.manifests import ROOT

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_BUILD_DIR: Final = ROOT / "build"
"""Where a stack keeps what it writes, unless it is told otherwise."""


class StackRunningError(Exception):
    """A stack runs here already."""


class StackState(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a client of the stack needs to know, and everything needed to stop it."""

    phase: Literal["starting", "up", "stopping"]
    owner: ProcessRecord
    """The process that the others die with."""
    processes: list[ProcessRecord]
    """In the order of their start."""
    started_at: datetime
    """UTC."""
    functions: list[str]
    """Those that run."""
    ingestion: bool
    """True where the Glue job runs."""
    bootstrap_servers: str = ""
    cache_endpoint: str = ""
    aws_endpoint: str = ""
    resources: Resources | None = None
    """None until everything was made."""


class StackFolder:
    """The files of one stack. Two stacks in different build folders do not know of each other.

    Parameters
    ----------
    build_dir : Path
        Made where it is missing.
    """

    def __init__(self, build_dir: Path) -> None:
        self.build_dir = build_dir.resolve()
        self.run_dir = self.build_dir / "run"
        """Data, configurations and statuses; lives as long as the stack."""
        self.log_dir = self.build_dir / "logs"
        """One log a process; stays until the next start."""
        self.state_file = self.build_dir / "stack.json"
        self._lock_file = self.build_dir / "stack.lock"
        self._lock: IO[str] | None = None

    def acquire(self) -> None:
        """Become the owner of the stack in this folder; StackRunningError where there is another one."""
        self.build_dir.mkdir(parents=True, exist_ok=True)
        lock = self._lock_file.open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise StackRunningError(
                f"a stack runs in {self.build_dir} already; `make down` stops it"
            ) from error
        self._lock = lock

    def release(self) -> None:
        """Give the folder up; nothing where it was not acquired."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def write_state(self, state: StackState) -> None:
        """Write the state whole: a reader sees the previous one or this one."""
        temporary = self.state_file.with_name(f".{self.state_file.name}.{os.getpid()}")
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(state)))
        temporary.replace(self.state_file)

    def last_state(self) -> StackState | None:
        """Give what was written last, by an owner that may be gone; None where there is nothing, or nothing legible."""
        try:
            return msgspec.json.decode(self.state_file.read_bytes(), type=StackState)
        except (FileNotFoundError, msgspec.MsgspecError):
            # A file of another version of this program tells nothing that could be used.
            return None

    def running_state(self) -> StackState | None:
        """Give the state of the stack that runs here; None where none does, whatever a crash or a reboot left behind."""
        state = self.last_state()
        return state if state is not None and state.owner.find() is not None else None


def read_state(build_dir: Path = DEFAULT_BUILD_DIR) -> StackState | None:
    """Read the state of the stack that runs in a build folder; None where none does."""
    return StackFolder(build_dir).running_state()
