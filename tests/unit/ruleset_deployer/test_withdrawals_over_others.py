"""A withdrawal while another change's champion is deployed step by step: the champion before decides afterwards, at whatever call a run dies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from contract.ruleset_change import ChangeKind, ChangeState
from engine.rules.check import check_ruleset
from tests.support.deployer_world import FIRST, LISTS_HEAD, DeployerWorld
from tests.support.dying import Calls, Died, die
from tests.support.rule_samples import document

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.ruleset_change import RulesetChange

CANDIDATE = {"version": "c1", "share": 10, "thresholds": {"review": 1, "block": 99}, "rules": []}
BEFORE = document(head=LISTS_HEAD + f"candidate: {json.dumps(CANDIDATE)}\n")
OTHER = BEFORE.replace('version: "1"', 'version: "2"').replace("block: 80", "block: 90")
"""Another champion beside the same candidate."""


def _world(
    aws: Callable[[str], Any], stopped: str, made_from: str = OTHER
) -> tuple[DeployerWorld, RulesetChange, RulesetChange]:
    """The other change's deployment is under way, and the withdrawal is approved."""
    world = DeployerWorld(aws("dynamodb"), aws("s3"))
    world.appconfig.deploy(BEFORE.encode(), content_type="application/x-yaml")
    world.activate(BEFORE, 2)
    other = world.approved(made_from=BEFORE, document=OTHER)
    world.appconfig.state_of_new = "DEPLOYING"
    if made_from == BEFORE:
        # It is approved while the run that starts the other one is between its steps.
        approved: list[RulesetChange] = []
        calls = Calls(
            0,
            lambda _: approved.append(world.approved(ChangeKind.WITHDRAWN, made_from=BEFORE, minute=1)),
            after=True,
        )
        world.make_deployer(calls.seen_by(world.dynamodb)).run()
        withdrawal = approved[0]
    else:
        world.deployer.run()
        withdrawal = world.approved(ChangeKind.WITHDRAWN, made_from=OTHER, minute=1)
    assert world.stored(other).deployment == 3
    world.appconfig.state_of_new = "COMPLETE"
    world.appconfig.state_of_stopped = stopped
    return world, other, withdrawal


def _run(world: DeployerWorld, calls: Calls) -> None:
    clients = (world.dynamodb, world.s3, world.appconfig)
    world.make_deployer(*(calls.seen_by(client) for client in clients)).run()


def _finish(world: DeployerWorld) -> None:
    world.deployer.run()
    for deployment in world.appconfig.deployments:
        if deployment["State"] == "ROLLING_BACK":
            deployment["State"] = "ROLLED_BACK"
    world.deployer.run()
    world.deployer.run()


def _assert_champion_before_decides(
    world: DeployerWorld, other: RulesetChange, withdrawal: RulesetChange
) -> None:
    after = check_ruleset(world.appconfig.active, "after")
    assert (after.version, after.candidate) == ("1", None)
    assert after.thresholds == check_ruleset(BEFORE.encode(), "before").thresholds
    states = [each["State"] for each in world.appconfig.deployments]
    assert states == ["COMPLETE", "COMPLETE", "ROLLED_BACK", "COMPLETE"]
    done = world.stored(withdrawal)
    assert (done.state, done.deployment, done.version_after) == (ChangeState.DEPLOYED, 4, "1")
    assert done.deployed_digest == after.digest
    assert world.stored(other).state is ChangeState.FAILED


LAST = {"ROLLED_BACK": 32, "ROLLING_BACK": 23}
"""Calls of a run that follows the other change, stops its deployment, and deploys the withdrawal if it need not wait; a test holds it to that."""


@pytest.mark.parametrize("stopped", LAST)
def test_a_run_makes_the_calls_at_which_the_tests_let_it_die(aws: Callable[[str], Any], stopped: str) -> None:
    world, _, _ = _world(aws, stopped)
    calls = Calls(-1, die, after=False)

    _run(world, calls)

    assert len(calls.names) == LAST[stopped]
    assert "stop_deployment" in calls.names
    assert ("start_deployment" in calls.names) == (stopped == "ROLLED_BACK")


@pytest.mark.parametrize("made_from", [BEFORE, OTHER], ids=["from the one before", "from the other"])
@pytest.mark.parametrize("stopped", LAST)
def test_a_withdrawal_deploys_no_champion_of_a_deployment_that_it_stops(
    aws: Callable[[str], Any], stopped: str, made_from: str
) -> None:
    world, other, withdrawal = _world(aws, stopped, made_from)

    _finish(world)

    _assert_champion_before_decides(world, other, withdrawal)


@pytest.mark.parametrize(("stopped", "at"), [(state, at) for state in LAST for at in range(LAST[state])])
def test_a_run_that_dies_after_any_call_leaves_the_champion_before(
    aws: Callable[[str], Any], stopped: str, at: int
) -> None:
    world, other, withdrawal = _world(aws, stopped)

    with pytest.raises(Died):
        _run(world, Calls(at, die, after=True))
    _finish(world)

    _assert_champion_before_decides(world, other, withdrawal)


@pytest.mark.parametrize("at", range(LAST["ROLLED_BACK"]))
def test_two_runs_side_by_side_leave_the_champion_before(aws: Callable[[str], Any], at: int) -> None:
    world, other, withdrawal = _world(aws, "ROLLED_BACK")

    _run(world, Calls(at, lambda _: _finish(world), after=True))
    _finish(world)

    _assert_champion_before_decides(world, other, withdrawal)


def test_a_withdrawal_waits_while_the_first_deployment_of_all_is_under_way(aws: Callable[[str], Any]) -> None:
    """Without it nothing would decide."""
    world = DeployerWorld(aws("dynamodb"), aws("s3"))
    world.appconfig.documents.clear()
    world.appconfig.deployments.clear()
    world.appconfig.deploy(BEFORE.encode(), "DEPLOYING", content_type="application/x-yaml")
    world.activate(BEFORE, 2)
    withdrawal = world.approved(ChangeKind.WITHDRAWN, made_from=BEFORE)

    world.deployer.run()
    while_under_way = [each["State"] for each in world.appconfig.deployments]
    world.appconfig.deployments[0]["State"] = "COMPLETE"
    world.deployer.run()

    assert while_under_way == ["DEPLOYING"]
    assert world.stored(withdrawal).state is ChangeState.DEPLOYED
    assert check_ruleset(world.appconfig.active, "after").candidate is None


def test_a_withdrawal_of_a_candidate_that_no_side_of_a_deployment_has_fails_and_stops_nothing(
    aws: Callable[[str], Any],
) -> None:
    world = DeployerWorld(aws("dynamodb"), aws("s3"))
    world.activate(BEFORE, 2)
    withdrawal = world.approved(ChangeKind.WITHDRAWN, made_from=BEFORE)
    world.appconfig.deploy(FIRST.encode(), "DEPLOYING", content_type="application/x-yaml")

    world.deployer.run()

    assert [each["State"] for each in world.appconfig.deployments] == ["COMPLETE", "DEPLOYING"]
    assert world.stored(withdrawal).state is ChangeState.FAILED
