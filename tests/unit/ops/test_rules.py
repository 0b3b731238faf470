"""What somebody proposes at a command line waits for somebody else, and is followed to its end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from contract.ruleset_change import GUARDRAILS, ChangeKind, ChangeState, RulesetChange, make_change
from contract.ruleset_draft import Draft
from ops import rules
from ops.errors import OpsError
from tests.support.deployer_world import FIRST, SECOND, DeployerWorld
from tests.support.moto_aws import aws
from tests.support.rules_environment import OUTPUTS, Validator
from tests.support.ruleset_world import BUCKET, NOW, RulesetWorld

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["aws"]


@pytest.fixture
def world(aws: Callable[[str], Any]) -> DeployerWorld:
    return DeployerWorld(aws("dynamodb"), aws("s3"))


def _propose(world: DeployerWorld, by: str = "ann", **draft: Any) -> RulesetChange:
    wanted = Draft(**{"kind": ChangeKind.TO_ALL, "digest_before": None, "document": SECOND} | draft)
    desk = rules.make_desk(world.dynamodb, world.s3, rules.Place(world.table, BUCKET, "validator"))
    return rules.propose(desk, Validator(world), "validator", wanted, by=by, reason="better", now=NOW)


def test_the_place_is_read_from_the_outputs() -> None:
    assert rules.place(OUTPUTS, "dev") == rules.Place(
        "ruleset_changes", BUCKET, "fraud-dev-rules_validator:live"
    )
    with pytest.raises(OpsError, match="dev has no ruleset yet; apply it first"):
        rules.place({}, "dev")


def test_a_proposal_is_made_from_the_active_ruleset_and_waits(world: DeployerWorld) -> None:
    change = _propose(world, kind=ChangeKind.CANDIDATE, share=10)

    active = world.desk.active()
    assert active is not None
    assert (change.state, change.digest_before, change.candidate_share) == (
        ChangeState.PROPOSED,
        active.digest,
        10,
    )
    assert world.desk.open_changes() == [change]


def test_a_bad_ruleset_is_refused_with_its_lines(world: DeployerWorld) -> None:
    with pytest.raises(
        OpsError, match=r"The ruleset is refused:\nline 7: the ruleset has no field 'nonsense'"
    ):
        _propose(world, document=SECOND + "nonsense: 1\n")
    with pytest.raises(OpsError, match=r"It could not be proposed: .*changes nothing"):
        _propose(world, document=FIRST)


def test_before_the_active_ruleset_is_known_nothing_is_proposed(aws: Callable[[str], Any]) -> None:
    empty = RulesetWorld(aws("dynamodb"), aws("s3"))
    functions: Any = None

    with pytest.raises(OpsError, match="the guardrails look each minute"):
        rules.propose(
            empty.desk,
            functions,
            "v",
            Draft(kind=ChangeKind.WITHDRAWN, digest_before=None),
            by="a",
            reason="r",
            now=NOW,
        )


def test_another_person_approves_and_follows_it_until_it_is_deployed(world: DeployerWorld) -> None:
    change = _propose(world)
    approved = rules.decide(world.desk, "approve", change.change_id, "bob", "fine", NOW)
    said = list[str]()

    done = rules.follow(world.desk, change.change_id, said.append, lambda _: assert_deployed(world))

    assert approved.state is ChangeState.APPROVED
    assert done.state is ChangeState.DEPLOYED
    assert said == [f"{change.change_id}: approved", f"{change.change_id}: deployed"]


def assert_deployed(world: DeployerWorld) -> None:
    """What the function does while somebody waits."""
    assert "0 are still" in world.deployer.run()


def test_a_failure_is_an_error_with_its_reason(world: DeployerWorld) -> None:
    first, second = world.approved(document=SECOND), world.approved(minute=1, document=SECOND + "# again\n")
    world.deployer.run()

    with pytest.raises(
        OpsError, match=f"{second.change_id} is failed: it was made from ruleset {first.digest_before}"
    ):
        rules.follow(world.desk, second.change_id, lambda _: None)
    with pytest.raises(OpsError, match="There is no such change"):
        rules.follow(world.desk, "none", lambda _: None)


@pytest.mark.parametrize(
    ("decision", "by", "sentence"),
    [
        ("approve", "ann", "neither approves nor rejects it"),
        ("reject", "ann", "neither approves nor rejects it"),
        ("retract", "bob", "Only its author retracts a change"),
    ],
)
def test_a_refusal_is_a_sentence(world: DeployerWorld, decision: str, by: str, sentence: str) -> None:
    change = _propose(world)

    with pytest.raises(OpsError, match=sentence):
        rules.decide(world.desk, decision, change.change_id, by, None, NOW)


def test_the_listing_has_what_waits_and_what_was_made(world: DeployerWorld) -> None:
    waiting = _propose(world, kind=ChangeKind.CANDIDATE, share=2.5)
    made = make_change(
        changed_at=NOW - timedelta(days=1),
        digest_after="0123456789ab",
        kind=ChangeKind.SUSPENDED,
        changed_by=GUARDRAILS,
        reason="held too often",
        version_after="1",
    )
    world.rows.put(made)

    text = rules.listing(world.desk.open_changes(), world.desk.history(NOW))

    assert text == (
        f"{waiting.change_id}  proposed candidate: version 1, candidate 2 for 2.5%; ann: better\n\n"
        f"{made.change_id}  deployed suspended: version 1; guardrails: held too often"
    )
    assert rules.listing([], []) == "No change waits.\n"
