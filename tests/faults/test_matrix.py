"""Exactly once under faults: the whole local stack under every fault, compared with a plain recomputation.

`LONG=1` runs every fault with more seeds, which move the moment of the fault. Writes `build/faults-report.json`.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import msgspec
import pytest

from ops.manifests import ROOT

from .catalogue import FAULTS
from .fault import IS_LONG, Fault
from .report import FaultReport
from .run import Run
from .site import STARTED, Site

if TYPE_CHECKING:
    from pathlib import Path

HALVES = [pytest.mark.xdist_group("faults"), pytest.mark.xdist_group("every other fault")]
"""Each has a stack of its own, so that two workers share the faults."""
SEEDS = range(5) if IS_LONG else range(1)
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
def reports() -> dict[str, FaultReport]:
    """Reports of the faults that this process runs."""
    return {}


@pytest.fixture
def part(tmp_path_factory: pytest.TempPathFactory, testrun_uid: str, worker_id: str) -> Path:
    """Where this process says what it has found, beside the other processes of this run."""
    return tmp_path_factory.getbasetemp().parent / f"faults-{testrun_uid}-{worker_id}.json"


def write_report(reports: dict[str, FaultReport], part: Path) -> None:
    """Write what all processes have found, in the catalogue's order."""
    written = part.with_suffix(".new")
    written.write_bytes(msgspec.json.encode(list(reports.values())))
    written.rename(part)  # another process may be reading
    parts = part.parent.glob(f"{part.stem.rpartition('-')[0]}-*.json")
    found = chain.from_iterable(msgspec.json.decode(each.read_bytes()) for each in parts)
    order = [fault.name for fault in FAULTS]
    whole = sorted(found, key=lambda report: order.index(report["fault"]))
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_bytes(msgspec.json.format(msgspec.json.encode(whole)))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "fault",
    [pytest.param(fault, marks=HALVES[number % 2], id=fault.name) for number, fault in enumerate(FAULTS)],
)
def test_every_payment_counts_once_under(
    fault: Fault, seed: int, site: Site, reports: dict[str, FaultReport], part: Path
) -> None:
    run = Run(site, fault, seed)

    try:
        run.complete()
    finally:
        reports.setdefault(fault.name, FaultReport(fault.name)).add(run.report)
        write_report(reports, part)

    assert run.report.problems == []


@pytest.mark.parametrize("half", [pytest.param(number, marks=half) for number, half in enumerate(HALVES)])
def test_the_logs_of_the_whole_run_hold_nothing_personal(site: Site, half: int) -> None:
    """Runs last, on everything that the functions and the Glue job logged under the faults before."""
    logs = [log for log in site.logs.glob("*/*.log") if log.stem in STARTED]
    logs += (site.logs / "glue").glob("*.log")

    text = b"".join(log.read_bytes() for log in logs)

    assert b"record quarantined" in text
    assert [one for one in PERSONAL if one in text] == []
