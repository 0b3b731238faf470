"""Sends a digest for each user whose payments were suppressed and whose window has closed, each claimed before it is sent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, Protocol

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from common.alert_windows import MAX_ATTEMPTS, ContentionError
from common.errors import StageError
from common.failures import describe_failure
from common.metrics import emit
from common.time_left import TimeLeft
from contract.alert_windows import UserWindows, claim_digest, digest_sent
from contract.errors import ContractError
from digest.errors import DigestMarkError
from digest.messages import make_digest, render
from digest.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from common.backoff import Backoff
    from common.failures import FailureLog
    from common.metrics import MetricSink
    from common.time_left import TimedContext
    from common.topic import Topic
    from digest.store import Due

MAX_DUE: Final = 10_000
"""Digests of one run."""

WORKERS: Final = 8
"""Digests that are sent at a time. Each takes four round trips, one after the other."""


class DigestStore(Protocol):
    """The calls that this stage makes to its table; see :class:`digest.store.DueDigests`."""

    def due(self, now: datetime, limit: int) -> Iterable[Due]:
        """Find what is due."""
        ...

    def windows_of(self, user_id: str) -> UserWindows:
        """Read a user's windows."""
        ...

    def replace(self, windows: UserWindows, now: datetime) -> bool:
        """Write a row over the version that it was made from; False where it has changed."""
        ...


class Outcome(Enum):
    """What became of one digest that was due."""

    SENT = auto()
    REPEATED = auto()
    """Sent, and claimed by an earlier run, which may have sent it."""
    NOT_DUE = auto()
    """The index was behind: an alert has reported the payments meanwhile, or another run has."""
    FAILED = auto()
    LEFT = auto()
    """The run ends soon; not begun."""


class Sent(msgspec.Struct, frozen=True):
    """One user's result."""

    outcome: Outcome
    payments: int = 0


class DigestStage:
    """Sends what is due, at each invocation.

    Parameters
    ----------
    store : DigestStore
        The users' windows.
    topic : Topic
        Where digests go.
    metrics, log
        Powertools' Metrics and Logger.
    clock : Callable
        Gives the time, UTC.
    backoff : Backoff
        Waits between attempts to change a user's windows.
    console_url : str
        Where people open the console; empty without one.
    """

    def __init__(
        self,
        store: DigestStore,
        topic: Topic,
        metrics: MetricSink,
        log: FailureLog,
        clock: Callable[[], datetime],
        backoff: Backoff,
        console_url: str = "",
    ) -> None:
        self._store = store
        self._topic = topic
        self._metrics = metrics
        self._log = log
        self._clock = clock
        self._backoff = backoff
        self._console_url = console_url

    def send_due(self, context: TimedContext) -> None:
        """Send every digest that is due; one that fails is left to the next run, and delays no other.

        Parameters
        ----------
        context : TimedContext
            Says how much time is left.

        Raises
        ------
        ClientError, BotoCoreError
            When the index cannot be read.
        """
        time_left = TimeLeft(context)
        now = self._clock()
        due = list(self._store.due(now, MAX_DUE))
        first = min((one.due_at for one in due), default=now)
        with ThreadPoolExecutor(WORKERS) as workers:
            results = list(workers.map(lambda one: self._try(one.user_id, time_left), due))
        self._count(results)
        emit(self._metrics, Metric.OLDEST_DUE_DIGEST_MS, (now - first).total_seconds() * 1000)

    def _count(self, results: list[Sent]) -> None:
        outcomes = [one.outcome for one in results]
        repeated = outcomes.count(Outcome.REPEATED)
        emit(self._metrics, Metric.DIGESTS_SENT, outcomes.count(Outcome.SENT) + repeated)
        emit(self._metrics, Metric.DIGESTS_REPEATED, repeated)
        emit(self._metrics, Metric.PAYMENTS_DIGESTED, sum(one.payments for one in results))
        emit(self._metrics, Metric.DIGESTS_FAILED, outcomes.count(Outcome.FAILED))
        emit(self._metrics, Metric.DIGESTS_LEFT, outcomes.count(Outcome.LEFT))

    def _try(self, user_id: str, time_left: TimeLeft) -> Sent:
        if not time_left.is_enough():
            return Sent(Outcome.LEFT)
        try:
            return self._send(user_id)
        except (StageError, ContractError, ClientError, BotoCoreError) as error:
            self._log.error("A digest failed; the next run sends it", extra=describe_failure(error))
            return Sent(Outcome.FAILED)

    def _send(self, user_id: str) -> Sent:
        claimed = self._claimed(user_id)
        if claimed is None or claimed.windows.digest is None:
            return Sent(Outcome.NOT_DUE)
        payments = claimed.windows.digest.payments
        self._topic.publish(render(make_digest(user_id, payments, self._clock(), self._console_url)))
        # After a crash here the next run sends the message again, with the same id and content. Marking first would lose it.
        self._mark_sent(user_id, payments.id)
        if claimed.is_new:
            return Sent(Outcome.SENT, payments.count)
        return Sent(Outcome.REPEATED)

    def _claimed(self, user_id: str) -> _Claimed | None:
        """Fix what the digest says, so that a copy says the same; None where nothing is due any more."""
        for attempt in range(MAX_ATTEMPTS):
            before = self._store.windows_of(user_id)
            after = claim_digest(before, self._clock())
            if after is None:
                return None
            if after is before:
                return _Claimed(before, is_new=False)
            if self._store.replace(after, self._clock()):
                return _Claimed(after, is_new=True)
            self._backoff.pause(attempt)
        raise ContentionError(MAX_ATTEMPTS)

    def _mark_sent(self, user_id: str, digest_id: str | None) -> None:
        for attempt in range(MAX_ATTEMPTS):
            after = digest_sent(self._store.windows_of(user_id), digest_id)
            if after is None or self._store.replace(after, self._clock()):
                return
            self._backoff.pause(attempt)
        raise DigestMarkError(MAX_ATTEMPTS)


class _Claimed(msgspec.Struct, frozen=True):
    windows: UserWindows
    is_new: bool
    """Claimed by this run."""
