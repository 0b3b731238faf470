"""A stack takes a minute to start: it is started once for all of its faults, and its logs outlive it."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .stacks import Stacks

if TYPE_CHECKING:
    from collections.abc import Iterator


class World:
    """Notes what is started and stopped."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.stacks = Stacks(self._started)

    @contextmanager
    def _started(self, number: int) -> Iterator[Any]:
        self.events.append(f"{number} starts")
        yield Logging(number)
        self.events.append(f"{number} stops")


class Logging:
    """A stack, as far as its number goes."""

    def __init__(self, number: int) -> None:
        self.logs = Path(f"logs-{number}")


def test_all_faults_of_a_stack_have_one_start() -> None:
    world = World()

    sites = [world.stacks.running(number) for number in (0, 0, 0, 1, 1)]
    world.stacks.stop()

    assert [site.logs.name for site in sites] == ["logs-0", "logs-0", "logs-0", "logs-1", "logs-1"]
    assert world.events == ["0 starts", "0 stops", "1 starts", "1 stops"]


def test_logs_of_a_stack_that_was_stopped_are_read_without_another_start() -> None:
    world = World()
    for number in (0, 1):
        world.stacks.running(number)

    assert (world.stacks.logs(0), world.stacks.logs(1)) == (Path("logs-0"), Path("logs-1"))
    assert world.events == ["0 starts", "0 stops", "1 starts"]


def test_logs_of_a_stack_that_never_ran_are_those_of_its_start() -> None:
    world = World()

    assert world.stacks.logs(3) == Path("logs-3")
    assert world.events == ["3 starts"]
