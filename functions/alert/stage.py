"""Alerts on flagged payments: one alert per user and window, another at once when it gets graver, each claimed before it is sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from alert.errors import MarkError
from alert.messages import send_fraud_alert
from alert.metrics import Metric
from alert.store import Claim
from alert.windows import decide_window
from common.alert_windows import MAX_ATTEMPTS, ContentionError
from common.metrics import emit
from common.stream_reader import StreamReader
from common.topic import PublishError
from contract.alert import AlertState
from contract.canary import is_canary
from contract.flagged import FLAGGED_TABLE, FlaggedKey, FlaggedTransaction, from_flagged_item

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse

    from alert.windows import AlertLimits, WindowDecision
    from common.backoff import Backoff
    from common.failures import FailureLog
    from common.metrics import MetricSink
    from common.stream_crashes import StreamCrashes
    from common.stream_reader import InvocationContext
    from common.topic import Topic
    from contract.alert_windows import UserWindows

MAX_MARK_ATTEMPTS: Final = 3
"""How often marking a published alert is tried, each time with the client's own four tries. Where a third of the requests are
throttled, two messages in a million are then repeated, and not one in a hundred. All of it fits into the invocation."""


class AlertStore(Protocol):
    """The calls that this stage makes to its tables; see :class:`alert.store.AlertTables`."""

    def windows_of(self, user_id: str) -> UserWindows:
        """Read a user's windows."""
        ...

    def flagged(self, key: FlaggedKey) -> FlaggedTransaction | None:
        """Read a flagged row."""
        ...

    def claim(self, key: FlaggedKey, decision: WindowDecision, now: datetime) -> Claim:
        """Write a decision to the row and the windows, both or neither."""
        ...

    def mark_sent(self, key: FlaggedKey, alerted_at: datetime) -> bool:
        """Mark a claimed row's alert as published; False where this must be tried again."""
        ...


class AlertStage:
    """Handles the stream of ``flagged_transactions``, batch by batch.

    Parameters
    ----------
    store : AlertStore
        Windows, and the alerts' marks on flagged rows.
    topic : Topic
        Where alerts go.
    limits : AlertLimits
        When a payment is alerted on; see :func:`alert.windows.decide_window`.
    metrics, log
        Powertools' Metrics and Logger.
    crashes : StreamCrashes
        Dead-letters a record that crashes the stage.
    clock : Callable
        Gives the time, aware.
    backoff : Backoff
        Waits between attempts to change a user's windows, or to mark an alert.
    console_url : str
        Where people open the console; empty without one.
    """

    def __init__(
        self,
        store: AlertStore,
        topic: Topic,
        limits: AlertLimits,
        metrics: MetricSink,
        log: FailureLog,
        crashes: StreamCrashes,
        clock: Callable[[], datetime],
        backoff: Backoff,
        console_url: str = "",
    ) -> None:
        self._store = store
        self._topic = topic
        self._limits = limits
        self._metrics = metrics
        self._clock = clock
        self._backoff = backoff
        self._console_url = console_url
        self._reader = StreamReader(FLAGGED_TABLE, self.alert_on_row, log, crashes)

    def handle(self, event: dict[str, Any], context: InvocationContext) -> PartialItemFailureResponse:
        """Alert on the payments of a batch; return the records that must be delivered again."""
        response = self._reader.read(event, context)
        emit(self._metrics, Metric.RECORDS_RECEIVED, len(event["Records"]))
        emit(self._metrics, Metric.RECORDS_FAILED, len(response["batchItemFailures"]))
        return response

    def alert_on_row(self, item: Mapping[str, Any]) -> None:
        """Alert on one flagged payment, or count it in its window; do nothing where an earlier delivery did.

        Parameters
        ----------
        item : Mapping
            Its row of ``flagged_transactions`` as inserted, in DynamoDB's wire form.

        Raises
        ------
        InvalidRowError
            When a row cannot be read.
        PublishError
            When SNS did not accept the alert. It remains claimed, and the next delivery sends it.
        ContentionError
            When other workers kept changing the user's windows.
        MarkError
            When the alert was published and DynamoDB refused to mark it sent. The next delivery sends it again.
        """
        flagged = self._claimed(from_flagged_item(item))
        if flagged is not None and flagged.alert_state is AlertState.CLAIMED:
            self._send(flagged)

    def _claimed(self, flagged: FlaggedTransaction) -> FlaggedTransaction | None:
        """Decide on the payment once; return its row as stored afterwards, None where it was deleted."""
        for attempt in range(MAX_ATTEMPTS):
            now = self._clock()
            decision = decide_window(self._store.windows_of(flagged.user_id), flagged, self._limits, now)
            match self._store.claim(flagged.key, decision, now):
                case Claim.WRITTEN:
                    return self._decided(flagged, decision)
                case Claim.ROW_TAKEN:
                    return self._existing(flagged.key)
            emit(self._metrics, Metric.ALERT_CLAIM_CONFLICTS)
            self._backoff.pause(attempt)
        raise ContentionError(MAX_ATTEMPTS)

    def _decided(self, flagged: FlaggedTransaction, decision: WindowDecision) -> FlaggedTransaction:
        if decision.state is AlertState.SUPPRESSED and not is_canary(flagged.user_id):
            emit(self._metrics, Metric.ALERTS_SUPPRESSED)
        if decision.is_over_limit:
            emit(self._metrics, Metric.ALERTS_OVER_LIMIT)
        if decision.claim is not None and decision.claim.again is not None:
            emit(self._metrics, Metric.ALERTS_AGAIN)
        return msgspec.structs.replace(
            flagged,
            alert_state=decision.state,
            alert_id=decision.alert_id,
            suppression_id=decision.suppression_id,
            alert_claim=decision.claim,
        )

    def _existing(self, key: FlaggedKey) -> FlaggedTransaction | None:
        existing = self._store.flagged(key)
        if existing is None:
            emit(self._metrics, Metric.FLAGGED_ROWS_MISSING)
        elif existing.alert_state is AlertState.CLAIMED:
            emit(self._metrics, Metric.ALERTS_REPEATED)
        return existing

    def _send(self, flagged: FlaggedTransaction) -> None:
        try:
            alert = send_fraud_alert(flagged, self._topic, self._clock(), self._console_url)
        except PublishError:
            emit(self._metrics, Metric.PUBLISH_FAILURES)
            raise
        # After a crash here the next delivery sends the message again, with the same alert_id. Marking first would lose it.
        self._mark_sent(flagged.key, alert.alerted_at)
        if is_canary(flagged.user_id):
            return
        emit(self._metrics, Metric.ALERTS_SENT)
        latency = self._clock() - flagged.appended_at
        emit(self._metrics, Metric.ALERT_LATENCY_MS, latency / timedelta(milliseconds=1))

    def _mark_sent(self, key: FlaggedKey, alerted_at: datetime) -> None:
        """Mark the row, with more tries than any other write: the message is published, and a failed mark repeats it."""
        for attempt in range(MAX_MARK_ATTEMPTS):
            if self._store.mark_sent(key, alerted_at):
                return
            self._backoff.pause(attempt)
        raise MarkError(MAX_MARK_ATTEMPTS)
