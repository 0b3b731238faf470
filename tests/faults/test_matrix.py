"""Exactly once under faults: the whole local stack under every fault, compared with a plain recomputation.

`LONG=1` runs every fault with more seeds, which move the moment of the fault. Writes `build/faults-report.json`.
"""

from __future__ import annotations

import msgspec
import pytest

from ops.manifests import ROOT

from .catalogue import FAULTS
from .fault import IS_LONG, Fault
from .report import FaultReport
from .run import Run
from .site import STARTED, Site

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
    return {}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_every_payment_counts_once_under(
    fault: Fault, seed: int, site: Site, reports: dict[str, FaultReport]
) -> None:
    run = Run(site, fault, seed)

    try:
        run.complete()
    finally:
        reports.setdefault(fault.name, FaultReport(fault.name)).add(run.report)
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_bytes(msgspec.json.format(msgspec.json.encode(list(reports.values()))))

    assert run.report.problems == []


def test_the_logs_of_the_whole_run_hold_nothing_personal(site: Site) -> None:
    """Runs last, on everything that the functions and the Glue job logged under the faults before."""
    logs = [log for log in site.logs.glob("*/*.log") if log.stem in STARTED]
    logs += (site.logs / "glue").glob("*.log")

    text = b"".join(log.read_bytes() for log in logs)

    assert b"record quarantined" in text
    assert [one for one in PERSONAL if one in text] == []
