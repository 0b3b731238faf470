"""However a run ends, dies, or is repeated beside another one, a change is deployed once, and its row says so in the end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from contract.ruleset_change import ChangeKind, ChangeState, document_digest
from engine.rules.check import check_ruleset
from ruleset_deployer.metrics import Metric
from ruleset_deployer.store import DeployedRows
from tests.support.appconfig_memory import MemoryAppConfig
from tests.support.deployer_world import FIRST, LISTS_HEAD, SECOND, DeployerWorld
from tests.support.dying import Calls, Died, die, throttle, time_out
from tests.support.rule_samples import document

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.ruleset_change import RulesetChange


def _run(world: DeployerWorld, calls: Calls) -> None:
    clients = (world.dynamodb, world.s3, world.appconfig)
    world.make_deployer(*(calls.seen_by(client) for client in clients)).run()


def _calls_of_a_run(aws: Callable[[str], Any]) -> list[str]:
    world = DeployerWorld(aws("dynamodb"), aws("s3"))
    world.approved(document=SECOND)
    calls = Calls(-1, die, after=False)
    _run(world, calls)
    return calls.names


LAST = 15
"""Calls of a run that deploys one change; a test holds it to that."""


def test_a_run_makes_the_calls_at_which_the_tests_let_it_die(aws: Callable[[str], Any]) -> None:
    names = _calls_of_a_run(aws)

    assert len(names) == LAST
    assert {"update_item", "put_object", "create_hosted_configuration_version", "start_deployment"} <= {
        *names
    }


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("act", [die, time_out, throttle])
@pytest.mark.parametrize("at", range(LAST))
def test_a_run_that_ends_at_any_call_is_finished_by_the_next(
    aws: Callable[[str], Any], at: int, act: Callable[[str], None], after: bool
) -> None:
    world = DeployerWorld(aws("dynamodb"), aws("s3"))
    change = world.approved(document=SECOND)

    with pytest.raises((Died, ReadTimeoutError, ClientError)):
        _run(world, Calls(at, act, after=after))
    world.deployer.run()
    world.deployer.run()

    assert world.deployed() == [FIRST.encode(), SECOND.encode()]
    done = world.stored(change)
    assert (done.state, done.deployment, done.failure) == (ChangeState.DEPLOYED, 2, None)
    assert world.desk.open_changes() == []
    assert world.emitted.get(Metric.CHANGES_DEPLOYED, 0) <= 1


@pytest.mark.parametrize("at", range(LAST))
def test_two_runs_side_by_side_deploy_once(aws: Callable[[str], Any], at: int) -> None:
    """A run that was slow, and goes on when another one has done everything meanwhile."""
    world = DeployerWorld(aws("dynamodb"), aws("s3"))
    change = world.approved(document=SECOND)

    _run(world, Calls(at, lambda _: void(world.deployer.run()), after=True))
    world.deployer.run()

    assert world.deployed() == [FIRST.encode(), SECOND.encode()]
    assert world.stored(change).state is ChangeState.DEPLOYED
    assert world.emitted[Metric.CHANGES_DEPLOYED] == 1


def void(_: object) -> None:
    """What a run says is of no interest here."""


def _with_candidate(share: int) -> str:
    candidate = {"version": "c1", "share": share, "thresholds": {"review": 1, "block": 99}, "rules": []}
    return document(head=LISTS_HEAD + f"candidate: {json.dumps(candidate)}\n")


AT_10, AT_50 = _with_candidate(10), _with_candidate(50)


def _withdrawal(aws: Callable[[str], Any], before: str) -> tuple[DeployerWorld, RulesetChange]:
    """An approved withdrawal of a candidate whose share grows just now, by a deployment under way."""
    world = DeployerWorld(aws("dynamodb"), aws("s3"))
    world.appconfig.deploy(before.encode(), content_type="application/x-yaml")
    world.appconfig.deploy(AT_50.encode(), "DEPLOYING", content_type="application/x-yaml")
    world.activate(AT_50, 3)
    return world, world.approved(ChangeKind.WITHDRAWN, made_from=AT_50)


def _calls_of_a_withdrawal(aws: Callable[[str], Any]) -> list[str]:
    world, _ = _withdrawal(aws, AT_10)
    calls = Calls(-1, die, after=False)
    _run(world, calls)
    return calls.names


LAST_OF_WITHDRAWAL = 28
"""Calls of a run that stops a deployment and deploys; a test holds it to that."""


def test_a_withdrawal_stops_the_deployment_under_way_and_deploys_in_one_run(
    aws: Callable[[str], Any],
) -> None:
    names = _calls_of_a_withdrawal(aws)

    assert len(names) == LAST_OF_WITHDRAWAL
    stopped, started = names.index("stop_deployment"), names.index("start_deployment")
    assert "list_deployments" in names[stopped:started], "it is made from what decides then"


def _assert_withdrawn(world: DeployerWorld, change: RulesetChange) -> None:
    marked = [each for each in world.appconfig.deployments if each["Description"].startswith("change ")]
    assert [each["State"] for each in marked] == ["COMPLETE"]
    assert check_ruleset(world.appconfig.active, "after").candidate is None
    done = world.stored(change)
    assert (done.state, done.failure) == (ChangeState.DEPLOYED, None)
    assert done.deployment == marked[0]["DeploymentNumber"]
    assert done.deployed_digest == document_digest(world.appconfig.active)
    assert world.desk.document_after(done).encode() == world.appconfig.active


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("before", [FIRST, AT_10], ids=["no candidate", "the candidate at 10%"])
@pytest.mark.parametrize("at", range(LAST_OF_WITHDRAWAL))
def test_a_withdrawal_over_a_running_deployment_ends_without_the_candidate_at_whatever_call_a_run_dies(
    aws: Callable[[str], Any], at: int, before: str, after: bool
) -> None:
    world, change = _withdrawal(aws, before)

    with pytest.raises(Died):
        _run(world, Calls(at, die, after=after))
    world.deployer.run()
    world.deployer.run()

    _assert_withdrawn(world, change)


def test_a_withdrawal_waits_until_what_it_stopped_is_rolled_back(aws: Callable[[str], Any]) -> None:
    world, change = _withdrawal(aws, AT_10)
    world.appconfig.state_of_stopped = "ROLLING_BACK"

    world.deployer.run()
    world.deployer.run()
    between = world.stored(change)
    world.appconfig.deployments[2]["State"] = "ROLLED_BACK"
    world.deployer.run()

    assert between.state is ChangeState.DEPLOYING
    _assert_withdrawn(world, change)


def test_a_withdrawal_whose_deployment_was_undone_before_it_began_takes_the_candidate_out_of_the_document_before(
    aws: Callable[[str], Any],
) -> None:
    world, change = _withdrawal(aws, AT_10)
    world.appconfig.deployments[2]["State"] = "ROLLED_BACK"

    world.deployer.run()

    _assert_withdrawn(world, change)


@pytest.mark.parametrize("is_begun", [False, True])
def test_a_withdrawal_that_another_change_overtook_takes_the_candidate_out_of_that_one(
    aws: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, is_begun: bool
) -> None:
    world, change = _withdrawal(aws, AT_10)
    if is_begun:
        with monkeypatch.context() as patched:
            patched.setattr(world.appconfig, "stop_deployment", lambda **_: die("stop_deployment"))
            with pytest.raises(Died):
                world.deployer.run()
        assert world.stored(change).begun_after == 3
    world.appconfig.deployments[2]["State"] = "COMPLETE"
    renamed = AT_50.replace('version: "1"', 'version: "7"')
    world.appconfig.deploy(renamed.encode(), content_type="application/x-yaml")

    world.deployer.run()
    world.deployer.run()

    _assert_withdrawn(world, change)
    assert world.stored(change).version_after == "7"


def test_a_withdrawal_of_a_candidate_that_is_gone_before_it_began_is_refused(
    aws: Callable[[str], Any],
) -> None:
    world, change = _withdrawal(aws, FIRST)
    world.appconfig.deployments[2]["State"] = "ROLLED_BACK"

    world.deployer.run()

    assert world.stored(change).state is ChangeState.FAILED
    assert world.appconfig.active == FIRST.encode()


@pytest.mark.parametrize("is_empty", [False, True])
def test_a_change_that_began_in_an_appconfig_that_is_gone_fails_and_keeps_no_other_waiting(
    aws: Callable[[str], Any], is_empty: bool
) -> None:
    world = DeployerWorld(aws("dynamodb"), aws("s3"))
    for number in range(2, 6):
        world.appconfig.deploy(FIRST.encode(), content_type="application/x-yaml")
        world.activate(FIRST, number)
    change = world.approved(document=SECOND)
    DeployedRows(world.dynamodb, world.table, world).begin(change, 5)
    world.appconfig = MemoryAppConfig()
    if not is_empty:
        world.appconfig.deploy(FIRST.encode(), content_type="application/x-yaml")

    world.make_deployer().run()

    assert world.stored(change).state is ChangeState.FAILED


@pytest.mark.parametrize("is_empty", [False, True])
def test_a_change_whose_deployment_is_gone_with_its_appconfig_fails_and_takes_no_other_for_its_own(
    aws: Callable[[str], Any], is_empty: bool
) -> None:
    world = DeployerWorld(aws("dynamodb"), aws("s3"))
    world.appconfig.state_of_new = "DEPLOYING"
    change = world.approved(document=SECOND)
    world.deployer.run()
    assert world.stored(change).deployment == 2
    world.appconfig = MemoryAppConfig()
    for document_of_others in [] if is_empty else [FIRST, FIRST]:
        world.appconfig.deploy(document_of_others.encode(), content_type="application/x-yaml")

    world.make_deployer().run()

    done = world.stored(change)
    assert done.state is ChangeState.FAILED
    assert done.failure is not None
    assert done.failure.startswith("AppConfig was created anew")


FOREIGN = FIRST.replace('version: "1"', 'version: "66"')
"""What nobody has approved."""


def _begun(world: DeployerWorld, change: RulesetChange, after: int) -> None:
    """A run dies before its deployment starts, and somebody with rights in AppConfig starts another under the change's name."""
    DeployedRows(world.dynamodb, world.table, world).begin(change, after)
    world.appconfig.deploy(FOREIGN.encode(), content_type="application/x-yaml")
    world.appconfig.deployments[-1]["Description"] = f"{change.deployment_mark} better"


def test_a_deployment_under_the_name_of_a_change_that_has_begun_is_not_taken_for_its_own(
    aws: Callable[[str], Any],
) -> None:
    world = DeployerWorld(aws("dynamodb"), aws("s3"))
    change = world.approved(document=SECOND)
    _begun(world, change, 1)

    world.deployer.run()

    done = world.stored(change)
    assert (done.state, done.deployment, done.digest_deployed) == (ChangeState.FAILED, None, None)


def test_a_deployment_under_the_name_of_a_withdrawal_that_has_begun_is_not_taken_for_its_own(
    aws: Callable[[str], Any],
) -> None:
    world, change = _withdrawal(aws, AT_10)
    world.appconfig.deployments[2]["State"] = "COMPLETE"
    _begun(world, change, 3)

    world.deployer.run()

    done = world.stored(change)
    assert (done.state, done.deployment, done.digest_deployed) == (ChangeState.FAILED, None, None)
