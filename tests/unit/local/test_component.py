"""A server of the local stack is killed with its data: it has nothing to finish."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, ClassVar

import psutil

from local.components.component import Component
from local.process_tree import wait_until_gone

if TYPE_CHECKING:
    from pathlib import Path

    from local.processes import ManagedProcess

WAITS_FOR_ITS_CLIENTS = """
import signal, subprocess, sys, time

def end(*_):
    time.sleep(60)
    sys.exit(0)

signal.signal(signal.SIGTERM, end)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


class Server(Component):
    """Ends a minute after SIGTERM, as one does that waits for its clients' open connections."""

    name: ClassVar[str] = "server"

    @property
    def endpoint(self) -> str:
        return "none"

    @property
    def child(self) -> psutil.Process:
        return psutil.Process(int(self._log.read_text()))

    def _make_process(self) -> ManagedProcess:
        (self._folder / "data").write_text("rows")
        return self._process_of(sys.executable, "-c", WAITS_FOR_ITS_CLIENTS)

    def _wait_until_ready(self, process: ManagedProcess) -> None:
        process.wait_until(lambda: self._log.read_text().endswith("\n"), "a line in its log")


def test_a_server_is_not_waited_for_and_leaves_its_log_alone(tmp_path: Path) -> None:
    server = Server(tmp_path / "servers", tmp_path / "logs")
    server.start()
    process, child = server.process, server.child

    server.stop()

    assert process.exit_code == -signal.SIGKILL
    assert wait_until_gone([child], 0) == []
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["server.log"]
