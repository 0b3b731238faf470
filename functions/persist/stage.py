"""Stores each payment that was not approved in ``flagged_transactions``, once, however often its record is delivered.

A row has the key of its payment's row in the history. So payments that share a transaction id, by a sender's mistake or by a thief
who hides one behind the other, have a row each.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from common.metrics import emit
from common.stream_reader import StreamReader
from contract.canary import is_canary
from contract.flagged import FlaggedTransaction, flag
from contract.scored import HISTORY_TABLE, Decision, from_history_item
from persist.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse

    from common.failures import FailureLog
    from common.metrics import MetricSink
    from common.stream_crashes import StreamCrashes
    from common.stream_reader import InvocationContext


class FlaggedStore(Protocol):
    """The calls that this stage makes to its table."""

    def insert(self, flagged: FlaggedTransaction) -> bool:
        """Insert a row; False where an earlier delivery did."""
        ...


class PersistStage:
    """Handles the stream of ``transaction_history``, batch by batch.

    Parameters
    ----------
    store : FlaggedStore
        Where flagged payments are stored.
    retention : timedelta
        How long each is stored.
    metrics, log
        Powertools' Metrics and Logger.
    crashes : StreamCrashes
        Dead-letters a record that crashes the stage.
    clock : Callable
        Gives the time, aware.
    """

    def __init__(
        self,
        store: FlaggedStore,
        retention: timedelta,
        metrics: MetricSink,
        log: FailureLog,
        crashes: StreamCrashes,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._retention = retention
        self._metrics = metrics
        self._clock = clock
        self._reader = StreamReader(HISTORY_TABLE, self.flag_row, log, crashes)

    def handle(self, event: dict[str, Any], context: InvocationContext) -> PartialItemFailureResponse:
        """Flag the payments of a batch; return the records that must be delivered again."""
        response = self._reader.read(event, context)
        emit(self._metrics, Metric.RECORDS_RECEIVED, len(event["Records"]))
        emit(self._metrics, Metric.RECORDS_FAILED, len(response["batchItemFailures"]))
        return response

    def flag_row(self, item: Mapping[str, Any]) -> None:
        """Store one scored payment in ``flagged_transactions``, unless it was approved.

        Parameters
        ----------
        item : Mapping
            Its row of ``transaction_history``, in DynamoDB's wire form.

        Raises
        ------
        InvalidRowError
            When the row cannot be read. After bounded retries its record is dead-lettered.
        """
        # The event source mapping filters approved payments too. If it lacks its filter, they must not fill the review queue.
        if item.get("decision") == {"S": Decision.APPROVE.value}:
            return
        scored = from_history_item(item)
        if not scored.is_to_be_flagged:
            return
        flagged = flag(scored, self._clock(), self._retention)
        if not self._store.insert(flagged):
            emit(self._metrics, Metric.TRANSACTIONS_REDELIVERED)
            return
        if is_canary(flagged.user_id):
            return
        emit(self._metrics, Metric.TRANSACTIONS_FLAGGED)
        latency = self._clock() - flagged.appended_at
        emit(self._metrics, Metric.FLAG_LATENCY_MS, latency / timedelta(milliseconds=1))
