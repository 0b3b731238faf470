"""A run of the guardrails withdraws a bad candidate, suspends a rule, stops a deployment under way, and leaves a good ruleset alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from contract.ruleset_change import ChangeKind
from engine.rollout.changed import Changed, Example
from engine.rollout.counts import RolloutCounts
from engine.rollout.report import RolloutReport, as_text
from engine.rules.check import check_ruleset
from guardrails.metrics import Metric
from rollouts.deployments import Deployments
from rollouts.errors import NotDeployedError
from tests.support.appconfig_memory import START
from tests.unit.guardrails.world import BAD, FREQUENT, GOOD, LIMITED, PAYMENTS, PLAIN, ROLLOUT, World


def test_a_candidate_that_left_its_band_is_withdrawn_as_a_new_version() -> None:
    world = World()
    before = world.deployed(ROLLOUT, BAD)

    sentence = world.stage.run()

    after = check_ruleset(world.appconfig.active, "after")
    assert after.candidate is None
    assert world.kept == {before: ROLLOUT, after.digest: world.appconfig.active}
    assert [(each.digest, each.deployment, each.candidate_version) for each in world.actives] == [
        (before, 1, "2"),
        (after.digest, 2, None),
    ]
    change = world.rows[-1]
    assert (change.kind, change.changed_by, change.reason) == (ChangeKind.WITHDRAWN, "guardrails", sentence)
    assert (change.digest_before, change.digest_after) == (before, after.digest)
    assert (change.withdrawn_version, change.candidate_version, change.deployment) == ("2", None, 2)
    assert sentence.endswith("allowed is at most 2.")
    assert world.appconfig.deployments[-1]["Description"] == sentence
    assert world.emitted == {
        Metric.PAYMENTS_COMPARED: 6_400,
        Metric.LEFT_BY_NEW_USERS: 0,
        Metric.CANDIDATES_WITHDRAWN: 1,
    }
    assert world.warnings[0][1]["reason"] == sentence


def test_what_was_withdrawn_stays_withdrawn_and_is_recorded_once() -> None:
    world = World()
    world.deployed(ROLLOUT, BAD)
    world.stage.run()
    deployed, rows = len(world.appconfig.deployments), len(world.rows)

    world.now += timedelta(minutes=30)
    found = [world.stage.run() for _ in range(3)]

    assert found == ["Nothing of the ruleset can be withdrawn or suspended."] * 3
    assert (len(world.appconfig.deployments), len(world.rows)) == (deployed, rows)


@pytest.mark.parametrize("state", ["DEPLOYING", "BAKING"])
@pytest.mark.parametrize(("data", "counts"), [(ROLLOUT, BAD), (LIMITED, FREQUENT)], ids=["band", "rule"])
def test_a_deployment_under_way_is_stopped_and_the_document_before_decides(
    state: str, data: bytes, counts: RolloutCounts
) -> None:
    world = World()
    before = world.deployed(PLAIN, GOOD)
    stopped = world.deployed(data, counts, state)

    sentence = world.stage.run()
    world.now += timedelta(minutes=10)
    world.stage.run()

    assert [each["State"] for each in world.appconfig.deployments] == ["COMPLETE", "ROLLED_BACK"]
    assert world.appconfig.active == PLAIN
    (change,) = [each for each in world.rows if each.changed_by == "guardrails"]
    assert (change.kind, change.reason, change.deployment) == (ChangeKind.ROLLED_BACK, sentence, 2)
    assert (change.digest_before, change.digest_after) == (stopped, before)
    assert world.emitted[Metric.ROLLBACKS_RECORDED] == 1
    assert world.actives[-1].digest == before


def test_a_candidate_whose_share_grows_is_taken_out_of_the_document_before_too() -> None:
    world = World()
    world.deployed(ROLLOUT.replace(b'"share": 10', b'"share": 5'), GOOD)
    world.deployed(ROLLOUT, BAD, "DEPLOYING")

    world.stage.run()

    assert [each["State"] for each in world.appconfig.deployments] == ["COMPLETE", "ROLLED_BACK", "COMPLETE"]
    assert check_ruleset(world.appconfig.active, "after").candidate is None
    assert [each.kind for each in world.rows[-2:]] == [ChangeKind.ROLLED_BACK, ChangeKind.WITHDRAWN]
    assert world.rows[-1].withdrawn_version == "2"


def test_a_candidate_whose_deployment_is_still_rolling_back_is_taken_out_of_the_document_before_when_that_is_over() -> (
    None
):
    world = World()
    world.appconfig.state_of_stopped = "ROLLING_BACK"
    world.deployed(ROLLOUT.replace(b'"share": 10', b'"share": 5'), GOOD)
    world.deployed(ROLLOUT, BAD, "DEPLOYING")
    sentence = world.stage.run()
    world.stage.run()
    during = len(world.appconfig.deployments)
    world.appconfig.deployments[-1]["State"] = "ROLLED_BACK"

    world.stage.run()

    assert during == 2
    assert check_ruleset(world.appconfig.active, "after").candidate is None
    assert (world.rows[-1].kind, world.rows[-1].reason) == (ChangeKind.WITHDRAWN, sentence)


def test_a_candidate_that_somebody_deployed_after_the_stop_is_judged_by_its_own_counts() -> None:
    world = World()
    world.deployed(ROLLOUT.replace(b'"share": 10', b'"share": 5'), GOOD)
    world.deployed(ROLLOUT, BAD, "DEPLOYING")
    world.stage.run()
    world.deployed(ROLLOUT.replace(b'"share": 10', b'"share": 2'), GOOD)

    world.stage.run()

    assert check_ruleset(world.appconfig.active, "after").candidate is not None


def test_a_rule_that_holds_too_often_is_suspended() -> None:
    world = World()
    world.deployed(LIMITED, FREQUENT)

    world.stage.run()

    assert check_ruleset(world.appconfig.active, "after").rules[0].mode == "suspended"
    assert (world.rows[-1].kind, world.rows[-1].suspended_rule_ids) == (ChangeKind.SUSPENDED, ("r",))
    assert world.emitted[Metric.RULES_SUSPENDED] == 1


def test_a_candidate_is_withdrawn_also_when_the_hour_before_cannot_be_kept() -> None:
    world = World(not_kept=ClientError({"Error": {"Code": "ValidationException"}}, "PutItem"))
    world.deployed(ROLLOUT, BAD)

    world.stage.run()

    assert check_ruleset(world.appconfig.active, "after").candidate is None
    assert world.emitted[Metric.HOURS_NOT_KEPT] == 1
    assert world.warnings[0][0] == "the sums of an hour cannot be kept"


def test_what_new_users_alone_show_withdraws_nothing_and_is_said() -> None:
    world = World()
    attack = RolloutCounts(
        PAYMENTS, {group: [0, 1, 30 + group % 3] for group in range(64)}, settled=GOOD.settled
    )
    world.deployed(ROLLOUT, attack)

    assert world.stage.run() == "Nothing has left its band."

    assert world.appconfig.active == ROLLOUT
    assert world.emitted[Metric.LEFT_BY_NEW_USERS] == 1
    assert world.warnings[0][0] == "new users alone leave a band"
    assert "allowed is at most 2." in world.warnings[0][1]["reason"]


def test_a_good_candidate_stays_and_nothing_is_deployed() -> None:
    world = World()
    world.deployed(ROLLOUT, GOOD)

    assert world.stage.run() == "Nothing has left its band."

    assert len(world.appconfig.deployments) == 1
    assert world.emitted == {Metric.PAYMENTS_COMPARED: 6_400, Metric.LEFT_BY_NEW_USERS: 0}


def test_after_a_rollback_the_document_that_decides_again_is_judged() -> None:
    world = World()
    world.deployed(ROLLOUT, BAD)
    world.deployed(PLAIN, GOOD, "ROLLED_BACK")

    world.stage.run()

    assert check_ruleset(world.appconfig.active, "after").candidate is None


def test_a_withdrawal_that_appconfig_does_not_deploy_is_an_error_and_is_tried_again() -> None:
    world = World()
    world.deployed(ROLLOUT, BAD)
    world.appconfig.state_of_new = "ROLLED_BACK"

    with pytest.raises(NotDeployedError, match="deployment 2 of a ruleset is ROLLED_BACK"):
        world.stage.run()
    world.appconfig.state_of_new = "COMPLETE"
    world.stage.run()

    assert check_ruleset(world.appconfig.active, "after").candidate is None


def test_a_document_that_somebody_deployed_meanwhile_is_not_overwritten() -> None:
    world = World()
    world.deployed(ROLLOUT, BAD)
    newest = Deployments(world.appconfig, "a", "e", "s").newest()  # type: ignore[arg-type]
    world.deployed(PLAIN, GOOD)

    with pytest.raises(ClientError, match="ConflictException"):
        Deployments(world.appconfig, "a", "e", "s").replace(newest, ROLLOUT, "late")  # type: ignore[arg-type]

    assert world.appconfig.active == PLAIN


def test_without_a_deployment_there_is_nothing_to_judge() -> None:
    world = World()

    assert world.stage.run() == world.stage.report() == "No ruleset is deployed."


def test_the_report_adds_up_all_documents_with_the_same_candidate() -> None:
    world = World()
    first = ROLLOUT.replace(b'"share": 10', b'"share": 5')
    world.deployed(first, GOOD)
    world.now += timedelta(minutes=10)
    world.appconfig.now = START
    world.stage.run()
    example = Example("u-1", "key", 5_000, "approve", 0, "review", 60)  # type: ignore[arg-type]
    world.deployed(ROLLOUT, RolloutCounts(PAYMENTS, new={"r": Changed(1, 5_000, [example])}))

    report = world.stage.report()

    assert isinstance(report, RolloutReport)
    text = as_text(report)
    assert "12,800 payments" in text
    assert (
        "  r: 1 payment, 50.00 USD\n    u-1 key: 50.00 USD, champion approve (0), candidate review (60)"
        in text
    )
    assert "deployed: Deployment started" in text
