"""The demo as a person runs it, in a process of its own: with another project's transactions, and interrupted by Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from lab.datasets.sample import MAPPING, make_sample
from ops.manifests import ROOT

if TYPE_CHECKING:
    from pathlib import Path

RUN_SECONDS = 180
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "functions"), str(ROOT)])}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Transactions of another project's generator, with its fraud labels."""
    file = tmp_path_factory.mktemp("sample") / "synccfd.csv"
    make_sample(file, rows=1_000)
    return file


def demo(build_dir: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "local.demo", "--build-dir", str(build_dir), *arguments]


def leftovers(build_dir: Path) -> list[str]:
    """Processes whose command line names the run's folder."""
    command_lines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    return [" ".join(line) for line in command_lines if any(str(build_dir) in part for part in line)]


def test_foreign_transactions_are_accounted_for_from_the_file_to_the_alert(
    sample: Path, tmp_path: Path
) -> None:
    command = demo(tmp_path, "--data", str(sample), "--map", str(MAPPING))

    run = subprocess.run(
        command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=RUN_SECONDS, check=False
    )

    assert run.returncode == 0, run.stdout + run.stderr
    report = json.loads((tmp_path / "demo-report.json").read_text())
    assert report["reconciled"] is True
    assert report["generated"] == report["published"] == report["history"] == 1_000
    assert report["flagged"] == report["alerts"] + report["suppressed"]
    assert report["dead_letters"] == report["quarantined"] == 0
    assert report["detection"]["fraud"] > 0
    assert leftovers(tmp_path) == []


def test_ctrl_c_stops_everything_that_was_started(tmp_path: Path) -> None:
    with subprocess.Popen(
        demo(tmp_path, "--transactions", "2000"),
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as run:
        assert run.stdout is not None
        seen = []
        for line in run.stdout:
            seen.append(line)
            if "making tables" in line:
                break
        assert len(leftovers(tmp_path)) > 1, seen

        os.kill(run.pid, signal.SIGINT)
        output = run.stdout.read()

    assert run.returncode == 130, output
    assert leftovers(tmp_path) == []
