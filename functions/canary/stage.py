"""One run of the canary: put two payments into the landing bucket, and see what came out of those of the run before.

It keeps no state. What a run sees of the one before is in the history, and in the queue that its alerts arrive in. An alert that
arrives later than the next run counts as missing then, and its latency is measured by the run after that.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol, TypedDict

from canary.metrics import Metric
from common.metrics import emit
from contract.canary import canary_payment, canary_users, is_canary, is_flagged_canary
from contract.transaction import encode_transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aws_lambda_powertools import Logger

    from common.metrics import MetricSink
    from contract.alert import Alert

MINUTES_ASTRAY: Final = 1
"""A run may be this much early or late, minutes."""

_MINUTE: Final = timedelta(minutes=1)


class ScheduledEvent(TypedDict):
    """The part of EventBridge's event that is read."""

    time: str
    """When the run was due, UTC, to the second. An event that is delivered twice has one time."""


class Landing(Protocol):
    """Where files of payments land."""

    def put(self, name: str, content: bytes) -> bool:
        """Put a file into the canary's folder; False if there is one of this name already."""
        ...


class History(Protocol):
    """Rows of the canary's users."""

    def has_row(self, user_id: str, after: datetime) -> bool:
        """Whether the user has a row of a payment that was made after this time."""
        ...


class Inbox(Protocol):
    """What the canary's subscription of the alert topic receives."""

    def receive(self) -> Iterator[Alert]:
        """Receive and delete everything that has arrived."""
        ...


class CanaryStage:
    """Runs at an interval.

    Parameters
    ----------
    landing : Landing
        Where its payments go in.
    history : History
        Where their rows come out.
    inbox : Inbox
        Where their alerts come out.
    every : timedelta
        From one run to the next.
    metrics, log
        Powertools' Metrics and Logger.
    clock : Callable[[], datetime]
        The time, aware, UTC.
    """

    def __init__(
        self,
        landing: Landing,
        history: History,
        inbox: Inbox,
        every: timedelta,
        metrics: MetricSink,
        log: Logger,
        clock: Callable[[], datetime],
    ) -> None:
        self._landing = landing
        self._history = history
        self._inbox = inbox
        self._every = every
        self._metrics = metrics
        self._log = log
        self._clock = clock

    def run(self, event: ScheduledEvent) -> None:
        """Send two payments and look for those before. An event that was delivered before does nothing.

        Raises
        ------
        ClientError, BotoCoreError
            When a service refuses. Then nothing is measured, and the missing data is what the alarm counts.
        """
        at = self._clock()
        payments = [canary_payment(user_id, at) for user_id in canary_users(at)]
        lines = b"\n".join(encode_transaction(payment) for payment in payments) + b"\n"
        if not self._landing.put(f"{event['time'].replace(':', '')}.json", lines):
            self._log.info("this run's payments were sent before")
            return
        emit(self._metrics, Metric.CANARIES_SENT, len(payments))
        after = at - 1.5 * self._every
        has_row = self._has_row(at, after)
        has_alert = self._has_alert(after)
        emit(self._metrics, Metric.CANARY_ROWS_MISSING, int(not has_row))
        emit(self._metrics, Metric.CANARY_ALERTS_MISSING, int(not has_alert))
        if not (has_row and has_alert):
            self._log.warning("the canary's payments have not come out", has_row=has_row, has_alert=has_alert)

    def _has_row(self, at: datetime, after: datetime) -> bool:
        """Whether a payment of the run before has a row; that run was a minute early or late at most."""
        before = at - self._every
        minutes = sorted(range(-MINUTES_ASTRAY, MINUTES_ASTRAY + 1), key=abs)
        return any(
            self._history.has_row(user_id, after)
            for minute in minutes
            for user_id in canary_users(before + minute * _MINUTE)
        )

    def _has_alert(self, after: datetime) -> bool:
        has_alert = False
        for alert in self._inbox.receive():
            if not is_canary(alert.user_id):
                continue
            sent_at = alert.transaction.occurred_at
            latency = alert.alerted_at - sent_at
            emit(self._metrics, Metric.CANARY_LATENCY_MS, latency / timedelta(milliseconds=1))
            has_alert |= is_flagged_canary(alert.user_id) and sent_at > after
        return has_alert
