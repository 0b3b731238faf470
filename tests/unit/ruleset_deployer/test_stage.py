"""An approved change is deployed as it was approved, once; what is not approved, not good or not current is not deployed, and its row says why."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from common.ruleset_bucket import put_proposal
from contract.active_ruleset import active_position
from contract.items import to_item
from contract.ruleset_change import (
    OPEN,
    ChangeKind,
    ChangeState,
    ListEntry,
    document_digest,
    document_sha256,
    make_change,
)
from engine.rules.check import check_ruleset
from ruleset_deployer.metrics import Metric
from tests.support.deployer_world import FIRST, SECOND, THIRD, DeployerWorld
from tests.support.ruleset_world import BUCKET, NOW

if TYPE_CHECKING:
    from collections.abc import Callable

ENTRY = ListEntry(list_name="denied", value="d-1")


@pytest.fixture
def world(aws: Callable[[str], Any]) -> DeployerWorld:
    return DeployerWorld(aws("dynamodb"), aws("s3"))


def test_an_approved_change_is_deployed_byte_by_byte_and_recorded(world: DeployerWorld) -> None:
    change = world.approved(document=SECOND)

    sentence = world.deployer.run()

    assert world.deployed() == [FIRST.encode(), SECOND.encode()]
    done = world.stored(change)
    assert (done.state, done.deployment, done.ended_at) == (ChangeState.DEPLOYED, 2, world.now)
    assert (done.failure, done.open_in) == (None, None)
    started = world.appconfig.deployments[-1]
    assert started["Description"] == f"change {change.change_id}: a better one"
    assert (
        world.s3.get_object(Bucket=BUCKET, Key=f"rulesets/{change.digest_after}")["Body"].read()
        == SECOND.encode()
    )
    active = world.desk.active()
    assert active is not None
    assert (active.digest, active.version, active.deployment) == (change.digest_after, "2", 2)
    assert world.emitted == {Metric.CHANGES_DEPLOYED: 1, Metric.OLDEST_SECONDS: 0}
    assert sentence == "Of 1 approved changes 0 are still to be deployed."


def test_nothing_that_is_not_approved_is_deployed(world: DeployerWorld) -> None:
    waiting = world.propose(document=SECOND, made_from=FIRST)
    rejected = world.propose(document=THIRD, made_from=FIRST)
    world.desk.reject(rejected.change_id, "bob", None, world.now)

    world.deployer.run()

    assert world.deployed() == [FIRST.encode()]
    assert world.stored(waiting).state is ChangeState.PROPOSED


@pytest.mark.parametrize(
    ("kind", "draft", "strategy"),
    [
        (ChangeKind.SHADOW, {"document": SECOND}, "gradual"),
        (ChangeKind.CANDIDATE, {"document": SECOND, "share": 10}, "gradual"),
        (ChangeKind.LISTS, {"list_entries": (ENTRY,)}, "at-once"),
    ],
)
def test_rulesets_are_deployed_step_by_step_and_entries_of_lists_at_once(
    world: DeployerWorld, kind: ChangeKind, draft: Any, strategy: str
) -> None:
    change = world.approved(kind, **draft)

    world.deployer.run()

    assert world.stored(change).state is ChangeState.DEPLOYED
    assert world.appconfig.deployments[-1]["DeploymentStrategyId"] == strategy
    active = world.desk.active()
    assert active is not None
    assert active.candidate_share == change.candidate_share


def test_a_withdrawal_stops_the_deployment_of_its_candidate_and_is_deployed_at_once(
    world: DeployerWorld,
) -> None:
    candidate = world.approved(ChangeKind.CANDIDATE, document=SECOND, share=10)
    world.appconfig.state_of_new = "DEPLOYING"
    world.deployer.run()
    withdrawal = world.approved(
        ChangeKind.WITHDRAWN, minute=2, made_from=world.desk.document_after(candidate)
    )

    world.appconfig.state_of_new = "COMPLETE"
    world.deployer.run()
    world.deployer.run()

    assert [each["State"] for each in world.appconfig.deployments] == ["COMPLETE", "ROLLED_BACK", "COMPLETE"]
    assert world.appconfig.deployments[-1]["DeploymentStrategyId"] == "at-once"
    assert check_ruleset(world.appconfig.active, "after").candidate is None
    assert (world.stored(candidate).state, world.stored(withdrawal).state) == (
        ChangeState.FAILED,
        ChangeState.DEPLOYED,
    )


def test_a_deployment_that_takes_its_time_is_followed_to_its_end(world: DeployerWorld) -> None:
    change = world.approved(document=SECOND)
    world.appconfig.state_of_new = "DEPLOYING"

    world.deployer.run()
    under_way = world.stored(change)
    world.now += timedelta(minutes=20)
    world.deployer.run()
    oldest = world.emitted[Metric.OLDEST_SECONDS]
    world.appconfig.deployments[-1]["State"] = "COMPLETE"
    world.deployer.run()

    assert (under_way.state, under_way.deployment, under_way.open_in) == (ChangeState.DEPLOYING, 2, OPEN)
    assert oldest == 9.5 * 60 + 29.5 * 60
    assert world.stored(change).state is ChangeState.DEPLOYED
    assert len(world.appconfig.deployments) == 2


@pytest.mark.parametrize("state", ["ROLLED_BACK", "REVERTED"])
def test_a_deployment_that_was_undone_is_a_failure_with_appconfig_s_reason(
    world: DeployerWorld, state: str
) -> None:
    change = world.approved(document=SECOND)
    world.appconfig.state_of_new = "DEPLOYING"
    world.deployer.run()
    world.appconfig.deployments[-1]["State"] = state
    world.appconfig.deployments[-1]["EventLog"].insert(0, {"Description": "the alarm was raised"})

    world.deployer.run()

    done = world.stored(change)
    assert (done.state, done.failure) == (
        ChangeState.FAILED,
        f"deployment 2 is {state.lower()}: the alarm was raised",
    )
    assert world.emitted[Metric.CHANGES_FAILED] == 1


def test_a_change_waits_while_another_deployment_is_under_way(world: DeployerWorld) -> None:
    change = world.approved(document=SECOND)
    world.appconfig.deployments[-1]["State"] = "BAKING"

    world.deployer.run()
    before = world.deployed()
    world.appconfig.deployments[-1]["State"] = "COMPLETE"
    world.deployer.run()

    assert before == [FIRST.encode()]
    assert world.stored(change).state is ChangeState.DEPLOYED


def test_of_two_changes_from_one_ruleset_the_second_is_stale(world: DeployerWorld) -> None:
    first, second = world.approved(document=SECOND), world.approved(document=THIRD, minute=1)

    world.deployer.run()

    assert world.deployed() == [FIRST.encode(), SECOND.encode()]
    assert world.stored(first).state is ChangeState.DEPLOYED
    done = world.stored(second)
    assert done.state is ChangeState.FAILED
    assert done.failure == (
        f"it was made from ruleset {first.digest_before}, and {first.digest_after} is active now; "
        "make it again from that"
    )


def test_what_the_guardrails_changed_meanwhile_makes_a_change_stale(world: DeployerWorld) -> None:
    change = world.approved(document=SECOND)
    world.appconfig.deploy(THIRD.encode())  # the row that says so is a minute behind

    world.deployer.run()

    assert world.stored(change).state is ChangeState.FAILED
    assert world.appconfig.active == THIRD.encode()


def _forged(world: DeployerWorld, document: str, **values: Any) -> Any:
    """A row that says that it is approved, as one with every right on the table could write it."""
    data = document.encode()
    fields: dict[str, Any] = {
        "changed_at": NOW,
        "digest_after": document_digest(data),
        "sha256_after": document_sha256(data),
        "kind": ChangeKind.TO_ALL,
        "state": ChangeState.APPROVED,
        "open_in": OPEN,
        "changed_by": "ann",
        "decided_by": "bob",
        "decided_at": NOW,
        "reason": "a try",
        "digest_before": document_digest(FIRST.encode()),
        "version_after": "2",
    }
    change = make_change(**fields | values)
    put_proposal(world.s3, BUCKET, data)
    world.rows.put(change)
    return change


@pytest.mark.parametrize(
    ("document", "values", "failure"),
    [
        (SECOND, {"decided_by": "ann"}, "no other person has approved it"),
        (SECOND, {"decided_by": None}, "no other person has approved it"),
        (SECOND, {"kind": ChangeKind.SUSPENDED}, "nobody proposes that something is suspended"),
        (SECOND, {"version_after": "7"}, "the row says other versions or another share than the document"),
        (SECOND, {"digest_after": "0123456789ab"}, "the row says other versions"),
        (SECOND + "nonsense: 1\n", {}, "ruleset:7:1: the ruleset has no field 'nonsense'"),
        (SECOND, {"kind": ChangeKind.LISTS, "list_entries": (ENTRY,)}, "of the kind 'lists'"),
        (SECOND, {"kind": ChangeKind.LISTS}, "no entry is named"),
        (SECOND, {"kind": ChangeKind.SHADOW}, "of the kind 'shadow'"),
        (SECOND, {"kind": ChangeKind.WITHDRAWN}, "the document has no candidate"),
    ],
)
def test_a_row_that_says_something_else_than_its_document_is_refused(
    world: DeployerWorld, document: str, values: dict[str, Any], failure: str
) -> None:
    change = _forged(world, document, **values)

    world.deployer.run()

    done = world.stored(change)
    assert done.state is ChangeState.FAILED
    assert failure in (done.failure or "")
    assert world.deployed() == [FIRST.encode()]


@pytest.mark.parametrize("body", [b"version: evil", None])
def test_a_document_that_was_replaced_or_is_gone_is_not_deployed(
    world: DeployerWorld, body: bytes | None
) -> None:
    change = world.approved(document=SECOND)
    key = f"proposals/{change.sha256_after}"
    if body is None:
        world.s3.delete_object(Bucket=BUCKET, Key=key)
    else:
        world.s3.put_object(Bucket=BUCKET, Key=key, Body=body)

    world.deployer.run()

    done = world.stored(change)
    assert done.state is ChangeState.FAILED
    assert key in (done.failure or "")
    assert world.deployed() == [FIRST.encode()]


def test_a_document_that_appconfig_refuses_is_a_failure(
    world: DeployerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = world.approved(document=SECOND)

    def refuse(**_: Any) -> Any:
        raise ClientError(
            {"Error": {"Code": "BadRequestException", "Message": "the validator says no"}}, "StartDeployment"
        )

    monkeypatch.setattr(world.appconfig, "start_deployment", refuse)
    world.deployer.run()

    done = world.stored(change)
    assert done.state is ChangeState.FAILED
    assert "the validator says no" in (done.failure or "")


def test_who_is_overtaken_between_the_row_and_the_deployment_overwrites_nothing(
    world: DeployerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = world.approved(document=SECOND)
    start = world.appconfig.start_deployment

    def overtaken(**sent: Any) -> Any:
        world.appconfig.deploy(THIRD.encode())
        return start(**sent)

    monkeypatch.setattr(world.appconfig, "start_deployment", overtaken)
    world.deployer.run()
    between = world.stored(change)
    world.deployer.run()

    assert between.state is ChangeState.DEPLOYING
    assert world.stored(change).failure == "another ruleset was deployed first; make it again from that"
    assert world.appconfig.active == THIRD.encode()


def test_what_cannot_be_done_now_keeps_no_other_change_waiting(
    world: DeployerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, other = world.approved(document=SECOND), world.approved(document=THIRD, minute=1)
    read = world.s3.get_object

    def fail(**asked: Any) -> Any:
        if asked["Key"].endswith(broken.sha256_after or "-"):
            raise ClientError({"Error": {"Code": "SlowDown"}}, "GetObject")
        return read(**asked)

    monkeypatch.setattr(world.s3, "get_object", fail)
    with pytest.raises(ClientError, match="SlowDown"):
        world.deployer.run()
    monkeypatch.undo()

    assert world.stored(broken).state is ChangeState.APPROVED
    assert world.stored(other).state is ChangeState.DEPLOYED
    assert world.lines[0][1]["change"] == broken.change_id


def test_without_any_deployment_there_is_nothing_to_change(aws: Callable[[str], Any]) -> None:
    world = DeployerWorld(aws("dynamodb"), aws("s3"))
    change = world.approved(document=SECOND)
    world.appconfig.deployments.clear()

    world.deployer.run()

    assert "no ruleset is deployed" in (world.stored(change).failure or "")


def test_a_change_that_was_retracted_while_the_index_was_behind_is_left_alone(world: DeployerWorld) -> None:
    change = world.approved(document=SECOND)
    rows = world.make_deployer()._rows
    listed = list(rows.open_changes())
    world.desk.retract(change.change_id, "ann", None, world.now)
    world.deployer._rows.open_changes = lambda: listed  # type: ignore[method-assign]

    world.deployer.run()

    assert world.stored(change).state is ChangeState.RETRACTED
    assert world.deployed() == [FIRST.encode()]


def test_a_deployment_that_appconfig_does_not_know_yet_is_an_error_and_not_a_failure_of_the_change(
    world: DeployerWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = world.approved(document=SECOND)
    known = world.appconfig.get_deployment

    def behind(**asked: Any) -> dict[str, Any]:
        if asked["DeploymentNumber"] == 2:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetDeployment")
        return known(**asked)

    with monkeypatch.context() as patched:
        patched.setattr(world.appconfig, "get_deployment", behind)
        with pytest.raises(Exception, match="deployment 2 of a ruleset is gone"):
            world.deployer.run()
    assert world.stored(change).state is ChangeState.DEPLOYING
    world.deployer.run()

    assert world.stored(change).state is ChangeState.DEPLOYED


def test_the_row_of_the_active_ruleset_follows_a_rollback_by_the_guardrails_alone(
    world: DeployerWorld,
) -> None:
    change = world.approved(document=SECOND)
    world.deployer.run()
    active = world.desk.active()
    assert active is not None

    undone = msgspec.structs.replace(
        active, digest="0123456789ab", position=active_position(2, is_undone=True)
    )
    world.rows.put_active(undone)
    world.deployer.run()

    assert world.desk.active() == undone
    assert world.stored(change).state is ChangeState.DEPLOYED


def test_a_row_that_cannot_be_read_keeps_no_approved_change_waiting(world: DeployerWorld) -> None:
    change = world.approved(document=SECOND)
    bad = to_item(world.stored(change)) | {
        "change_key": {"S": "2026-12-01T09:00:00.000000Z#0123456789ab"},
        "kind": {"S": "of_a_newer_version"},
    }
    world.dynamodb.put_item(TableName=world.table, Item=bad)

    world.deployer.run()

    assert world.appconfig.active == SECOND.encode()
    assert world.stored(change).state is ChangeState.DEPLOYED
    assert [each.change_id for each in world.desk.open_changes()] == []
