"""However a run ends, dies, or is repeated beside another one, a change is deployed once, and its row says so in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from contract.ruleset_change import ChangeState
from ruleset_deployer.metrics import Metric
from tests.support.deployer_world import FIRST, SECOND, DeployerWorld

if TYPE_CHECKING:
    from collections.abc import Callable

PASSIVE = frozenset({"exceptions", "meta", "get_paginator"})


class Died(BaseException):
    """The process is gone: nothing in it catches this."""


class Calls:
    """Counts the calls of one run over all its clients, and does something at one of them."""

    def __init__(self, at: int, act: Callable[[str], None], *, after: bool) -> None:
        self.names: list[str] = []
        self._at = at
        self._act = act
        self._after = after

    def seen_by(self, client: Any) -> Any:
        calls = self

        class Watched:
            def __getattr__(self, name: str) -> Any:
                real = getattr(client, name)
                if name in PASSIVE:
                    return real

                def call(**sent: Any) -> Any:
                    calls.names.append(name)
                    is_it = len(calls.names) - 1 == calls._at
                    if is_it and not calls._after:
                        calls._act(name)
                    answer = real(**sent)
                    if is_it and calls._after:
                        calls._act(name)
                    return answer

                return call

        return Watched()


def _run(world: DeployerWorld, calls: Calls) -> None:
    clients = (world.dynamodb, world.s3, world.appconfig)
    world.make_deployer(*(calls.seen_by(client) for client in clients)).run()


def _die(_: str) -> None:
    raise Died


def _time_out(name: str) -> None:
    raise ReadTimeoutError(endpoint_url=name)


def _throttle(name: str) -> None:
    raise ClientError({"Error": {"Code": "ThrottlingException"}}, name)


def _calls_of_a_run(aws: Callable[[str], Any]) -> list[str]:
    world = DeployerWorld(aws("dynamodb"), aws("s3"))
    world.approved(document=SECOND)
    calls = Calls(-1, _die, after=False)
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
@pytest.mark.parametrize("act", [_die, _time_out, _throttle])
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
