"""The stacks of a matrix: each runs once, for all of its faults."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from .site import Site


class Stacks:
    """Stacks by their number, of which one runs at a time.

    Parameters
    ----------
    make : Callable[[int], AbstractContextManager[Site]]
        Starts the stack of a number, and stops it in the end.
    """

    def __init__(self, make: Callable[[int], AbstractContextManager[Site]]) -> None:
        self._make = make
        self._running = ExitStack()
        self._number: int | None = None
        self._logs: dict[int, Path] = {}
        self._site: Site | None = None

    def running(self, number: int) -> Site:
        """Give the stack of this number, which runs; another one is stopped first."""
        if self._site is None or number != self._number:
            self.stop()
            self._site = self._running.enter_context(self._make(number))
            self._number, self._logs[number] = number, self._site.logs
        return self._site

    def logs(self, number: int) -> Path:
        """Give the folder in which the stack of this number logs, or has logged until it was stopped."""
        return self._logs[number] if number in self._logs else self.running(number).logs

    def stop(self) -> None:
        """Stop the one that runs."""
        self._site = None
        self._running.close()
