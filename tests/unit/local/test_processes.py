"""Children start, are waited for, and end when they are stopped, together with all that they started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import psutil
import pytest

from local.process_tree import ProcessRecord, start_mark, stop_processes, wait_until_gone
from local.processes import ManagedProcess, ProcessError, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

STUBBORN_FAMILY = """
    import signal, subprocess, sys, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import time; print('child', flush=True); time.sleep(600)"])
    print(child.pid, flush=True)
    time.sleep(600)
"""

CHILD_OF_ITS_OWN = """
    import subprocess, sys, time
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print(child.pid, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def python(tmp_path: Path) -> Iterator[Callable[[str], ManagedProcess]]:
    """Factory: a child that runs a piece of Python. Children that a test leaves running are stopped."""
    made: list[ManagedProcess] = []

    def make(code: str) -> ManagedProcess:
        argv = [sys.executable, "-c", textwrap.dedent(code)]
        made.append(ManagedProcess("child", argv, tmp_path / "logs" / "child.log", os.environ, tmp_path))
        return made[-1]

    yield make
    for process in made:
        process.stop(0.1)


def first_line(process: ManagedProcess) -> str:
    process.wait_until(lambda: "\n" in process.log.read_text(), "a line in its log")
    return process.log.read_text().splitlines()[0]


def test_ended_process_is_reported_with_its_exit_code_and_the_end_of_its_log(
    python: Callable[[str], ManagedProcess],
) -> None:
    process = python("import sys; print('the disk is full'); sys.exit(3)")
    process.start()

    with pytest.raises(
        ProcessError, match=r"child ended with exit code 3; the end of .*child.log:\n    the disk is full"
    ):
        process.wait_until(lambda: False, "a condition that never holds")


def test_process_that_never_becomes_ready_is_reported_with_what_was_awaited(
    python: Callable[[str], ManagedProcess],
) -> None:
    process = python("import time; time.sleep(600)")
    process.start()

    with pytest.raises(ProcessError, match="child not ready after 0 s; waiting for a song"):
        process.wait_until(lambda: False, "a song", seconds=0.05)


def test_stop_ends_a_process_that_ignores_sigterm_and_its_child(
    python: Callable[[str], ManagedProcess],
) -> None:
    process = python(STUBBORN_FAMILY)
    process.start()
    child = psutil.Process(int(first_line(process)))

    process.stop(grace_seconds=0.1)

    assert process.exit_code == -signal.SIGKILL
    assert wait_until_gone([child], 0) == []


def test_stop_ends_the_orphans_of_a_process_that_was_killed(
    python: Callable[[str], ManagedProcess],
) -> None:
    process = python(CHILD_OF_ITS_OWN)
    process.start()
    orphan = psutil.Process(int(first_line(process)))
    os.kill(process.record.pid, signal.SIGKILL)

    process.stop(grace_seconds=0.1)

    assert wait_until_gone([orphan], 0) == []


def test_children_die_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    code = """
        import os, pathlib, sys, time
        from local.processes import ManagedProcess
        folder = pathlib.Path(sys.argv[1])
        child = ManagedProcess("child", [sys.executable, "-c", "import time; time.sleep(600)"], folder / "log", os.environ, folder)
        child.start()
        print(child.record.pid, flush=True)
        time.sleep(600)
    """
    argv = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))

        parent.kill()

    assert wait_until_gone([child], 10) == []


def test_record_of_another_start_is_not_found_and_not_stopped(
    python: Callable[[str], ManagedProcess],
) -> None:
    process = python("import time; time.sleep(600)")
    process.start()
    reused = ProcessRecord("old", process.record.pid, f"{start_mark(process.record.pid).split()[0]} 1")
    rebooted = ProcessRecord("older", process.record.pid, "another-boot 1")

    stop_processes([reused, rebooted], grace_seconds=0.1)

    assert reused.find() is None
    assert rebooted.find() is None
    assert process.is_running


def test_free_port_is_never_given_twice() -> None:
    ports = [free_port() for _ in range(200)]

    assert len(set(ports)) == 200
