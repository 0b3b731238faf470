"""The event source mapping of one function: its process, and what a fault does to it and to the function's own processes."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
import psutil

from local.event_sources.config import (
    MappingConfig,
    MappingCounters,
    MappingStatus,
    read_status,
    status_file,
    write_config,
)
from local.faults.control import Control
from local.faults.event_source_process import control_folder
from local.processes import ManagedProcess
from local.runtime.package import unpack
from local.stack.parts import is_mapping_running, mapping_command
from ops.manifests import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUIET_MS = 700
"""How long a mapping must have been idle: a status is up to 500 ms old, and a silent stream is read every 120 ms."""


class EventSourceMapping:
    """The process that feeds one function, and runs its workers.

    Parameters
    ----------
    config : MappingConfig
        Its configuration; ``state_dir`` is a folder of its own.
    """

    def __init__(self, config: MappingConfig) -> None:
        self.function = config.function
        self.config_file = config.state_dir / f"{config.function}.json"
        self.control = Control(control_folder(self.config_file))
        self.config = self.with_package(config, config.zip)
        argv, environment = mapping_command(
            config.function, self.config_file, config.aws_endpoint, "local.faults.event_source_process"
        )
        log = config.log_dir / f"{config.function}-mapping.log"
        self.process = ManagedProcess(f"{config.function}-mapping", argv, log, environment, ROOT)

    def with_package(self, config: MappingConfig, package: Path) -> MappingConfig:
        """The same configuration with another zip."""
        # Where the mapping itself would unpack it.
        task_root = unpack(package, config.state_dir / "functions")
        # The import path that Lambda sets, behind the folder through which a test sets the clock and fills the disk.
        import_path = os.pathsep.join([str(self.control.folder), str(task_root)])
        return msgspec.structs.replace(
            config, zip=package, environment={**config.environment, "PYTHONPATH": import_path}
        )

    def start(self) -> None:
        """Start it; return when it reads."""
        write_config(self.config_file, self.config)
        status_file(self.config_file, self.function).unlink(missing_ok=True)
        self.process.start()
        self.process.wait_until(
            lambda: is_mapping_running(self.config_file, self.function), "its event source mapping to run"
        )

    def status(self) -> MappingStatus | None:
        """The status that it last wrote; None before the first."""
        return read_status(status_file(self.config_file, self.function))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Suspend it within this context."""
        pid = self.process.record.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def counters(self) -> MappingCounters:
        """What it has counted since its process started."""
        status = self.status()
        assert status is not None
        return status.counters

    def idle_since_ms(self, since_ms: float) -> int | None:
        """When it became idle, ms since the epoch; None if it has not been idle for :data:`QUIET_MS` after ``since_ms``."""
        status = self.status()
        if status is None or status.backlog != 0 or status.idle_since_ms is None:
            return None
        is_quiet = status.at_ms - max(status.idle_since_ms, round(since_ms)) >= QUIET_MS
        return status.idle_since_ms if is_quiet else None

    def kill_workers(self) -> int:
        """SIGKILL the function's processes; return how many there were."""
        children = psutil.Process(self.process.record.pid).children()
        for child in children:
            child.send_signal(signal.SIGKILL)
        return len(children)

    def caller(self, port: int) -> psutil.Process:
        """The one of the function's processes that has a connection from this port."""
        for child in psutil.Process(self.process.record.pid).children():
            if any(one.laddr and one.laddr.port == port for one in child.net_connections("tcp")):
                return child
        raise AssertionError(f"no process of {self.function} has a connection from port {port}")
