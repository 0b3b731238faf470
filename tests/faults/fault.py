"""What a fault is.

A fault is a context: it begins on entry. On exit it has been seen to take effect, and is over. A fault without effect fails its
run, because the run has proved nothing.
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

from local.proxy.aws import Call
from local.proxy.http import Answer

from .stream import Sent, Written

if TYPE_CHECKING:
    from contract.scored import ScoredTransaction

    from .site import Site

IS_LONG = bool(os.environ.get("LONG"))
RECORDS_A_PART = 100 if IS_LONG else 50
"""Payments before a fault, and after it; during it as many, times the fault's load factor."""

Forward = Callable[[Call], Answer]
"""Passes a call on."""
Send = Callable[[list[Sent]], list[Written]]
"""Brings records to the topic in another way than a producer does; returns each record on the topic with its position."""
Scope = AbstractContextManager[Send | None]
HOLD_SECONDS = 4.0
"""How long a call is held at most: less than the score stage's time-out for DynamoDB, after which it would retry."""


class Degrades(Enum):
    """Whether rows may say that they were decided without the cache."""

    NEVER = "never"
    MAY = "may"
    """The cache is unavailable for a moment, in which a batch may or may not read it."""
    MUST = "must"
    """The cache cannot be read for as long as a part of the stream lasts."""


EVERY_ALERT = 1000
"""More than there are alerts: every message may be repeated, because two invocations work on the same payments at the same time and
both may publish before either marks. No message may come more than twice under any fault."""


@dataclass(frozen=True)
class Fault:
    """One row of the report."""

    name: str
    begin: Callable[[Site, int], Scope]
    """Takes the site and a seed, which moves the moment of the fault."""
    repeats_at_most: int = 0
    """How many messages of a run may be repeated. Only a crash between publishing and marking repeats one, under the same alert id."""
    degrades: Degrades = Degrades.NEVER
    load_factor: int = 1
    """Factor by which more payments come during the fault."""
    lasts_seconds: float = 0.0
    """How long payments come during the fault; 0 for one burst."""
    needs_quiet: bool = False
    """Whether it begins only when all earlier payments have been processed."""
    has_labels: bool = False
    """Whether labels are sent during the fault."""
    send_labels: Callable[[Site, int, Sequence[bytes]], None] | None = None
    """Brings their messages to the queue, given the seed; None for a producer."""
    shows_in: Callable[[Sequence[ScoredTransaction]], bool] | None = None
    """Whether a run's rows show the fault; None if they need not."""


@contextmanager
def nothing(_: Site, __: int) -> Iterator[None]:
    """No fault, for comparison."""
    yield


class MidBatch:
    """Holds one call of the score stage, so that the fault within this context meets an unfinished batch.

    The seed chooses one of the next three calls; others pass.
    """

    def __init__(self, site: Site, seed: int) -> None:
        self._site = site
        self._left = 1 + seed % 3
        self._lock = threading.Lock()
        self._is_held, self._may_go_on = threading.Event(), threading.Event()
        self._was_in_time = True
        site.aws["score"].fault = self._answer

    def __enter__(self) -> None:
        self._site.wait_for(self._is_held.is_set, "the score stage to be in the middle of a batch")
        assert self._site.backlog() > 0

    def __exit__(self, *_: object) -> None:
        self._may_go_on.set()
        self._site.aws["score"].fault = None
        assert self._was_in_time, "the batch went on before the fault"

    def _answer(self, call: Call, forward: Forward) -> Answer:
        with self._lock:
            self._left -= 1
            is_chosen = self._left == 0
        if is_chosen:
            self._is_held.set()
            self._was_in_time = self._may_go_on.wait(HOLD_SECONDS)
        return forward(call)


@contextmanager
def redelivers(site: Site, function: str) -> Iterator[None]:
    """The fault within this context makes the function's mapping redeliver a batch; wait until it has."""
    mapping = site.mapping(function)
    before = mapping.counters().retries
    yield
    site.wait_for(lambda: mapping.counters().retries > before, f"a redelivery to {function}")


def wait_for_calls(site: Site, count: int) -> None:
    """Wait until the score stage has made so many more calls to DynamoDB, or is idle: how far into its work a fault begins."""
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
