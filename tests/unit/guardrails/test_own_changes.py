"""However a run of the guardrails ends or dies, what it did is recorded once, as its own and with its reason, and people are alerted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from contract.ruleset_change import GUARDRAILS, ChangeKind, ChangeState
from engine.rules.check import check_ruleset
from guardrails.metrics import Metric
from guardrails.records import UNKNOWN
from tests.support.dying import Calls, Died, die, throttle, time_out
from tests.unit.guardrails.world import BAD, FREQUENT, GOOD, LIMITED, PLAIN, ROLLOUT, World

if TYPE_CHECKING:
    from collections.abc import Callable

SMALLER: Final = ROLLOUT.replace(b'"share": 10', b'"share": 5')


def _withdrawal(world: World) -> None:
    world.deployed(ROLLOUT, BAD)


def _suspension(world: World) -> None:
    world.deployed(LIMITED, FREQUENT)


def _stop(world: World) -> None:
    world.deployed(PLAIN, GOOD)
    world.deployed(LIMITED, FREQUENT, "DEPLOYING")


def _stop_and_withdrawal(world: World) -> None:
    world.deployed(SMALLER, BAD)
    world.deployed(ROLLOUT, BAD, "DEPLOYING")


def _stop_and_withdrawal_of_what_looks_good(world: World) -> None:
    """What was counted with the share from before shows nothing: only the stop says that the candidate is bad."""
    world.deployed(SMALLER, GOOD)
    world.deployed(ROLLOUT, BAD, "DEPLOYING")


ALERTED: Final = {
    ChangeKind.WITHDRAWN: Metric.CANDIDATES_WITHDRAWN,
    ChangeKind.SUSPENDED: Metric.RULES_SUSPENDED,
    ChangeKind.ROLLED_BACK: Metric.ROLLBACKS_RECORDED,
}
CASES: Final[dict[Callable[[World], None], tuple[int, list[ChangeKind]]]] = {
    _withdrawal: (20, [ChangeKind.WITHDRAWN]),
    _suspension: (20, [ChangeKind.SUSPENDED]),
    _stop: (35, [ChangeKind.ROLLED_BACK]),
    _stop_and_withdrawal: (45, [ChangeKind.ROLLED_BACK, ChangeKind.WITHDRAWN]),
    _stop_and_withdrawal_of_what_looks_good: (45, [ChangeKind.ROLLED_BACK, ChangeKind.WITHDRAWN]),
}
"""What a run finds, how many calls it makes at most, and what it does."""


def _run(world: World, calls: Calls) -> None:
    world.appconfig.now = world.now
    world.process(calls.seen_by(world.appconfig), calls.seen_by(world)).run()


def _ten_minutes(world: World) -> None:
    """A new process, each minute."""
    world.__post_init__()
    for _ in range(10):
        world.now += timedelta(minutes=1)
        world.appconfig.now = world.now
        world.stage.run()


@pytest.mark.parametrize("act", [die, time_out, throttle])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("case", CASES)
def test_at_whatever_call_a_run_ends_what_it_does_has_one_row_and_alerts_people(
    case: Callable[[World], None], after: bool, act: Callable[[str], None]
) -> None:
    most, kinds = CASES[case]
    undisturbed = World()
    case(undisturbed)
    sentence = undisturbed.stage.run()
    for at in range(most):
        world = World()
        case(world)
        deployed = len(world.appconfig.deployments)
        calls = Calls(at, act, after=after)

        try:
            _run(world, calls)
        except (Died, ReadTimeoutError, ClientError):
            pass
        else:
            assert len(calls.names) <= at, calls.names
            break
        _ten_minutes(world)

        own = [each for each in world.rows if each.changed_by == GUARDRAILS]
        assert [each.kind for each in own] == kinds, calls.names
        assert {each.state for each in own} == {ChangeState.DEPLOYED}
        assert {each.reason for each in own} == {sentence}
        numbers = [each.deployment for each in own]
        assert numbers == [deployed + (kind is not ChangeKind.ROLLED_BACK) for kind in kinds]
        assert all(world.emitted[ALERTED[kind]] >= 1 for kind in kinds), calls.names
        others = [(each.kind, each.deployment) for each in world.rows if each.changed_by == UNKNOWN]
        assert len({*others}) == len(others)
        assert {kind for kind, _ in others} <= {ChangeKind.DEPLOYED}
        assert check_ruleset(world.appconfig.active, "after").candidate is None
    else:
        raise AssertionError(f"the run makes more calls than {most}: {calls.names}")


def test_a_withdrawal_that_is_not_deployed_because_somebody_was_faster_is_recorded_as_not_made() -> None:
    world = World()
    _withdrawal(world)
    calls = Calls(-1, die, after=False)
    start = world.appconfig.start_deployment

    def late(**sent: object) -> dict[str, object]:
        world.deployed(PLAIN, GOOD)
        return start(**sent)

    world.appconfig.start_deployment = late  # type: ignore[method-assign]
    with pytest.raises(ClientError, match="ConflictException"):
        _run(world, calls)
    world.appconfig.start_deployment = start  # type: ignore[method-assign]
    _ten_minutes(world)

    assert [(each.kind, each.state, each.failure) for each in world.rows[1:]] == [
        (ChangeKind.WITHDRAWN, ChangeState.FAILED, "another ruleset was deployed first"),
        (ChangeKind.DEPLOYED, ChangeState.DEPLOYED, None),
    ]
    assert Metric.CANDIDATES_WITHDRAWN not in world.emitted


def test_a_withdrawal_under_the_same_number_with_another_document_is_not_taken_for_its_own() -> None:
    world = World()
    _withdrawal(world)
    with pytest.raises(Died):
        world.process(_dies_at(world, "start_deployment"), world).run()
    world.deployed(PLAIN.replace(b'"1"', b'"66"'), GOOD)
    world.appconfig.deployments[-1]["Description"] = world.rows[-1].reason

    _ten_minutes(world)

    assert [(each.kind, each.changed_by, each.state) for each in world.rows[1:]] == [
        (ChangeKind.WITHDRAWN, GUARDRAILS, ChangeState.FAILED),
        (ChangeKind.DEPLOYED, UNKNOWN, ChangeState.DEPLOYED),
    ]


def test_a_withdrawal_that_is_not_needed_any_more_is_recorded_as_not_made() -> None:
    world = World()
    digest = world.deployed(ROLLOUT, BAD)
    with pytest.raises(Died):
        world.process(_dies_at(world, "start_deployment"), world).run()
    world.counted[digest] = GOOD

    _ten_minutes(world)

    (own,) = [each for each in world.rows if each.changed_by == GUARDRAILS]
    assert own.state is ChangeState.FAILED
    assert own.failure == "it was not deployed, and is not what follows from the counts any more"
    assert world.appconfig.active == ROLLOUT


def test_while_appconfig_answers_nothing_a_withdrawal_has_one_row_for_all_tries() -> None:
    world = World()
    _withdrawal(world)
    stage = world.process(_dies_at(world, "start_deployment"), world)
    for _ in range(5):
        world.now += timedelta(minutes=1)
        with pytest.raises(Died):
            stage.run()
    begun = list(world.rows)

    _ten_minutes(world)

    own = [each for each in world.rows if each.changed_by == GUARDRAILS]
    assert [(each.kind, each.state) for each in begun if each.changed_by == GUARDRAILS] == [
        (ChangeKind.WITHDRAWN, ChangeState.DEPLOYING)
    ]
    assert [(each.kind, each.state) for each in own] == [(ChangeKind.WITHDRAWN, ChangeState.DEPLOYED)]


def _dies_at(world: World, name: str) -> object:
    """AppConfig, of which one call does not come back."""

    class Failing:
        def __getattr__(self, asked: str) -> object:
            return (lambda **_: die(name)) if asked == name else getattr(world.appconfig, asked)

    return Failing()
