"""Exactly once under faults: the whole local stack, broken in every way there is, against a plain recomputation.

`LONG=1` runs every fault with more seeds, which move the moment at which it strikes. Writes `build/faults-report.json`.
"""

from __future__ import annotations

import msgspec
import pytest

from ops.manifests import ROOT

from .catalogue import FAULTS
from .fault import IS_LONG, Fault
from .run import Run
from .site import FUNCTIONS, Site
from .verdict import FaultReport

SEEDS = range(5) if IS_LONG else range(1)
REPORT = ROOT / "build" / "faults-report.json"
PERSONAL = (
    b"198.51.100.23",
    b"4111111111111111",
    b"tok_",
    b"Berlin",
    b"Lagos",
    # To the metre, so that no latency in ms is taken for a place.
    b"52.5200066",
    b"13.404954",
    b"6.5243793",
    b"3.3792057",
)
"""What the stream's payments, and the records that are none, hold of people."""


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
    """Runs last, on whatever the functions and the Glue job said under all the faults before."""
    logs = [log for log in site.logs.glob("*/*.log") if log.stem in FUNCTIONS]
    logs += (site.logs / "glue").glob("*.log")

    text = b"".join(log.read_bytes() for log in logs)

    assert b"record quarantined" in text
    assert [one for one in PERSONAL if one in text] == []
