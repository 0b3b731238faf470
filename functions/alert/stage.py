"""Tells of flagged payments: one alert per user and window, a rise in severity at once, each message claimed first."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from alert.errors import ContentionError, MarkError, PublishError
from alert.metrics import UNITS, Metric
from alert.notification import send_fraud_alert
from alert.store import Claim
from alert.windows import judge
from common.stream import StreamReader
from contract.alert import AlertState
from contract.flagged import FLAGGED_TABLE, FlaggedTransaction, from_flagged_item

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse

    from alert.metrics import MetricSink
    from alert.notification import Topic
    from alert.windows import UserWindows, Verdict
    from common.stream import FailureLog, InvocationContext

MAX_CLAIM_ATTEMPTS: Final = 8
"""How often a user's windows are read again before the record is left to its next delivery."""

MAX_MARK_ATTEMPTS: Final = 3
"""How often a published alert's mark is tried, each time with the client's own four tries: at a third of requests throttled, two
messages in a million are repeated, and not one in a hundred. All of it fits into the invocation."""

_BACKOFF_BASE_SECONDS = 0.02
_BACKOFF_CAP_SECONDS = 0.5


class AlertStore(Protocol):
    """The calls that this stage makes to its tables; see :class:`alert.store.AlertTables`."""

    def windows_of(self, user_id: str) -> UserWindows:
        """Read a user's windows."""
        ...

    def flagged(self, transaction_id: str) -> FlaggedTransaction | None:
        """Read a flagged row."""
        ...

    def claim(self, transaction_id: str, verdict: Verdict, now: datetime) -> Claim:
        """Write a verdict and the windows, both or neither."""
        ...

    def mark_sent(self, transaction_id: str, alerted_at: datetime) -> bool:
        """Note that a claimed row's alert was published; False where that has to be tried again."""
        ...


class AlertStage:
    """One batch of ``flagged_transactions``' stream after the other.

    Parameters
    ----------
    store : AlertStore
        Windows and marks.
    topic : Topic
        Where alerts go.
    window : timedelta
        How far around an alerted payment others of the user are only counted, in event time.
    metrics, log
        Powertools' Metrics and Logger.
    clock : Callable
        Gives the time, aware.
    wait : Callable
        Waits so many seconds; ``time.sleep``.
    draw : Callable
        Gives a number in [0, 1); ``random.random``.
    """

    def __init__(
        self,
        store: AlertStore,
        topic: Topic,
        window: timedelta,
        metrics: MetricSink,
        log: FailureLog,
        clock: Callable[[], datetime],
        wait: Callable[[float], None],
        draw: Callable[[], float],
    ) -> None:
        self._store = store
        self._topic = topic
        self._window = window
        self._metrics = metrics
        self._clock = clock
        self._wait = wait
        self._draw = draw
        self._reader = StreamReader(FLAGGED_TABLE, self.tell, log)

    def handle(self, event: dict[str, Any], context: InvocationContext) -> PartialItemFailureResponse:
        """Tell of what a batch holds; name the records that must be delivered again."""
        response = self._reader.read(event, context)
        self._count(Metric.RECORDS_RECEIVED, len(event["Records"]))
        self._count(Metric.RECORDS_FAILED, self._reader.failures)
        return response

    def tell(self, item: Mapping[str, Any]) -> None:
        """Alert on one flagged payment, or count it in its window; nothing where that was done before.

        Parameters
        ----------
        item : Mapping
            Its row of ``flagged_transactions`` as inserted, in DynamoDB's wire form.

        Raises
        ------
        InvalidRowError
            When a row cannot be read.
        PublishError
            When the topic did not take the alert; its claim stays, and the next delivery sends it.
        ContentionError
            When other workers kept changing the user's windows.
        MarkError
            When DynamoDB did not take the note that the alert was published; the next delivery repeats the message.
        """
        flagged = self._claimed(from_flagged_item(item))
        if flagged is not None and flagged.alert_state is AlertState.CLAIMED:
            self._send(flagged)

    def _claimed(self, flagged: FlaggedTransaction) -> FlaggedTransaction | None:
        """Give the payment its verdict; the row as it then stands, None where it is gone."""
        for attempt in range(MAX_CLAIM_ATTEMPTS):
            verdict = judge(self._store.windows_of(flagged.user_id), flagged, self._window)
            match self._store.claim(flagged.transaction_id, verdict, self._clock()):
                case Claim.WRITTEN:
                    return self._judged(flagged, verdict)
                case Claim.ROW_TAKEN:
                    return self._standing(flagged.transaction_id)
            self._count(Metric.ALERT_CLAIM_CONFLICTS)
            self._wait(self._draw() * min(_BACKOFF_CAP_SECONDS, _BACKOFF_BASE_SECONDS * 2**attempt))
        raise ContentionError(MAX_CLAIM_ATTEMPTS)

    def _judged(self, flagged: FlaggedTransaction, verdict: Verdict) -> FlaggedTransaction:
        if verdict.state is AlertState.SUPPRESSED:
            self._count(Metric.ALERTS_SUPPRESSED)
        return msgspec.structs.replace(
            flagged, alert_state=verdict.state, alert_id=verdict.alert_id, alert_claim=verdict.claim
        )

    def _standing(self, transaction_id: str) -> FlaggedTransaction | None:
        standing = self._store.flagged(transaction_id)
        if standing is None:
            self._count(Metric.FLAGGED_ROWS_MISSING)
        elif standing.alert_state is AlertState.CLAIMED:
            self._count(Metric.ALERTS_REPEATED)
        return standing

    def _send(self, flagged: FlaggedTransaction) -> None:
        try:
            alert = send_fraud_alert(flagged, self._topic, self._clock())
        except PublishError:
            self._count(Metric.PUBLISH_FAILURES)
            raise
        # A crash here repeats the message at the next delivery, under the same alert_id. Marking first would lose it.
        self._mark_sent(flagged.transaction_id, alert.alerted_at)
        self._count(Metric.ALERTS_SENT)
        latency = self._clock() - flagged.appended_at
        self._count(Metric.ALERT_LATENCY_MS, latency / timedelta(milliseconds=1))

    def _mark_sent(self, transaction_id: str, alerted_at: datetime) -> None:
        """Mark, and be more patient than anywhere else: the message is out, and giving up would send it again."""
        for attempt in range(MAX_MARK_ATTEMPTS):
            if self._store.mark_sent(transaction_id, alerted_at):
                return
            self._wait(self._draw() * min(_BACKOFF_CAP_SECONDS, _BACKOFF_BASE_SECONDS * 2**attempt))
        raise MarkError(MAX_MARK_ATTEMPTS)

    def _count(self, metric: Metric, value: float = 1) -> None:
        self._metrics.add_metric(name=metric.value, unit=UNITS[metric], value=value)
