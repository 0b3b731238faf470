"""Exactly once under faults: the whole local stack under every fault, compared with a plain recomputation.

`LONG=1` runs every fault with more seeds, which move the moment of the fault. Writes `build/faults-report.json`.
"""

from __future__ import annotations

import fcntl
import re
from typing import TYPE_CHECKING

import msgspec
import pytest

from ops.manifests import ROOT

from .catalogue import FAULTS
from .fault import IS_LONG, Fault
from .report import FaultReport, RunReport
from .run import Run, started
from .site import STARTED
from .stacks import Stacks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SEEDS = range(5) if IS_LONG else range(1)
STACKS_A_SEED = 4
"""Workers share the faults, and a fault does not wait for the emulator to look through what all others have stored."""
STACKS = range(STACKS_A_SEED * len(SEEDS))
ON_STACK = [pytest.mark.xdist_group(f"faults, stack {number}") for number in STACKS]
RUNS = [
    pytest.param(number, fault, seed, id=f"{fault.name}-{seed}", marks=ON_STACK[number])
    for number in STACKS
    for seed, first in [divmod(number, STACKS_A_SEED)]
    for fault in FAULTS[first::STACKS_A_SEED]
]
"""All runs of one stack, then those of the next."""
REPORT = ROOT / "build" / "faults-report.json"
PERSONAL = (
    b"198.51.100.23",
    b"4111111111111111",
    b"tok_",
    b"Berlin",
    b"Lagos",
    # To the metre, so that no latency in ms looks like a place.
    b"52.5200066",
    b"13.404954",
    b"6.5243793",
    b"3.3792057",
)
"""Personal data in the stream's payments and in its records that are no payments."""


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stacks]:
    """The stacks of this module. They are no parameter of a fixture: pytest would start one for each fault."""
    made = Stacks(lambda number: started(tmp_path_factory.mktemp(f"faults-{number}-")))
    yield made
    made.stop()


@pytest.fixture
def reports(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Where all processes of this run write what they have found, a file a fault."""
    own = tmp_path_factory.getbasetemp()
    # Workers have folders of their own in that of the run.
    folder = (own if worker_id == "master" else own.parent) / "faults-report"
    folder.mkdir(exist_ok=True)
    return folder


def add_to_report(reports: Path, fault: Fault, run: RunReport) -> None:
    """Write what was found, and the report of all that was found until now, in the catalogue's order."""
    files = [reports / f"{place:03}.json" for place in range(len(FAULTS))]
    own = files[FAULTS.index(fault)]
    with (reports / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        report = FaultReport(fault.name)
        if own.exists():
            report = msgspec.json.decode(own.read_bytes(), type=FaultReport)
        report.add(run)
        own.write_bytes(msgspec.json.encode(report))
        found = [msgspec.Raw(file.read_bytes()) for file in files if file.exists()]
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_bytes(msgspec.json.format(msgspec.json.encode(found)))


@pytest.mark.parametrize(("number", "fault", "seed"), RUNS)
def test_every_payment_counts_once_under(
    number: int, fault: Fault, seed: int, stacks: Stacks, reports: Path
) -> None:
    run = Run(stacks.running(number), fault, seed)

    try:
        run.complete()
    finally:
        add_to_report(reports, fault, run.report)

    assert run.report.problems == []


@pytest.mark.parametrize("number", [pytest.param(number, marks=ON_STACK[number]) for number in STACKS])
def test_the_logs_of_the_whole_run_hold_nothing_personal(number: int, stacks: Stacks) -> None:
    """Runs last, on everything that the functions and the Glue job of a stack logged under its faults."""
    folder = stacks.logs(number)
    logs = [log for log in folder.glob("*/*.log") if log.stem in STARTED]
    logs += (folder / "glue").glob("*.log")

    text = b"".join(log.read_bytes() for log in logs)

    assert b"record quarantined" in text
    found = re.findall(rb".{0,120}(?:" + b"|".join(map(re.escape, PERSONAL)) + rb").{0,40}", text)
    assert found[:5] == []
