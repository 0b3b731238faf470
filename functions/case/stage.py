"""Opens, extends and closes cases: each flagged payment is in one case, and counted there as what its row says.

Records may come in any order and any number of times. A record only says that a row has changed; what counts is the row as it is stored
when the record is handled, and the row's own marks say what its case knows of it (docs/decisions/0027-cases.md).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from case.fold import is_settled, settle
from case.metrics import Metric
from common.cases import MAX_ATTEMPTS, CaseContentionError
from common.metrics import emit
from common.stream_reader import StreamReader
from contract.canary import is_canary
from contract.flagged import FLAGGED_TABLE, from_flagged_item

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse

    from case.fold import Change, UserCases
    from common.backoff import Backoff
    from common.failures import FailureLog
    from common.metrics import MetricSink
    from common.stream_crashes import StreamCrashes
    from common.stream_reader import InvocationContext
    from contract.case import CaseLimits
    from contract.flagged import FlaggedKey, FlaggedTransaction


class CaseStore(Protocol):
    """The calls that this stage makes to its tables; see :class:`case.store.CaseTables`."""

    def flagged(self, key: FlaggedKey) -> FlaggedTransaction | None:
        """Read a flagged row."""
        ...

    def cases_of(self, flagged: FlaggedTransaction) -> UserCases:
        """Read the cases of a payment's user."""
        ...

    def write(self, key: FlaggedKey, change: Change) -> bool:
        """Write a change, all or none; False where another worker was faster."""
        ...


class CaseStage:
    """Handles the stream of ``flagged_transactions``, batch by batch.

    Parameters
    ----------
    store : CaseStore
        Flagged rows, cases and links.
    limits : CaseLimits
        When a case is urgent, and when it is due.
    metrics, log
        Powertools' Metrics and Logger.
    crashes : StreamCrashes
        Dead-letters a record that crashes the stage.
    clock : Callable
        Gives the time, aware, UTC.
    backoff : Backoff
        Waits between attempts to change a case.
    """

    def __init__(
        self,
        store: CaseStore,
        limits: CaseLimits,
        metrics: MetricSink,
        log: FailureLog,
        crashes: StreamCrashes,
        clock: Callable[[], datetime],
        backoff: Backoff,
    ) -> None:
        self._store = store
        self._limits = limits
        self._metrics = metrics
        self._clock = clock
        self._backoff = backoff
        self._reader = StreamReader(FLAGGED_TABLE, self.take, log, crashes, takes_changes=True)

    def handle(self, event: dict[str, Any], context: InvocationContext) -> PartialItemFailureResponse:
        """Bring the cases of a batch's payments up to date; return the records that must be delivered again."""
        response = self._reader.read(event, context)
        emit(self._metrics, Metric.RECORDS_RECEIVED, len(event["Records"]))
        emit(self._metrics, Metric.RECORDS_FAILED, len(response["batchItemFailures"]))
        return response

    def take(self, item: Mapping[str, Any]) -> None:
        """Bring the case of one flagged payment up to date.

        Parameters
        ----------
        item : Mapping
            Its row of ``flagged_transactions`` after a change, in DynamoDB's wire form.

        Raises
        ------
        InvalidRowError
            When a row cannot be read.
        CaseContentionError
            When others kept changing the user's cases.
        ClientError, BotoCoreError
            When DynamoDB did not answer or refused a request, after retries.
        """
        image = from_flagged_item(item)
        # A settled image needs no read: if the row has changed since, that change has a record of its own.
        if is_canary(image.user_id) or is_settled(image):
            return
        for attempt in range(MAX_ATTEMPTS):
            flagged = self._store.flagged(image.key)
            if flagged is None:
                emit(self._metrics, Metric.FLAGGED_ROWS_MISSING)
                return
            if is_settled(flagged):
                return
            change = settle(flagged, self._store.cases_of(flagged), self._limits, self._clock())
            if self._store.write(flagged.key, change):
                self._count(flagged, change)
                return
            emit(self._metrics, Metric.CASE_CONFLICTS)
            self._backoff.pause(attempt)
        raise CaseContentionError(MAX_ATTEMPTS)

    def _count(self, flagged: FlaggedTransaction, change: Change) -> None:
        before, after, case = change.before, change.after, change.case
        if case.version == 1:
            emit(self._metrics, Metric.CASES_OPENED)
        if change.is_reopened:
            emit(self._metrics, Metric.CASES_REOPENED)
        if change.is_closed_now:
            emit(self._metrics, Metric.CASES_CLOSED)
        if before.case_id != after.case_id:
            emit(self._metrics, Metric.PAYMENTS_ADDED)
        elif before.case_judgement != after.case_judgement:
            emit(self._metrics, Metric.JUDGEMENTS_CHANGED)
        if before.case_id is None:
            latency = self._clock() - flagged.appended_at
            emit(self._metrics, Metric.CASE_LATENCY_MS, latency / timedelta(milliseconds=1))
