"""Each deployment has one row: its own where a change brought it, and one that the guardrails insert where nobody has written any."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from contract.ruleset_change import ChangeKind, document_digest, document_sha256, make_change
from engine.rollout.edits import without_candidate
from guardrails.metrics import Metric
from guardrails.records import UNKNOWN
from tests.support.appconfig_memory import START, MemoryAppConfig
from tests.support.dying import Calls, die
from tests.unit.guardrails.world import BAD, GOOD, LIMITED, NOW, PLAIN, ROLLOUT, World

if TYPE_CHECKING:
    from contract.ruleset_change import RulesetChange


def test_a_deployment_without_a_row_is_recorded_once_and_kept() -> None:
    world = World()
    digest = world.deployed(PLAIN, GOOD)

    for _ in range(2):
        world.stage.run()

    (change,) = world.rows
    assert (change.kind, change.changed_by, change.digest_after) == (ChangeKind.DEPLOYED, UNKNOWN, digest)
    assert (change.deployment, change.reason) == (1, "Deployment started")
    assert world.kept == {digest: PLAIN}


@pytest.mark.parametrize("is_new", [False, True], ids=["same process", "new process"])
def test_what_was_active_between_two_runs_only_has_its_row_and_is_kept(is_new: bool) -> None:
    world = World()
    first = world.deployed(PLAIN, GOOD)
    world.stage.run()
    world.appconfig.now += timedelta(seconds=10)
    second = world.deployed(ROLLOUT, GOOD)
    world.appconfig.now += timedelta(seconds=10)
    third = world.deployed(LIMITED, GOOD)
    if is_new:
        world.__post_init__()

    for _ in range(2):
        world.stage.run()

    assert [
        (each.kind, each.deployment, each.digest_after, each.candidate_version) for each in world.rows
    ] == [
        (ChangeKind.DEPLOYED, 1, first, None),
        (ChangeKind.DEPLOYED, 2, second, "2"),
        (ChangeKind.DEPLOYED, 3, third, None),
    ]
    assert world.kept == {first: PLAIN, second: ROLLOUT, third: LIMITED}


@pytest.mark.parametrize("is_seen", [False, True], ids=["unseen", "recorded before"])
def test_a_rollback_between_two_runs_is_recorded_with_what_decided_after_it(is_seen: bool) -> None:
    world = World()
    first = world.deployed(PLAIN, GOOD)
    world.stage.run()
    second = world.deployed(LIMITED, GOOD, "DEPLOYING")
    if is_seen:
        world.stage.run()
    world.appconfig.deployments[-1]["State"] = "ROLLED_BACK"
    third = world.deployed(ROLLOUT, GOOD)

    for _ in range(2):
        world.stage.run()
    world.__post_init__()
    world.stage.run()

    assert [
        (each.kind, each.deployment, each.digest_before, each.digest_after)
        for each in world.rows
        if each.deployment != 1
    ] == [
        *([(ChangeKind.DEPLOYED, 2, None, second)] if is_seen else []),
        (ChangeKind.ROLLED_BACK, 2, second, first),
        (ChangeKind.DEPLOYED, 3, None, third),
    ]
    assert world.kept[second] == LIMITED
    assert world.emitted[Metric.ROLLBACKS_RECORDED] == 1


def test_a_first_deployment_that_was_undone_is_recorded_as_what_it_brought() -> None:
    world = World()
    first = world.deployed(LIMITED, GOOD, "ROLLED_BACK")
    world.stage.run()
    second = world.deployed(PLAIN, GOOD)

    world.stage.run()

    assert [(each.kind, each.deployment, each.digest_after) for each in world.rows] == [
        (ChangeKind.DEPLOYED, 1, first),
        (ChangeKind.DEPLOYED, 2, second),
    ]
    assert Metric.ROLLBACKS_RECORDED not in world.emitted


def test_a_replaced_document_that_this_version_refuses_is_recorded_and_kept() -> None:
    world, refused = World(), b"rules: nothing"
    world.appconfig.deploy(refused)
    world.deployed(PLAIN, GOOD)

    world.stage.run()

    digest = document_digest(refused)
    assert [(each.digest_after, each.version_after) for each in world.rows if each.deployment == 1] == [
        (digest, UNKNOWN)
    ]
    assert world.kept[digest] == refused


def test_a_new_process_reads_no_document_of_a_deployment_that_a_row_names() -> None:
    world = World()
    for data in (PLAIN, ROLLOUT, LIMITED):
        world.deployed(data, GOOD)
        world.stage.run()
    calls = Calls(-1, die, after=False)

    world.process(calls.seen_by(world.appconfig)).run()

    assert calls.names.count("get_hosted_configuration_version") == 1
    assert len(world.rows) == 3


def test_a_replaced_deployment_of_an_approved_change_has_its_row_and_needs_no_other() -> None:
    world = World()
    _deployed_for(world, _approved(PLAIN, deployment=1), PLAIN)
    _deployed_for(world, _approved(LIMITED, begun_after=1, deployment=2), LIMITED)

    world.stage.run()

    assert world.rows == []


def test_a_rollback_after_its_deployment_was_recorded_is_recorded_too_by_the_same_process() -> None:
    world = World()
    world.deployed(PLAIN, GOOD)
    world.deployed(LIMITED, GOOD, "DEPLOYING")
    world.stage.run()
    world.appconfig.deployments[-1]["State"] = "ROLLED_BACK"

    for _ in range(3):
        world.stage.run()

    assert [(each.kind, each.deployment) for each in world.rows] == [
        (ChangeKind.DEPLOYED, 1),
        (ChangeKind.DEPLOYED, 2),
        (ChangeKind.ROLLED_BACK, 2),
    ]
    assert world.emitted[Metric.ROLLBACKS_RECORDED] == 1


def test_what_was_recorded_months_ago_is_not_recorded_again_by_a_new_process() -> None:
    world = World()
    world.deployed(ROLLOUT, BAD)
    world.appconfig.now = NOW + timedelta(seconds=2)
    world.stage.run()
    rows = list(world.rows)

    world.now += timedelta(days=62)
    world.__post_init__()
    world.stage.run()

    assert world.rows == rows


def test_a_rollback_is_recorded_with_both_digests() -> None:
    world = World()
    good = world.deployed(PLAIN, GOOD)
    bad = world.deployed(ROLLOUT, BAD, "ROLLED_BACK")

    world.stage.run()

    undone = next(each for each in world.rows if each.kind is ChangeKind.ROLLED_BACK)
    assert (undone.digest_before, undone.digest_after, undone.deployment) == (bad, good, 2)
    assert world.emitted[Metric.ROLLBACKS_RECORDED] == 1


def _approved(document: bytes, **changes: Any) -> RulesetChange:
    fields: dict[str, Any] = {
        "changed_at": NOW - timedelta(days=80),
        "digest_after": document_digest(document),
        "sha256_after": document_sha256(document),
        "kind": "to_all",
        "state": "deploying",
        "changed_by": "ann",
        "reason": "better",
        "version_after": "1",
        "decided_by": "bob",
        "begun_after": 0,
    }
    return make_change(**fields | changes)


def _deployed_for(world: World, change: RulesetChange, document: bytes, state: str = "COMPLETE") -> None:
    world.desk.append(change)
    world.deployed(document, GOOD, state)
    world.appconfig.deployments[-1]["Description"] = f"{change.deployment_mark} better"


@pytest.mark.parametrize("numbers", [{}, {"deployment": 1}])
def test_a_deployment_of_an_approved_change_has_its_row_and_needs_no_other(numbers: dict[str, int]) -> None:
    world = World()
    _deployed_for(world, _approved(PLAIN, **numbers), PLAIN)

    world.stage.run()
    before = list(world.rows)
    _deployed_for(world, _approved(ROLLOUT, begun_after=1), ROLLOUT, "ROLLED_BACK")
    world.stage.run()

    assert before == []
    assert [each.kind for each in world.rows] == [ChangeKind.ROLLED_BACK]


@pytest.mark.parametrize(
    "change",
    [
        _approved(LIMITED),
        _approved(PLAIN, sha256_after=document_sha256(LIMITED)),
        _approved(PLAIN, begun_after=7),
        _approved(PLAIN, begun_after=6, deployment=7),
        _approved(PLAIN, state="proposed", decided_by=None, begun_after=None),
        _approved(PLAIN, state="approved", begun_after=None),
        _approved(PLAIN, state="failed"),
    ],
)
def test_a_deployment_that_names_a_change_which_is_not_its_own_is_recorded(change: RulesetChange) -> None:
    world = World()
    _deployed_for(world, change, PLAIN)

    world.stage.run()

    (row,) = world.rows
    assert (row.kind, row.changed_by, row.digest_after) == (
        ChangeKind.DEPLOYED,
        UNKNOWN,
        document_digest(PLAIN),
    )


@pytest.mark.parametrize("text", ["change thresholds", "change 20261201T093000000000Z-0123456789ab: better"])
def test_a_deployment_that_names_no_change_is_recorded(text: str) -> None:
    world = World()
    world.deployed(PLAIN, GOOD)
    world.appconfig.deployments[-1]["Description"] = text

    world.stage.run()

    assert [each.changed_by for each in world.rows] == [UNKNOWN]


def _withdrawal(**changes: Any) -> RulesetChange:
    """Of candidate 2, made from a document with it; the deployer makes it again from whatever document has the candidate."""
    return _approved(LIMITED, kind="withdrawn", withdrawn_version="2", **changes)


WITHOUT: Final = without_candidate(ROLLOUT.decode()).encode()


@pytest.mark.parametrize("state", ["COMPLETE", "ROLLED_BACK"])
@pytest.mark.parametrize(
    "change",
    [
        _withdrawal(begun_after=2),
        _withdrawal(begun_after=2, deployment=3, digest_deployed=document_digest(WITHOUT)),
        _withdrawal(begun_after=7, deployment=3, digest_deployed=document_digest(WITHOUT)),
    ],
    ids=["begun", "noted", "begun again"],
)
def test_a_withdrawal_that_was_made_again_has_its_row_and_needs_no_other(
    change: RulesetChange, state: str
) -> None:
    """Made from the active document, or from one whose deployment it stopped itself."""
    world = World()
    world.deployed(PLAIN, GOOD)
    world.deployed(ROLLOUT, GOOD, state)
    _deployed_for(world, change, WITHOUT)

    world.stage.run()

    assert [each for each in world.rows if each.deployment == 3] == []


@pytest.mark.parametrize(
    ("change", "document"),
    [
        (_withdrawal(begun_after=2), PLAIN.replace(b'"1"', b'"66"')),
        (_withdrawal(begun_after=2), LIMITED.replace(b'"1"', b'"66"')),
        (_withdrawal(begun_after=2, state="failed"), WITHOUT),
        (_withdrawal(begun_after=5), WITHOUT),
        (_withdrawal(begun_after=2, deployment=4), WITHOUT),
        (_withdrawal(begun_after=2, deployment=3), PLAIN.replace(b'"1"', b'"66"')),
    ],
    ids=["another", "another still", "failed", "not next", "another number", "noted, another"],
)
def test_no_deployment_hides_under_the_name_of_a_withdrawal(change: RulesetChange, document: bytes) -> None:
    world = World()
    world.deployed(PLAIN, GOOD)
    world.deployed(ROLLOUT, GOOD)
    _deployed_for(world, change, document)

    world.stage.run()

    (row,) = [each for each in world.rows if each.deployment == 3]
    assert (row.kind, row.changed_by) == (ChangeKind.DEPLOYED, UNKNOWN)


def test_what_was_rolled_back_does_not_come_back_under_the_name_of_a_withdrawal() -> None:
    world = World()
    bad = PLAIN.replace(b'"1"', b'"66"')
    world.deployed(PLAIN, GOOD)
    world.deployed(bad, GOOD, "ROLLED_BACK")
    _deployed_for(world, _withdrawal(begun_after=2), bad)

    world.stage.run()

    assert [each.changed_by for each in world.rows if each.deployment == 3] == [UNKNOWN]


def test_a_deployment_in_an_appconfig_that_was_created_anew_is_recorded_though_one_had_its_number() -> None:
    world = World()
    world.deployed(PLAIN, GOOD)
    world.stage.run()
    world.appconfig = MemoryAppConfig()
    world.appconfig.now = START + timedelta(days=2)
    world.now = world.appconfig.now + timedelta(hours=1)
    world.deployed(PLAIN, GOOD)
    world.__post_init__()

    world.stage.run()

    assert [(each.deployment, each.changed_at) for each in world.rows] == [
        (1, START),
        (1, START + timedelta(days=2)),
    ]


def test_which_ruleset_is_active_is_written_when_that_changes_and_again_after_a_rollback() -> None:
    world = World()
    first = world.deployed(PLAIN, GOOD)
    for _ in range(2):
        world.stage.run()
    second = world.deployed(LIMITED, GOOD, "DEPLOYING")
    world.stage.run()
    world.appconfig.deployments[-1]["State"] = "ROLLED_BACK"
    world.stage.run()

    assert [(each.digest, each.position) for each in world.actives] == [(first, 2), (second, 4), (first, 5)]
    assert world.kept == {first: PLAIN, second: LIMITED}
