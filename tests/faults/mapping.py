"""The process that feeds one function, and what can be done to it and to the function's own processes."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
import psutil

from local.components.aws_api import REGION
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
from local.resources import ACCOUNT_ID, resolve_environment
from local.runtime.package import unpack
from local.stack.parts import LAMBDA_PYTHON, is_mapping_running, mapping_command
from ops.manifests import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .site import Site

QUIET_MS = 600
"""How long a mapping must have had nothing to do: an idle stream is read every 40 ms, a new shard looked for every 2 s."""


class Mapping:
    """The process that feeds one function, and runs its workers."""

    def __init__(self, site: Site, function: str, place: str = "first") -> None:
        self.function = function
        self._config_file = site.folder / place / f"{function}.json"
        self.control = Control(control_folder(self._config_file))
        state_dir = self._config_file.parent
        state_dir = self._config_file.parent
        config = MappingConfig(
            function=function,
            bootstrap_servers=site.broker.endpoint,
            aws_endpoint=site.aws_api.endpoint,
            region=REGION,
            account_id=ACCOUNT_ID,
            environment={
                **resolve_environment(site.specs[function], site.references),
                "AWS_ENDPOINT_URL": site.aws[function].endpoint,
            },
            dead_letter_queue_url=site.resources.dead_letter_queue(function),
            state_dir=state_dir,
            log_dir=site.logs / place,
            zip=ROOT / "build" / "functions" / "host" / f"{function}.zip",
            lambda_python=LAMBDA_PYTHON,
        )
        self.config = self.with_package(config, config.zip)
        argv, environment = mapping_command(
            function, self._config_file, site.aws_api.endpoint, "local.faults.event_source_process"
        )
        log = site.logs / place / f"{function}-mapping.log"
        self.process = ManagedProcess(f"{function}-mapping", argv, log, environment, ROOT)

    def with_package(self, config: MappingConfig, package: Path) -> MappingConfig:
        """The same with another zip."""
        task_root = unpack(
            package, config.state_dir / "functions"
        )  # where the mapping itself would unpack it
        # What Lambda sets, behind the clock and the disk that a test sets.
        import_path = os.pathsep.join([str(self.control.folder), str(task_root)])
        return msgspec.structs.replace(
            config, zip=package, environment={**config.environment, "PYTHONPATH": import_path}
        )

    def start(self) -> None:
        """Start it; returns when it reads."""
        write_config(self._config_file, self.config)
        status_file(self._config_file, self.function).unlink(missing_ok=True)
        self.process.start()
        self.process.wait_until(
            lambda: is_mapping_running(self._config_file, self.function), "its event source mapping to run"
        )

    def status(self) -> MappingStatus | None:
        """What it last told of itself."""
        return read_status(status_file(self._config_file, self.function))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let it take nothing for as long as this context lasts."""
        pid = self.process.record.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def counters(self) -> MappingCounters:
        """What it did since its process started."""
        told = self.status()
        assert told is not None
        return told.counters

    def idle_since_ms(self, since_ms: float) -> int | None:
        """Since when it has had nothing to do, ms since the epoch; None where that is not yet long, or not since ``since_ms``."""
        told = self.status()
        if told is None or told.backlog != 0 or told.idle_since_ms is None:
            return None
        is_quiet = told.at_ms - max(told.idle_since_ms, round(since_ms)) >= QUIET_MS
        return told.idle_since_ms if is_quiet else None

    def kill_workers(self) -> int:
        """SIGKILL the function's processes; returns how many there were."""
        children = psutil.Process(self.process.record.pid).children()
        for child in children:
            child.send_signal(signal.SIGKILL)
        return len(children)

    def caller(self, port: int) -> psutil.Process:
        """That of the function's processes which speaks from a port; the others may be anywhere in their work."""
        for child in psutil.Process(self.process.record.pid).children():
            if any(one.laddr and one.laddr.port == port for one in child.net_connections("tcp")):
                return child
        raise AssertionError(f"no process of {self.function} speaks from port {port}")
