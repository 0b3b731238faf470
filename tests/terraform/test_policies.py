"""checkov on every module: no check fails, and every suppression has a reason and is still needed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

SUPPRESSION = re.compile(r"#\s*checkov:skip=(?P<check>CKV2?_[A-Z]+_\d+):(?P<reason>.*)")

SHORTEST_REASON = 30
"""Characters; a reason that can be checked is a sentence."""


class Findings(msgspec.Struct, frozen=True):
    """checkov's results, as (check, file and resource)."""

    failed: frozenset[tuple[str, str]]
    skipped: frozenset[tuple[str, str]]
    passed: int


def scan(checkov: Path, folder: Path) -> Findings:
    command = [
        str(checkov),
        "--directory",
        str(folder),
        "--framework",
        "terraform",
        "--skip-download",
        "--output",
        "json",
    ]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr.decode()[-4000:]
    document: dict[str, Any] = json.loads(done.stdout)
    results = document["results"]
    assert not results["parsing_errors"]

    def named(kind: str) -> frozenset[tuple[str, str]]:
        # One suppression covers every instance of a for_each and every use of a module, so both are removed from the name.
        places = ((entry["check_id"], f"{entry['file_path']} {entry['resource']}") for entry in results[kind])
        return frozenset((check, re.sub(r"module\.\w+\.|\[[^\]]*\]", "", place)) for check, place in places)

    return Findings(named("failed_checks"), named("skipped_checks"), len(results["passed_checks"]))


@pytest.fixture(scope="module")
def sources(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("policies") / "terraform"
    shutil.copytree(
        repository / "terraform",
        folder,
        ignore=shutil.ignore_patterns(".terraform", "tests", "*.tfstate*"),
    )
    return folder


@pytest.fixture(scope="module")
def findings(infra_tools: Path, sources: Path) -> Findings:
    return scan(infra_tools / "checkov", sources)


@pytest.fixture(scope="module")
def unsuppressed(infra_tools: Path, sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Findings:
    folder = tmp_path_factory.mktemp("unsuppressed") / "terraform"
    shutil.copytree(sources, folder)
    for file in folder.rglob("*.tf"):
        file.write_text(file.read_text().replace("checkov:skip=", "was: "))
    # Modules are also scanned alone: checkov reports some expressions only there, and cannot evaluate them with all variables.
    whole = scan(infra_tools / "checkov", folder)
    alone = scan(infra_tools / "checkov", folder / "modules")
    inside = {(check, f"/modules{place}") for check, place in alone.failed}
    return Findings(whole.failed | inside, whole.skipped, whole.passed)


def test_no_policy_fails(findings: Findings) -> None:
    assert findings.failed == frozenset()
    assert findings.passed > 300


def test_every_suppression_is_still_needed(findings: Findings, unsuppressed: Findings) -> None:
    assert unsuppressed.failed, "nothing fails without the suppressions: nothing was scanned"
    assert sorted(findings.skipped - unsuppressed.failed) == []


def test_every_suppression_gives_a_reason_that_can_be_checked(repository: Path) -> None:
    found = [
        (file.relative_to(repository), match["check"], match["reason"].strip())
        for file in (repository / "terraform").rglob("*.tf")
        if ".terraform" not in file.parts
        for match in SUPPRESSION.finditer(file.read_text())
    ]

    assert found
    short = [
        f"{file} {check}: {reason}"
        for file, check, reason in found
        if len(reason) < SHORTEST_REASON and not reason.lower().startswith("as ckv")
    ]
    assert short == []
