"""The query of the labels fails, and is started again while the job goes on."""

from __future__ import annotations

from typing import Any

from glue_scripts.kept_query import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, KeptQuery


class Query:
    """As Spark's; ``error`` ends it."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.stopped = False

    @property
    def isActive(self) -> bool:  # noqa: N802 - Spark's name
        return self.error is None

    def exception(self) -> Exception | None:
        return self.error

    def stop(self) -> None:
        self.stopped = True


class World:
    """What the query does, and what was reported."""

    def __init__(self) -> None:
        self.queries: list[Query] = []
        self.refusal: Exception | None = None
        self.reports: list[tuple[str, float]] = []
        begin: Any = self._begin
        self.kept = KeptQuery(begin, lambda error, seconds: self.reports.append((str(error), seconds)))

    def _begin(self) -> Query:
        if self.refusal is not None:
            raise self.refusal
        self.queries.append(Query())
        return self.queries[-1]

    def pass_time(self, begin: int, end: int) -> None:
        for second in range(begin, end):
            self.kept.keep(float(second))


def test_a_query_that_runs_is_left_alone() -> None:
    world = World()

    world.pass_time(0, 1000)

    assert len(world.queries) == 1
    assert world.reports == []


def test_a_query_that_failed_is_reported_and_started_again_after_a_pause() -> None:
    world = World()
    world.pass_time(0, 5)
    world.queries[0].error = RuntimeError("no queue")

    world.pass_time(5, 5 + int(FIRST_PAUSE_SECONDS))
    before = len(world.queries)
    world.pass_time(5 + int(FIRST_PAUSE_SECONDS), 30)

    assert (before, len(world.queries)) == (1, 2)
    assert world.reports == [("no queue", FIRST_PAUSE_SECONDS)]


def test_pauses_double_up_to_the_longest_while_it_cannot_start() -> None:
    world = World()
    world.refusal = ValueError("a mapping")

    world.pass_time(0, 1500)

    pauses = [seconds for _, seconds in world.reports]
    assert pauses[:5] == [10.0, 20.0, 40.0, 80.0, LONGEST_PAUSE_SECONDS]
    assert set(pauses[4:]) == {LONGEST_PAUSE_SECONDS}


def test_a_query_that_ran_well_for_long_is_started_again_soon() -> None:
    world = World()
    world.refusal = ValueError("a mapping")
    world.pass_time(0, 200)
    world.refusal = None
    world.pass_time(200, 2000)
    world.queries[-1].error = RuntimeError("once")

    world.pass_time(2000, 2001)

    assert world.reports[-1] == ("once", FIRST_PAUSE_SECONDS)


def test_the_query_is_stopped_with_the_job() -> None:
    world = World()
    world.kept.stop()
    world.pass_time(0, 1)

    world.kept.stop()

    assert [query.stopped for query in world.queries] == [True]
