"""`make rules-local` goes the way of every change: a row that is approved, and the function that deploys, with its own zip and its own schedule."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from contract.ruleset_change import ChangeKind, ChangeState
from contract.ruleset_draft import Draft
from local.components.aws_api import make_client
from local.deploy_ruleset import APPROVER
from local.event_sources.config import read_config
from local.redrive import LocalFunction
from local.rulesets import Rulesets
from local.stack.stack import Stack
from ops import rules
from ops.manifests import ROOT
from tests.support.stack_commands import run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from common.ruleset_desk import RulesetDesk

DEFAULT = (ROOT / "rules" / "default.yaml").read_text()
OTHER = DEFAULT.replace('version: "', 'version: "other-')
SCHEDULE_SECONDS = 100


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of the deployer alone."""
    with Stack(tmp_path_factory.mktemp("rules")) as started:
        started.start(lambda _: None, ingestion=False, functions=["ruleset_deployer"])
        yield started


def _desk(stack: Stack) -> RulesetDesk:
    dynamodb, s3 = (make_client(service, stack.aws_endpoint) for service in ("dynamodb", "s3"))
    where = rules.Place("ruleset_changes", stack.resources.buckets["rules"], "rules_validator")
    return rules.make_desk(dynamodb, s3, where)


def _deploy(stack: Stack, file: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return run("local.deploy_ruleset", str(file), *options, build_dir=stack.run_dir.parent)


def test_a_file_becomes_the_candidate_and_then_the_ruleset_and_each_change_has_its_row(
    stack: Stack, tmp_path: Path
) -> None:
    file = tmp_path / "other.yaml"
    file.write_text(OTHER)

    first = _deploy(stack, file, "--share", "10", "--reason", "a try")
    candidate = Rulesets(stack.aws_endpoint, stack.resources.rules).active()
    second = _deploy(stack, file)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert candidate.startswith(DEFAULT)
    assert Rulesets(stack.aws_endpoint, stack.resources.rules).active() == OTHER
    newest, before = list(_desk(stack).history(datetime.now(UTC)))[:2]
    assert [(each.kind, each.state, each.decided_by) for each in (before, newest)] == [
        (ChangeKind.CANDIDATE, ChangeState.DEPLOYED, APPROVER),
        (ChangeKind.TO_ALL, ChangeState.DEPLOYED, APPROVER),
    ]
    assert (before.reason, before.candidate_share, newest.digest_before) == ("a try", 10, before.digest_after)


def test_a_bad_file_is_refused_with_its_line_and_leaves_no_row(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(OTHER + "nonsense: true\n")
    before = len(list(_desk(stack).history(datetime.now(UTC))))

    refused = _deploy(stack, file)

    assert refused.returncode == 1
    assert f"line {OTHER.count(chr(10)) + 1}: the ruleset has no field 'nonsense'" in refused.stderr
    assert len(list(_desk(stack).history(datetime.now(UTC)))) == before


def test_what_somebody_approves_is_deployed_by_the_schedule(stack: Stack) -> None:
    desk = _desk(stack)
    wanted = Draft(kind=ChangeKind.TO_ALL, digest_before=None, document=OTHER.replace("other-", "third-"))
    with LocalFunction(read_config(stack.run_dir / "rules_validator.json")) as validator:
        change = rules.propose(
            desk, validator, "rules_validator", wanted, by="ann", reason="r", now=datetime.now(UTC)
        )
    desk.approve(change.change_id, "bob", None, datetime.now(UTC))

    deadline = time.monotonic() + SCHEDULE_SECONDS
    while (now := desk.change(change.change_id)) is not None and now.is_open and time.monotonic() < deadline:
        time.sleep(0.5)

    assert now is not None
    assert now.state is ChangeState.DEPLOYED
    active = desk.active()
    assert active is not None
    assert active.digest == change.digest_after
