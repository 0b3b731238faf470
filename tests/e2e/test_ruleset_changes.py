"""From a proposal to the first payment that is decided by it: one person proposes a candidate, another approves it, and nobody deploys it by hand."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import yaml

from common.ruleset_desk import DeskRefusal
from contract.ruleset_change import (
    RULESET_CHANGES_TABLE,
    ChangeKind,
    ChangeState,
    RulesetChange,
)
from contract.ruleset_draft import Draft
from contract.scored import Decision
from contract.side import Side
from contract.transaction import encode_transaction
from engine.rules.sides import UserDraw
from local.event_sources.config import read_config
from local.redrive import LocalFunction
from local.stack import Stack
from ops import rules
from ops.manifests import ROOT

from .conftest import System
from .payments import new_user, payment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from common.ruleset_desk import RulesetDesk
    from contract.scored import ScoredTransaction

SHARE = 50.0
EVERY_PAYMENT = """
  - id: every_payment
    when: amount_base > 0.0
    points: 60
    reason: "A candidate that reviews everything."
"""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """What a change passes through: the function that deploys, the checker, and the stage that decides."""
    build_dir = tmp_path_factory.mktemp("stack")
    with Stack(build_dir) as stack:
        stack.start(print, ingestion=False, functions=["score", "ruleset_deployer"])
        yield System(stack, build_dir)


@pytest.fixture
def desk(system: System) -> RulesetDesk:
    where = rules.Place(
        system.stack.resources.tables[RULESET_CHANGES_TABLE],
        system.stack.resources.buckets["rules"],
        "rules_validator",
    )
    return rules.make_desk(system.stack.client("dynamodb"), system.stack.client("s3"), where)


@pytest.fixture
def validator(system: System) -> Iterator[LocalFunction]:
    with LocalFunction(read_config(system.stack.run_dir / "rules_validator.json")) as function:
        yield function


def _deployed(system: System, desk: RulesetDesk, validator: LocalFunction, wanted: Draft) -> RulesetChange:
    """Propose as one person, approve as another, and wait for the function that deploys."""
    change = rules.propose(
        desk,
        validator,
        "rules_validator",
        wanted,
        by="ann",
        reason="an end-to-end test",
        now=datetime.now(UTC),
    )
    own = desk.approve(change.change_id, "ann", None, datetime.now(UTC))
    other = desk.approve(change.change_id, "bob", None, datetime.now(UTC))
    assert own is DeskRefusal.OWN_CHANGE
    assert isinstance(other, RulesetChange)

    def done() -> RulesetChange | None:
        now = desk.change(change.change_id)
        return None if now is None or now.is_open else now

    return system.wait_for(done, "the deployment", seconds=150)


def _user_of(side: Side, draw: UserDraw) -> str:
    return next(user for user in iter(new_user, None) if draw.side_of(user) is side)


def test_an_approved_candidate_decides_for_its_users_and_a_withdrawn_one_for_nobody(
    system: System, desk: RulesetDesk, validator: LocalFunction
) -> None:
    version = f"e2e-{uuid.uuid4().hex[:8]}"
    default = (ROOT / "rules" / "default.yaml").read_text()
    lines = default.splitlines(keepends=True)
    text = "".join(f'version: "{version}"\n' if line.startswith("version:") else line for line in lines)
    candidate = text.rstrip("\n") + "\n" + EVERY_PAYMENT.lstrip("\n")
    users: dict[Side, str] = {}

    def newest(side: Side) -> ScoredTransaction | None:
        user = users[side]
        system.produce(encode_transaction(payment(user)), key=user)
        rows = system.history(user)
        return max(rows, key=lambda row: row.position.offset) if rows else None

    def decided_by_the_candidate() -> ScoredTransaction | None:
        row = newest(Side.CANDIDATE)
        return row if row is not None and row.side is Side.CANDIDATE else None

    started = _deployed(
        system,
        desk,
        validator,
        Draft(kind=ChangeKind.CANDIDATE, digest_before=None, document=candidate, share=SHARE),
    )
    try:
        key = yaml.safe_load(desk.document_after(started))["candidate"]["draw_key"]
        users |= {side: _user_of(side, UserDraw(version, SHARE, key)) for side in Side}
        theirs = system.wait_for(decided_by_the_candidate, "a decision of the candidate", seconds=60)
        ours = newest(Side.CHAMPION)
    finally:
        ended = _deployed(system, desk, validator, Draft(kind=ChangeKind.WITHDRAWN, digest_before=None))

    assert (started.state, started.candidate_version) == (ChangeState.DEPLOYED, version)
    assert theirs.ruleset_version.endswith(started.digest_after)
    assert theirs.decision is not Decision.APPROVE
    assert ours is None or ours.side is Side.CHAMPION
    assert (ended.state, ended.withdrawn_version) == (ChangeState.DEPLOYED, version)
    assert ended.digest_after != started.digest_after

    def decided_by_the_champion() -> ScoredTransaction | None:
        row = newest(Side.CANDIDATE)
        return row if row is not None and row.side is not Side.CANDIDATE else None

    after = system.wait_for(decided_by_the_champion, "a decision of the champion", seconds=60)
    assert after.ruleset_version.endswith(ended.digest_after)
