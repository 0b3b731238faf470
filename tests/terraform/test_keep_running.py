"""The Glue job is started if, and only if, no run of it is active, and no start is refused in its run history.

AWS, "AWS Glue job run statuses": a run that exceeds the maximum of concurrent runs has the state FAILED; a run in the state WAITING is
waiting for resources. GetJobRuns (Glue API): newest runs first.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, Final

import pytest

from ops.manifests import ROOT
from tests.terraform.rendering import ingestion_resource

if TYPE_CHECKING:
    from pathlib import Path

UNSEEN: Final = "a run that started after the look"
"""As in `keep_running.py`."""

ACTIVE: Final = ("STARTING", "RUNNING", "STOPPING", "WAITING")
ENDED: Final = ("STOPPED", "SUCCEEDED", "FAILED", "TIMEOUT", "ERROR", "EXPIRED")

CASES: Final = {
    "no run yet": [],
    **{state: [state] for state in (*ACTIVE, *ENDED)},
    "a refused start is newer than the run": ["RUNNING", "FAILED"],
    UNSEEN: ["RUNNING"],
}


@pytest.fixture(scope="module")
def results(infra_tools: Path) -> dict[str, dict[str, Any]]:
    """How each case ended."""
    definition = json.loads(ingestion_resource("aws_sfn_state_machine", "this")["definition"])
    job = ingestion_resource("aws_glue_job", "this")["name"]
    done = subprocess.run(
        [str(infra_tools / "python"), "-m", "tests.terraform.keep_running"],
        input=json.dumps({"definition": definition, "job": job, "cases": CASES}),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("case", CASES)
def test_an_execution_succeeds_whatever_it_finds(case: str, results: dict[str, dict[str, Any]]) -> None:
    assert results[case]["status"] == "SUCCEEDED"


@pytest.mark.parametrize("case", ["no run yet", *ENDED])
def test_a_job_that_does_not_run_is_started_once(case: str, results: dict[str, dict[str, Any]]) -> None:
    assert results[case]["runs"] == [*CASES[case], "STARTING"]


@pytest.mark.parametrize("case", [*ACTIVE, "a refused start is newer than the run", UNSEEN])
def test_beside_an_active_run_no_start_is_tried(case: str, results: dict[str, dict[str, Any]]) -> None:
    assert results[case]["runs"] == CASES[case]


def test_nothing_else_starts_the_job() -> None:
    with pytest.raises(LookupError):
        ingestion_resource("aws_glue_trigger", "keep_running")
