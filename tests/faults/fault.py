"""What a fault is.

It is a context: it begins on entry, and on exit has been seen to take effect and is over. One that never bit fails the run,
since then nothing was proved.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from contract.scored import Position, ScoredTransaction
from local.proxy.aws import Call
from local.proxy.http import Answer

from .stream import Sent

if TYPE_CHECKING:
    from .site import Site

IS_LONG = bool(os.environ.get("LONG"))

Forward = Callable[[Call], Answer]
"""Passes a call on."""
Send = Callable[[list[Sent]], list[tuple[Position, Sent]]]
"""Brings records to the topic by another way than a producer's; gives all that came of them, as it stands there."""
Scope = AbstractContextManager[Send | None]
HOLD_SECONDS = 4.0
"""How long a call is held at most: less than the score stage waits for DynamoDB, behind which it would be sent again."""


class Degrades(Enum):
    """Whether rows may say that they were decided without the cache."""

    NEVER = "never"
    MAY = "may"
    """The cache is away for a moment, in which a batch may or may not ask it."""
    MUST = "must"
    """The cache cannot be read for as long as a part of the stream lasts."""


ONE_OF_EACH = 1000
"""Messages repeated at most, where two that work side by side on the same payments may both be between publishing and marking:
more than there are alerts. That none comes more than twice holds everywhere."""


@dataclass(frozen=True)
class Fault:
    """One row of the report."""

    name: str
    begin: Callable[[Site, int], Scope]
    """Gets the site and a seed, which moves the moment at which it strikes."""
    repeats_at_most: int = 0
    """A crash between publishing and marking repeats a message, under the same alert id; nothing else does. How many of a run."""
    degrades: Degrades = Degrades.NEVER
    crowd: int = 1
    """How many times as many payments come meanwhile."""
    lasts_seconds: float = 0.0
    """How long payments come while it lasts; where it is 0, those of one burst."""
    needs_quiet: bool = False
    """Begins when everything before it has been dealt with."""
    shows_in: Callable[[Sequence[ScoredTransaction]], bool] | None = None
    """Whether a run's rows show that it was there, where they must."""


@contextmanager
def nothing(_: Site, __: int) -> Iterator[None]:
    """No fault, for comparison."""
    yield


class AmidWork:
    """Holds one call of the score stage, so that what happens within this context meets a batch that is not done.

    The call is one of the next three from when this is made, by the seed; others go on.
    """

    def __init__(self, site: Site, seed: int) -> None:
        self._site = site
        self._left = 1 + seed % 3
        self._lock = threading.Lock()
        self._is_held, self._may_go_on = threading.Event(), threading.Event()
        self._was_in_time = True
        site.aws["score"].fault = self._answer

    def __enter__(self) -> None:
        self._site.wait_for(self._is_held.is_set, "the score stage to be amid its work")
        assert self._site.backlog() > 0

    def __exit__(self, *_: object) -> None:
        self._may_go_on.set()
        self._site.aws["score"].fault = None
        assert self._was_in_time, "the batch went on before it was struck"

    def _answer(self, call: Call, forward: Forward) -> Answer:
        with self._lock:
            self._left -= 1
            is_it = self._left == 0
        if is_it:
            self._is_held.set()
            self._was_in_time = self._may_go_on.wait(HOLD_SECONDS)
        return forward(call)


@contextmanager
def comes_again(site: Site, function: str) -> Iterator[None]:
    """What happens within this context makes the function's mapping deliver something again; waits until it has."""
    mapping = site.mapping(function)
    before = mapping.counters().retries
    yield
    site.wait_for(lambda: mapping.counters().retries > before, f"what {function} did not do to come again")


def let_pass(site: Site, count: int) -> None:
    """Wait until the score stage has made so many more calls of DynamoDB: how far into its work a fault strikes.

    Fewer where it has nothing more to do.
    """
    mapping, asked_ms = site.mapping("score"), time.time() * 1000
    wanted = calls_of_score(site) + count
    site.wait_for(
        lambda: calls_of_score(site) >= wanted or mapping.idle_since_ms(asked_ms) is not None,
        f"{count} calls of score",
    )


def calls_of_score(site: Site) -> int:
    """Calls of DynamoDB that the score stage has made so far."""
    calls = site.aws["score"].calls()
    return sum(count for name, count in calls.items() if name.startswith("dynamodb."))
