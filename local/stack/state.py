"""What a running stack writes down about itself, in ``build/stack.json``, and whether it still runs.

The file is valid as long as the process that it names as the owner runs. A file lock prevents a second owner; the kernel
releases the lock when the owner ends in any way.
"""

from __future__ import annotations

import fcntl
import os
from datetime import datetime
from typing import IO, TYPE_CHECKING, Final, Literal

import msgspec

from local.process_tree import ProcessRecord
from local.resources import Resources
from ops.manifests import ROOT

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_BUILD_DIR: Final = ROOT / "build"
"""Folder that a stack writes to by default."""


class StackError(Exception):
    """A stack that does not run, or that lacks what is requested."""


class StackRunningError(Exception):
    """A stack already runs in this build folder."""


class StackState(msgspec.Struct, frozen=True, kw_only=True):
    """All that a client of the stack needs to know, and all that is needed to stop it."""

    phase: Literal["starting", "up", "stopping"]
    owner: ProcessRecord
    """When this process ends, the others end too."""
    processes: list[ProcessRecord]
    """In start order."""
    started_at: datetime
    """UTC."""
    functions: list[str]
    """The functions that run."""
    ingestion: bool
    """Whether the Glue job runs."""
    bootstrap_servers: str = ""
    cache_endpoint: str = ""
    aws_endpoint: str = ""
    resources: Resources | None = None
    """None until all of them exist."""


class StackFolder:
    """The files of one stack. Stacks in different build folders are independent of each other.

    Parameters
    ----------
    build_dir : Path
        Created if it is missing.
    """

    def __init__(self, build_dir: Path) -> None:
        self.build_dir = build_dir.resolve()
        self.run_dir = self.build_dir / "run"
        """Data, configurations and statuses; removed when the stack stops."""
        self.log_dir = self.build_dir / "logs"
        """One log per process; kept until the next start."""
        self.state_file = self.build_dir / "stack.json"
        self._lock_file = self.build_dir / "stack.lock"
        self._lock: IO[str] | None = None

    def acquire(self) -> None:
        """Become the owner of the stack in this folder; StackRunningError if there is another owner."""
        self.build_dir.mkdir(parents=True, exist_ok=True)
        lock = self._lock_file.open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise StackRunningError(
                f"a stack already runs in {self.build_dir}; `make down` stops it"
            ) from error
        self._lock = lock

    def release(self) -> None:
        """Release the folder; does nothing if it was not acquired."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def write_state(self, state: StackState) -> None:
        """Write the state whole: a reader sees the previous one or this one."""
        temporary = self.state_file.with_name(f".{self.state_file.name}.{os.getpid()}")
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(state)))
        temporary.replace(self.state_file)

    def last_state(self) -> StackState | None:
        """Return the last state written, by an owner that may have ended; None if there is no file, or an unreadable one."""
        try:
            return msgspec.json.decode(self.state_file.read_bytes(), type=StackState)
        except (FileNotFoundError, msgspec.MsgspecError):
            # Another version of this program wrote it: nothing in it can be used.
            return None

    def running_state(self) -> StackState | None:
        """Return the state of the stack that runs here; None if none does, even if a crash or a reboot left a file behind."""
        state = self.last_state()
        return state if state is not None and state.owner.find() is not None else None


def read_state(build_dir: Path = DEFAULT_BUILD_DIR) -> StackState | None:
    """Read the state of the stack that runs in a build folder; None if none does."""
    return StackFolder(build_dir).running_state()


def require_stack(build_dir: Path = DEFAULT_BUILD_DIR) -> tuple[StackState, Resources]:
    """Return state and resources of the stack that runs in a build folder; StackError if none is up."""
    state = read_state(build_dir)
    if state is None or state.resources is None:
        raise StackError(f"no stack is up in {build_dir}; `make up` starts one")
    return state, state.resources
