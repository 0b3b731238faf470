"""A test sets the clock and the disk of processes that know nothing of the control."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local.faults.control import Control

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOUR = 3600.0
CLOCKS = """
import sys, time
from datetime import UTC, date, datetime
own_now = datetime.now
for _ in sys.stdin:
    times = [time.time(), time.time_ns() / 1e9, own_now(UTC).timestamp(), datetime.now().astimezone().timestamp()]
    times += [datetime.utcnow().replace(tzinfo=UTC).timestamp(), datetime.today().astimezone().timestamp()]
    print(*times, type(datetime.now(UTC)) is datetime, flush=True)
"""
WRITES = """
import errno, sys, tempfile
try:
    with tempfile.NamedTemporaryFile(dir=sys.argv[1], buffering=0) as file:
        file.write(b"?")
except OSError as error:
    print(errno.errorcode[error.errno])
print("goes on")
"""


@contextmanager
def process(control: Control, code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    argv = [sys.executable, "-P", "-W", "ignore", "-c", code, *arguments]
    with subprocess.Popen(
        argv,
        env={"PYTHONPATH": str(control.folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as popen:
        yield popen


def ask(popen: subprocess.Popen[str]) -> list[str]:
    assert popen.stdin is not None
    assert popen.stdout is not None
    popen.stdin.write("\n")
    popen.stdin.flush()
    return popen.stdout.readline().split()


def test_a_step_reaches_every_clock_of_a_running_process(tmp_path: Path) -> None:
    control = Control(tmp_path / "host")

    with process(control, CLOCKS) as popen:
        for hours in (0, 1, -1, 0):
            control.set_clock(hours * HOUR)
            before = time.time()
            *clocks, is_plain = ask(popen)
            after = time.time()

            stepped = [float(clock) - hours * HOUR for clock in clocks]
            # Microseconds are all that a datetime holds.
            assert all(before - 1e-5 <= clock <= after + 1e-5 for clock in stepped), (before, stepped, after)
            assert is_plain == "True"


def test_a_full_disk_refuses_files_and_nothing_else(tmp_path: Path) -> None:
    control = Control(tmp_path / "host")
    control.fill_disk(True)

    with process(control, WRITES, str(tmp_path)) as popen:
        said, _ = popen.communicate()

    assert said.split("\n") == ["EFBIG", "goes on", ""]
    assert control.disk_refusals == 1


def test_nothing_is_refused_by_default(tmp_path: Path) -> None:
    control = Control(tmp_path / "host")

    with process(control, WRITES, str(tmp_path)) as popen:
        said, _ = popen.communicate()

    assert said == "goes on\n"
    assert control.disk_refusals == 0


def test_all_that_open_the_file_see_the_same(tmp_path: Path) -> None:
    first, second = Control(tmp_path / "host"), Control(tmp_path / "host")

    first.abandon()
    second.abandoned += 1

    assert (second.abandon_calls, first.abandoned) == (1, 1)
