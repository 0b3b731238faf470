"""A trial says how far it is; however it ends, its row does not say for ever that it works, and no second run works on it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from contract.trial_row import TrialState, may_begin
from contract.tried import TryJob
from replay.trial import UNANSWERED, Bounds, Trial
from tests.support.moto_aws import aws
from tests.support.payments import NOW
from tests.support.trial_world import Watched, World, row

if TYPE_CHECKING:
    from collections.abc import Callable


__all__ = ["aws"]


class Killed(BaseException):
    """What ends a function without a word: Lambda's limit, or too little memory."""


@pytest.fixture
def world(aws: Callable[[str], Any]) -> World:
    return World(aws("dynamodb"))


def test_its_row_says_every_two_seconds_how_far_it_is(world: World) -> None:
    world.put(row("ann", 10), row("bob", 10))
    request = world.request()
    seen: list[tuple[float, int]] = []

    def look(_page: int) -> None:
        world.now += timedelta(seconds=1)
        found = world.row(request)
        assert found.state is TrialState.RUNNING
        assert found.found is not None
        assert found.ends_by == NOW + timedelta(seconds=200)
        seen.append(((found.changed_at - NOW).total_seconds(), found.found.payments))

    world.bounds = Bounds(1_000, timedelta(seconds=200))
    world.sample = Watched(world, look)
    world.run(world.asked(request))

    times = [at for at, _ in seen]
    assert times[:6] == [0, 0, 2, 2, 4, 4]
    assert seen[0][1] == 0
    assert max(payments for _, payments in seen) in (1, 2)
    assert world.row(request).state is TrialState.DONE


def test_a_request_that_lambda_delivers_twice_is_worked_on_once(world: World) -> None:
    world.put(row("ann", 10))
    request = world.request()
    job = world.asked(request)

    def again(page: int) -> None:
        if page == 2:
            Trial.handle(second, msgspec.to_builtins(job), timedelta(seconds=600))

    second = world.trial
    world.sample = Watched(world, again)
    world.run(job)
    world.run(job)

    assert world.row(request).state is TrialState.DONE
    assert [line["message"] for line in world.log.lines] == ["a trial is not begun"] * 2


def test_a_job_whose_row_another_run_has_taken_ends_and_writes_nothing(world: World) -> None:
    world.put(row("ann", 10))
    request = world.request()

    def take_over(page: int) -> None:
        world.now += timedelta(seconds=3)
        if page == 2:
            world.asked(request, "job-2")

    world.sample = Watched(world, take_over)
    world.run(world.asked(request))

    assert (world.row(request).job_id, world.row(request).state) == ("job-2", TrialState.ASKED)


def test_a_table_that_does_not_answer_is_said_in_the_row_and_is_an_error_of_the_function(
    world: World,
) -> None:
    request = world.request()

    def fail(page: int) -> None:
        if page == 3:
            raise ClientError({"Error": {"Code": "InternalServerError"}}, "Scan")

    world.sample = Watched(world, fail)
    with pytest.raises(ClientError):
        world.run(world.asked(request))

    found = world.row(request)
    assert (found.state, found.problem) == (TrialState.FAILED, UNANSWERED)
    assert may_begin(found, world.now)


@pytest.mark.parametrize("page", [1, 2, 30, 64])
def test_a_job_that_is_killed_has_ended_when_it_was_silent_for_a_minute(world: World, page: int) -> None:
    world.put(row("ann", 10))
    request = world.request()

    def kill(at: int) -> None:
        world.now += timedelta(seconds=1)
        if at == page:
            raise Killed

    world.sample = Watched(world, kill)
    world.bounds = Bounds(1_000, timedelta(seconds=200))
    job = world.asked(request)
    with pytest.raises(Killed):
        world.run(job)

    found = world.row(request)
    assert found.state is TrialState.RUNNING
    assert not may_begin(found, world.now)
    assert may_begin(found, world.now + timedelta(seconds=61))
    world.run(job)  # Lambda's own retry, if there were one
    assert world.row(request) == found


def test_a_job_that_never_begins_has_ended_after_two_minutes(world: World) -> None:
    request = world.request()
    world.asked(request)

    found = world.row(request)

    assert not may_begin(found, NOW + timedelta(seconds=119))
    assert may_begin(found, NOW + timedelta(seconds=121))


def test_a_request_without_a_row_is_not_worked_on(world: World) -> None:
    world.run(TryJob(job_id="job-1", request=world.request()))

    assert world.rows.row(world.request().trial_id) is None
