"""A run of the guardrails withdraws a bad candidate and suspends a rule, records each change once, and leaves a good ruleset alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from contract.ruleset_change import ChangeKind, document_digest, document_sha256, make_change
from engine.rollout.changed import Changed, Example
from engine.rollout.counts import RolloutCounts
from engine.rollout.report import RolloutReport, as_text
from engine.rollout.windows import Part
from engine.rules.check import check_ruleset
from guardrails.metrics import Metric
from guardrails.stage import RECORDED_BY_OTHERS, UNKNOWN, Guardrails
from rollouts.deployments import Deployments
from rollouts.errors import NotDeployedError
from rollouts.tables import Counted
from tests.support.appconfig_memory import START, MemoryAppConfig
from tests.unit.guardrails.world import BAD, FREQUENT, GOOD, LIMITED, NOW, PAYMENTS, PLAIN, ROLLOUT

if TYPE_CHECKING:
    from datetime import datetime

    from contract.active_ruleset import ActiveRuleset
    from contract.ruleset_change import RulesetChange


@dataclass
class World:
    """The guardrails with everything that they use, in memory."""

    appconfig: MemoryAppConfig = field(default_factory=MemoryAppConfig)
    counted: dict[str, RolloutCounts] = field(default_factory=dict)
    rows: list[RulesetChange] = field(default_factory=list)
    desk: list[RulesetChange] = field(default_factory=list)
    """Rows of changes that people have approved, of months ago."""
    actives: list[ActiveRuleset] = field(default_factory=list)
    kept: dict[str, bytes] = field(default_factory=dict)
    emitted: dict[str, float] = field(default_factory=dict)
    warnings: list[Any] = field(default_factory=list)
    now: datetime = NOW
    not_kept: ClientError | None = None

    def __post_init__(self) -> None:
        self.stage = Guardrails(
            Deployments(self.appconfig, "a", "e", "s"),  # type: ignore[arg-type] # the calls that are made
            self,
            self,
            self.kept.__setitem__,
            lambda _: None,
            self,
            self,
            lambda: self.now,
        )

    def read(self, digest: str, now: datetime) -> Counted:
        counts = self.counted.get(digest)
        parts = [] if counts is None else [Part(now - timedelta(minutes=1), counts)]
        return Counted(parts, {}, self.not_kept)

    def put(self, change: RulesetChange) -> None:
        self.rows.append(change)

    def put_active(self, active: ActiveRuleset) -> None:
        self.actives.append(active)

    def made(self, change_id: str) -> RulesetChange | None:
        return next((each for each in self.desk if each.change_id == change_id), None)

    def lately(self, now: datetime) -> list[RulesetChange]:
        months = {f"{now:%Y-%m}", f"{now.replace(day=1) - timedelta(days=1):%Y-%m}"}
        return [each for each in self.rows if each.changed_in in months]

    def add_metric(self, name: str, unit: object, value: float) -> None:
        assert unit
        self.emitted[name] = self.emitted.get(name, 0) + value

    def warning(self, msg: object, *, extra: Any) -> None:
        self.warnings.append((msg, extra))

    def deployed(self, data: bytes, counts: RolloutCounts, state: str = "COMPLETE") -> str:
        """Deploy a document by which something was counted; give its digest."""
        self.appconfig.deploy(data, state)
        digest = check_ruleset(data, "test").digest
        self.counted[digest] = counts
        return digest


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
    assert world.emitted == {Metric.PAYMENTS_COMPARED: 6_400, Metric.LEFT_BY_NEW_USERS: 0, **_one_rollback(0)}


def _one_rollback(count: int) -> dict[str, float]:
    return {Metric.ROLLBACKS_RECORDED: count} if count else {}


def test_a_deployment_without_a_row_is_recorded_once_after_some_minutes() -> None:
    world = World()
    world.now = START + RECORDED_BY_OTHERS - timedelta(seconds=1)
    digest = world.deployed(PLAIN, GOOD)

    world.stage.run()
    early = list(world.rows)
    world.now = START + RECORDED_BY_OTHERS
    world.stage.run()
    world.stage.run()

    assert early == []
    (change,) = world.rows
    assert (change.kind, change.changed_by, change.digest_after) == (ChangeKind.DEPLOYED, UNKNOWN, digest)
    assert (change.deployment, change.reason) == (1, "Deployment started")


def test_a_rollback_after_its_deployment_was_recorded_is_recorded_too_by_the_same_process() -> None:
    world = World()
    world.deployed(PLAIN, GOOD)
    world.deployed(LIMITED, GOOD, "DEPLOYING")
    world.stage.run()
    world.appconfig.deployments[-1]["State"] = "ROLLED_BACK"

    for _ in range(3):
        world.stage.run()

    assert [(each.kind, each.deployment) for each in world.rows] == [
        (ChangeKind.DEPLOYED, 2),
        (ChangeKind.ROLLED_BACK, 2),
        (ChangeKind.DEPLOYED, 1),
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
    world.deployed(first, BAD)
    world.now += timedelta(minutes=10)
    world.appconfig.now = START
    world.stage._record(world.stage._deployments.newest(), check_ruleset(first, "first"), world.now)
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
